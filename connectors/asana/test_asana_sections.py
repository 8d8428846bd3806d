"""Sections of a project: a task is moved between them, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connectors.asana.conftest import specs
from connectors.errors import Park, ReplanNeeded
from connectors.records import Draft, FieldKind, Key

if TYPE_CHECKING:
    from connectors.asana.conftest import Bench

KEY = Key(token="k1", url="https://github.com/acme/website/issues/12", label="acme/website#12")


async def test_sections_are_a_choice(bench: Bench) -> None:
    section = (await specs(bench))["section"]
    assert section.kind is FieldKind.CHOICE
    assert list(section.options.values()) == ["Untitled section", "Backlog", "In progress", "Done"]


async def test_a_task_is_moved_and_nothing_else(bench: Bench) -> None:
    gid = bench.simulator.new(bench.project, title="a", section="Backlog")
    elsewhere = bench.simulator.new_container("Elsewhere")
    bench.simulator.add_to_project(gid, elsewhere)
    await bench.session.fields(bench.project)
    before = await bench.read(gid)
    after = await bench.session.update(before.ref, {"section": bench.section("Done")}, before)
    assert after.places == {**before.places, bench.project: bench.section("Done")}
    assert after.version == before.version, "moves leave modified_at alone"
    assert bench.simulator.view(gid)["sections"] == {bench.project: "Done", elsewhere: "Untitled section"}  # type: ignore[index]
    assert bench.calls() == ["POST addTask"]
    assert (
        await bench.session.update(before.ref, {"section": bench.section("Done")}, after)
    ).places == after.places
    assert bench.calls() == ["POST addTask"]


async def test_a_read_that_lags_behind_shows_no_old_section(bench: Bench) -> None:
    """1.14: a refetch may show the old state for 60 s."""
    await bench.session.fields(bench.project)
    before = await bench.read(bench.simulator.new(bench.project, title="a"))
    bench.simulator.clock.advance(120)
    bench.simulator.visible_after_s = 60
    after = await bench.session.update(before.ref, {"section": bench.section("Done")}, before)
    assert after.places == {bench.project: bench.section("Done")}


async def test_a_new_task_lands_in_the_section_asked_for(bench: Bench) -> None:
    draft = Draft(fields={"title": "x", "section": bench.section("Done")}, section=bench.section("Backlog"))
    record = await bench.session.create(bench.project, draft, KEY)
    assert record.places == {bench.project: bench.section("Done")}


async def test_what_is_no_place_is_refused(bench: Bench) -> None:
    await bench.session.fields(bench.project)
    gid = bench.simulator.new(bench.project, title="a")
    before = await bench.read(gid)
    for section in (None, "99"):
        with pytest.raises(Park) as refused:
            await bench.session.update(before.ref, {"section": section}, before)
        assert refused.value.field == "section"
    bench.simulator.remove_from_project(gid, bench.project)
    gone = replace(before, places={})
    with pytest.raises(ReplanNeeded):
        await bench.session.update(before.ref, {"section": bench.section("Done")}, gone)
    assert bench.simulator.objects(bench.project) == [], "moving would have added it again"


async def test_a_section_that_was_deleted_is_named(bench: Bench) -> None:
    await bench.session.fields(bench.project)
    before = await bench.read(bench.simulator.new(bench.project, title="a"))
    section = bench.section("Done")
    del bench.simulator.workspace.sections[section]
    with pytest.raises(Park) as refused:
        await bench.session.update(before.ref, {"section": section}, before)
    assert refused.value.field == "section"
