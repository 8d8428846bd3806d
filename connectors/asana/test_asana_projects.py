"""What projects are made of is remembered for some minutes, and no failure is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.asana.conftest import CustomFields, name_of, specs
from connectors.asana.projects import KEPT_S, Projects
from connectors.errors import PauseMapping, RetryLater
from connectors.records import Value
from connectors.simulation import Fault

if TYPE_CHECKING:
    from connectors.asana.conftest import Bench, Opened


async def test_a_project_is_read_again_after_some_minutes(bench: Bench) -> None:
    clock = [0.0]
    projects = Projects(bench.session._asana, lambda: clock[0])  # type: ignore[attr-defined]
    assert not (await projects.of(bench.project)).custom
    bench.simulator.new_field(bench.project, "Points", "number")
    assert not (await projects.of(bench.project)).custom
    clock[0] = KEPT_S
    assert (await projects.of(bench.project)).custom


async def test_what_is_new_is_known_when_it_is_written(bench: Bench, fields: CustomFields) -> None:
    before = await bench.read_with_fields(bench.simulator.new(bench.project, title="a"))
    section = bench.simulator.workspace.add_section(bench.project, "Review").gid
    urgent = bench.simulator.workspace.add_option(fields.enum.gid, "Urgent").gid
    change: dict[str, Value] = {"section": section, name_of(fields.enum): urgent}
    after = await bench.session.update(before.ref, change, before)
    assert after.places == {bench.project: section}
    assert after.fields[name_of(fields.enum)] == urgent


async def test_an_event_of_the_project_makes_it_be_read_again(bench: Bench) -> None:
    cursor = (await bench.session.changes(bench.project, None)).cursor
    bench.simulator.archive(bench.project)
    cursor = (await bench.session.changes(bench.project, cursor)).cursor
    with pytest.raises(PauseMapping, match="archived"):
        await bench.session.changes(bench.project, cursor)
    bench.simulator.archive(bench.project, archived=False)
    await bench.session.changes(bench.project, cursor)


async def test_an_archived_project_is_no_place_to_sync(bench: Bench) -> None:
    bench.simulator.archive(bench.project)
    for call in (bench.session.container(bench.project), bench.session.listing(bench.project, None)):
        with pytest.raises(PauseMapping, match="archived"):
            await call


async def test_a_project_that_is_not_there_stops_the_mapping_whatever_answers_first(bench: Bench) -> None:
    """Its sections are not there either, which alone would be the trouble of one object."""
    unknown = f"{bench.project}0"
    projects = Projects(bench.session._asana)  # type: ignore[attr-defined]
    await projects.of(bench.project)  # until a call was answered, others wait for the first one
    bench.simulator.faults.add(Fault(kind="slow", path=rf"/projects/{unknown}$", seconds=0.2))
    with pytest.raises(PauseMapping):
        await projects.of(unknown)


async def test_a_failure_is_not_remembered(bench: Bench) -> None:
    bench.simulator.faults.add(Fault(kind="500", method="GET", path=r"/sections$", times=1))
    with pytest.raises(RetryLater):
        await bench.session.fields(bench.project)
    assert "section" in await specs(bench)


@pytest.mark.parametrize("status", [402, 403, 404, 405, 501])
async def test_custom_fields_that_are_not_served_are_none(scripted: Opened, status: int) -> None:
    session, _ = scripted({"GET projects/20/custom_field_settings": [(status, None)]})
    assert [spec.name for spec in await session.fields("20")][-1] == "section"
