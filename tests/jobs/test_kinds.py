"""Sections, dates, numbers and choices in step, between Asana and a store that has them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from connectors.github.simulator import GitHubSimulator
from connectors.memory.simulator import MemorySimulator
from connectors.simulation import Simulator
from sync.reconcile.model import Side
from sync.store.tables import Conflict, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World

TITLE = {"asana": "title", "external": "title"}
BOARD = {
    "asana": "section",
    "external": "state",
    "values": {"Backlog": "open", "untitled  section": "open", "In progress": "open", "Done": "closed"},
}
COMPLETED = {"asana": "state", "external": "state", "direction": "to_asana"}
DUE = {"asana": "due", "external": "due"}


async def at_rest(world: World) -> bool:
    """Whether another full look writes nothing."""
    before = len(world.writes())
    await world.settle(full=True)
    return len(world.writes()) == before


async def with_fields(build: Build, external: type[Simulator] = MemorySimulator) -> tuple[World, str, str]:
    """A world with a number and a choice on either side: (world, points, priority of Asana)."""
    world = await build(external, first=False)
    points = world.hub.new_field(world.project, "Points", "number", precision=1).gid
    priority = world.hub.new_field(world.project, "Priority", "enum", ["low", "High", "Someday"]).gid
    rules: list[dict[str, Any]] = [
        TITLE,
        {"asana": f"custom:{points}", "external": "custom:points"},
        {"asana": f"custom:{priority}", "external": "custom:priority"},
    ]
    await world.apply(fields=rules)
    await world.settle()
    return world, points, priority


def chosen(world: World, field: str) -> str | None:
    """The name of the option that the task has."""
    options = {option.gid: option.name for option in world.hub.workspace.custom_fields[field].options}
    value = world.task()["custom"][field]
    return options[value] if value is not None else None


# --- sections -----------------------------------------------------------------------------------------


async def test_a_board_and_a_state_in_step(build: Build) -> None:
    world = await build(fields=[TITLE, BOARD, COMPLETED])
    item, task = await world.paired()
    assert world.task()["section"] == "Backlog", "the first that stands for an open one"
    world.hub.edit(task, section="Done", by="ada")
    await world.settle()
    assert (world.thing()["state"], world.task()["state"]) == ("closed", "closed")
    world.external.edit(item, state="open")
    await world.settle()
    assert (world.task()["section"], world.task()["state"]) == ("Backlog", "open")
    before = len(world.external.journal.writes())
    world.hub.edit(task, section="In progress", by="ada")
    await world.settle()
    assert len(world.external.journal.writes()) == before, "it stands for an open one, too"
    assert await at_rest(world)
    assert world.task()["section"] == "In progress"
    assert await world.rows(Conflict) == []


async def test_a_closed_object_is_made_where_closed_ones_lie(build: Build) -> None:
    world = await build(fields=[TITLE, BOARD, COMPLETED])
    world.external.new(world.container, title="Over", state="closed")
    world.hub.new(world.project, title="Over, too", section="Done")
    await world.settle()
    assert {(task["title"], task["section"]) for task in map(world.hub.view, world.tasks()) if task} == {
        ("Over", "Done"),
        ("Over, too", "Done"),
    }
    assert [(world.external.view(one) or {})["state"] for one in world.things()] == ["closed", "closed"]
    assert await at_rest(world)


async def test_a_section_made_later_needs_a_word_of_its_own(build: Build) -> None:
    world = await build(fields=[TITLE, BOARD])
    _, task = await world.paired()
    project = world.hub.workspace.projects[world.project]
    later = world.hub.workspace.add_section(project.gid, "Waiting")
    world.hub.edit(task, section=later.gid, by="ada")
    await world.settle()
    entry = await world.the(Parked)
    assert "'Waiting' of section in Asana stands for nothing in state of Memory" in entry.reason
    assert "'Waiting: OPTION'" in entry.fix
    world.hub.edit(task, section="Backlog", by="ada")
    await world.settle()
    assert await world.rows(Parked) == []


async def test_a_section_younger_than_the_list_of_them_is_asked_for(build: Build) -> None:
    world = await build(fields=[TITLE, BOARD], settings_={"poll_seconds": 60})
    _, task = await world.paired()
    later = world.hub.workspace.add_section(world.project, "Waiting")
    world.hub.edit(task, section=later.gid, by="ada")
    await world.settle()
    assert "'Waiting' of section" in (await world.the(Parked)).reason


async def test_a_move_that_no_listing_shows_is_not_undone(build: Build) -> None:
    """Moves leave a task's time of change alone: a listing of versions proves nothing about them."""
    world = await build(fields=[TITLE, BOARD], settings_={"write_window_seconds": 30}, conflict="ask")
    for number in range(12):
        world.external.new(world.container, title=f"Item {number}")
    await world.settle()
    for clock in (world.hub.clock, world.external.clock, world.clock):
        clock.advance(90)
    await world.look()
    moved = world.tasks()[3]
    world.hub.edit(moved, section="In progress", by="ada")  # nobody has told us yet
    for item in world.things():
        world.external.edit(item, state="closed")
    await world.poll_only("other")
    for _ in range(3):
        await world.work()
        world.clock.advance(1)
    (view,) = [view for gid in world.tasks() if (view := world.hub.view(gid)) and view["section"] != "Done"]
    assert view["section"] == "In progress"
    assert (await world.the(Conflict)).field == "section", "both sides changed it, and a person decides"


