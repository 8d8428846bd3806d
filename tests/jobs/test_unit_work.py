"""One object after the other: what is stale, asleep, moved."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.errors import Park, ParkClass
from connectors.github.simulator import GitHubSimulator
from sync.reconcile.model import Side
from sync.store import parking
from sync.store.tables import Conflict, Link, Mapping, Mark, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def test_a_read_that_shows_the_past_is_not_planned_with(build: Build) -> None:
    world = await build(settings_={"stale_seconds": 600})
    world.clock.stop()
    item = world.external.new(world.container, title="old")
    await world.look()
    world.external.clock.advance(100)
    world.hub.edit(world.tasks()[0], title="new")
    await world.look()
    assert world.thing()["title"] == "new"
    world.external.visible_after_s = 50
    await world.mark(Side.EXTERNAL, item)
    before = len(world.writes())
    waits = []
    for _ in range(4):
        await world.work()
        mark = (await world.rows(Mark))[0]
        waits.append(round((mark.due_at - world.engine.now()).total_seconds()))
        world.clock.advance(waits[-1])
    assert waits == [5, 15, 60, 60]
    assert len(world.writes()) == before
    assert (world.task()["title"], world.thing()["title"]) == ("new", "new")
    world.external.visible_after_s = 0
    await world.work()
    assert await world.rows(Mark) == []
    assert len(world.writes()) == before
    assert await world.rows(Conflict) == []


async def test_a_link_sleeps_outside_the_filter_and_wakes_when_it_returns(build: Build) -> None:
    world = await build(filter={"labels": ["bug"]})
    item, task = await world.paired(labels=["bug"])
    world.external.edit(item, labels=["idea"], title="Elsewhere now")
    await world.settle()
    link = await world.link()
    assert (link.state, "filter" in link.reason) == ("dormant", True)
    assert world.task()["title"] == "Broken link"
    world.hub.edit(task, notes="still edited")
    before = len(world.writes())
    await world.settle()
    assert len(world.writes()) == before
    world.external.edit(item, labels=["bug"])
    await world.settle()
    assert (await world.link()).state == "active"
    assert world.task()["title"] == "Elsewhere now"
    assert "still edited" in world.thing()["notes"]
    assert world.things() == [item]


async def test_a_task_that_left_the_project_sleeps(world: World) -> None:
    item, task = await world.paired()
    assert isinstance(world.hub, AsanaSimulator)
    world.hub.add_to_project(task, world.hub.new_container("Other"))
    world.hub.remove_from_project(task, world.project)
    world.external.edit(item, title="Not carried over")
    await world.settle()
    assert (await world.link()).state == "dormant"
    view = world.hub.view(task)
    assert view is not None
    assert view["title"] == "Broken link"
    world.hub.add_to_project(task, world.project)
    await world.settle(full=True)
    assert (await world.link()).state == "active"
    assert world.task()["title"] == "Not carried over"


async def test_a_transferred_issue_takes_its_link_along(github: World) -> None:
    issue, task = await github.paired()
    assert isinstance(github.external, GitHubSimulator)
    elsewhere = github.external.new_container("elsewhere")
    moved = github.external.transfer(issue, elsewhere)
    await github.mark(Side.EXTERNAL, issue)
    await github.change(Mark, {"address": (await github.link()).external_address})
    await github.work()
    link = await github.link()
    assert (link.external_id, link.state) == (moved, "dormant")
    assert github.hub.view(task) is not None
    assert len(await github.rows(Link, kind="task")) == 1


async def test_two_marks_of_one_link_are_one_look(world: World) -> None:
    item, task = await world.paired()
    await world.mark(Side.HUB, task)
    await world.mark(Side.EXTERNAL, item)
    asked = len(world.external.journal.by("GET", "/items$"))
    await world.work()
    assert len(world.external.journal.by("GET", "/items$")) == asked + 1
    assert await world.rows(Mark) == []


async def test_what_could_not_be_read_waits_for_nobody_once_it_can(world: World) -> None:
    item = world.external.new(world.container, title="Locked away")
    refused = Park("You may not", park_class=ParkClass.PERMISSION)
    async with world.engine.database.write() as session:
        await parking.park(
            session,
            mapping_id=(await world.the(Mapping)).id,
            link=None,
            what="link",
            ref=str(await world.ref(Side.EXTERNAL, item)),
            error=refused,
            now=world.engine.now(),
        )
    await world.settle()
    assert (await world.rows(Parked), world.task()["title"]) == ([], "Locked away")


@pytest.mark.parametrize("waits_s", [0, 3600])
async def test_what_is_told_and_cannot_be_read_yet_is_not_overwritten(build: Build, waits_s: int) -> None:
    """Neither while the mark that tells of it is put off: the other side's edit brings the link up, too."""
    world = await build(settings_={"stale_seconds": 60}, conflict="last_modified")
    world.clock.stop()
    item, task = await world.paired(title="before")
    await world.mark(Side.EXTERNAL, item, due_at=world.engine.in_s(3600))  # and it changes again meanwhile
    world.clock.advance(100)
    for simulator in (world.external, world.hub):
        simulator.clock.advance(100)
    world.external.edit(item, title="theirs")
    world.external.visible_after_s = 50
    told = world.external.clock.now()
    for clock in (world.clock, world.external.clock, world.hub.clock):
        clock.advance(5)
    world.hub.edit(task, title="ours")
    before = len(world.writes())
    await world.mark(Side.HUB, task)
    due_at = world.engine.in_s(waits_s)
    await world.mark(Side.EXTERNAL, item, seen_at=told, due_at=due_at)
    await world.mark(
        Side.EXTERNAL, item, seen_at=told - timedelta(seconds=100), due_at=due_at
    )  # shows the past
    await world.work()
    assert len(world.writes()) == before
    reason = "what was read may be older than the change"
    assert {mark.reason for mark in await world.rows(Mark) if waits_s == 0 or mark.side == "hub"} == {reason}
    world.external.visible_after_s = 0
    world.clock.advance(61)
    await world.work()
    assert {world.task()["title"], world.thing()["title"]} == {"ours"}
    (clash,) = await world.rows(Conflict)
    assert clash.external["value"] == "theirs"
