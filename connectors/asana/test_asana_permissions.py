"""What the account cannot do in a project is said before anything is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.asana.conftest import Bench
from connectors.errors import PauseMapping
from connectors.simulation import Fault
from connectors.simulation_network import FaultKind


async def test_an_editor_lacks_nothing(bench: Bench) -> None:
    assert await bench.session.lacks(bench.project) == []


async def test_who_may_only_comment_cannot_write(bench: Bench) -> None:
    projects = bench.simulator.workspace.projects
    projects[bench.project] = replace(projects[bench.project], access_level="commenter")
    (said,) = await bench.session.lacks(bench.project)
    assert said.startswith("The account is no editor of the project (commenter): ")


@pytest.mark.parametrize(
    ("path", "kind", "named"),
    [
        ("/sections$", "403", "project_sections:read"),
        ("/custom_field_settings$", "403", "custom_fields:read"),
        ("/custom_field_settings$", "402", "plan"),
        ("/stories$", "403", "stories:read"),
        ("/attachments$", "403", "attachments:read"),
    ],
)
async def test_what_an_app_may_not_read_is_named(
    bench: Bench, path: str, kind: FaultKind, named: str
) -> None:
    bench.simulator.new(bench.project, title="A task to look at")
    bench.simulator.faults.add(Fault(kind=kind, path=path, times=None))
    (said,) = await bench.session.lacks(bench.project)
    assert named in said
    assert said.endswith(".")
    assert "not synced" in said or "not known" in said


async def test_where_access_is_not_told_nothing_is_claimed(bench: Bench) -> None:
    bench.simulator.faults.add(Fault(kind="404", path="/project_memberships$", times=None))
    assert await bench.session.lacks(bench.project) == []


async def test_a_project_out_of_sight(bench: Bench) -> None:
    bench.simulator.hide(bench.project)
    with pytest.raises(PauseMapping):
        await bench.session.lacks(bench.project)