async def test_a_task_moved_back_at_once_is_no_old_answer_for_long(build: Build) -> None:
    world = await build(fields=[TITLE, BOARD], settings_={"stale_seconds": 60.0})
    _, task = await world.paired()
    world.hub.edit(task, section="Done", by="ada")
    await world.look()
    assert world.thing()["state"] == "closed"
    world.hub.edit(task, section="Backlog", by="ada")
    await world.look()
    for _ in range(8):
        world.clock.advance(15)
        await world.work()
    assert world.thing()["state"] == "open"
    assert world.task()["section"] == "Backlog"


async def test_two_mappings_see_their_own_sections(build: Build) -> None:
    """One task in two projects: each mapping reads and writes the section of its own."""
    world = await build(fields=[TITLE, BOARD])
    _, task = await world.paired()
    other = world.hub.new_container("Elsewhere")
    world.hub.add_to_project(task, other, by="ada")
    section = next(gid for gid in world.hub.workspace.projects[other].sections[-1:])
    world.hub.workspace.add_to_project(task, None, other, section, source="web")
    await world.settle(full=True)
    assert world.thing()["state"] == "open", "Done over there is nothing here"
    record = (await world.route()).placed(Side.HUB, await _read(world, task))
    assert record.fields["section"] == record.places[world.project]


async def _read(world: World, task: str) -> Any:
    ref = await world.ref(Side.HUB, task)
    return (await (await world.route()).end(Side.HUB).session.fetch_many([ref]))[ref]


# --- dates, numbers, choices --------------------------------------------------------------------------


async def test_days_and_moments_go_both_ways(build: Build) -> None:
    world = await build(fields=[TITLE, DUE], time_zone="America/New_York")
    item, task = await world.paired(due="2026-03-08")
    assert world.task()["due"] == date(2026, 3, 8)
    world.hub.edit(task, due=datetime(2026, 3, 9, 3, 30, tzinfo=UTC), by="ada")
    await world.settle()
    assert world.thing()["due"] == "2026-03-09T03:30:00.000Z"
    world.hub.edit(task, due=date(2026, 11, 1), by="ada")
    await world.settle()
    assert world.thing()["due"] == "2026-11-01"
    world.external.edit(item, due=None)
    await world.settle()
    assert world.task()["due"] is None
    assert await at_rest(world)


async def test_the_day_of_a_milestone_is_the_day_of_the_task(build: Build) -> None:
    world = await build(
        GitHubSimulator, fields=[TITLE, {**DUE, "direction": "to_asana"}], time_zone="Pacific/Kiritimati"
    )
    assert isinstance(world.external, GitHubSimulator)
    number = world.external.new_milestone(
        world.container, "Version 1", due_on=datetime(2026, 3, 8, 8, tzinfo=UTC)
    )
    item, _ = await world.paired(milestone=number)
    assert world.task()["due"] == date(2026, 3, 8)
    world.external.edit(item, milestone=None)
    await world.settle()
    assert world.task()["due"] is None
    assert await at_rest(world)


async def test_numbers_and_choices_go_both_ways(build: Build) -> None:
    world, points, priority = await with_fields(build)
    item, task = await world.paired(**{"custom:points": 2.5, "custom:priority": "3"})
    assert (world.task()["custom"][points], chosen(world, priority)) == (2.5, "High")
    world.hub.edit(task, custom={points: 0}, by="ada")
    world.external.edit(item, **{"custom:priority": "1"})
    await world.settle()
    assert world.thing()["custom:points"] == 0
    assert chosen(world, priority) == "low"
    world.external.edit(item, **{"custom:priority": None, "custom:points": None})
    await world.settle()
    assert (world.task()["custom"][points], chosen(world, priority)) == (None, None)
    assert await at_rest(world)


async def test_a_choice_without_counterpart_is_named_by_its_name(build: Build) -> None:
    world, _, priority = await with_fields(build)
    _, task = await world.paired()
    field = world.hub.workspace.custom_fields[priority]
    world.hub.edit(task, custom={priority: field.options[2].gid}, title="And this goes through", by="ada")
    await world.settle()
    entry = await world.the(Parked)
    assert f"'Someday' of custom:{priority} in Asana stands for nothing" in entry.reason
    assert "there are: Low, Normal, High" in entry.reason
    assert world.thing()["title"] == "And this goes through"
    assert await at_rest(world)
