"""Objects without a link: who gets a counterpart, who waits, and who stays out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault
from sync.jobs.asked import by_hand
from sync.reconcile.model import Side
from sync.store.tables import Connection, Link, Mapping, Mark, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World


async def test_what_is_older_than_the_mapping_stays_out(build: Build) -> None:
    world = await build(first=False)
    world.external.clock.advance(-3600)
    world.external.new(world.container, title="Old")
    world.external.clock.advance(3600)
    await world.settle()
    assert world.tasks() == []
    world.external.edit(world.things()[0], title="Old, but edited")
    await world.settle()
    assert world.tasks() == []
    assert await world.rows(Link) == []


async def test_a_clock_that_jumps_makes_nothing_older_than_the_mapping(world: World) -> None:
    item = world.external.new(world.container, title="Made before it")
    world.external.comment(item, "said before it", by="bob")
    world.external.clock.advance(86400)
    await world.change(Connection, {"clock_offset_s": 86400.0})
    await world.settle()
    assert world.task()["title"] == "Made before it"
    assert [comment["text"].split("\n")[-1] for comment in world.task()["comments"]] == ["said before it"]


async def test_a_clock_that_is_put_back_keeps_nothing_new_out(world: World) -> None:
    world.external.clock.advance(-3600)
    await world.change(Connection, {"clock_offset_s": -3600.0})
    item = world.external.new(world.container, title="New all the same")
    world.external.comment(item, "as is this", by="bob")
    await world.settle()
    assert world.task()["title"] == "New all the same"
    assert [comment["text"].split("\n")[-1] for comment in world.task()["comments"]] == ["as is this"]


async def test_everything_comes_in_where_that_is_asked_for(build: Build) -> None:
    world = await build(first=False, since="all")
    world.external.clock.advance(-3600)
    world.external.new(world.container, title="Old")
    world.external.clock.advance(3600)
    await world.settle()
    assert world.task()["title"] == "Old"


async def test_a_date_lets_in_what_was_made_since(build: Build) -> None:
    since = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    world = await build(first=False, since=since)
    for days in (1, 5):
        world.external.clock.advance(-86400 * days)
        world.external.new(world.container, title=f"{days} days old")
        world.external.clock.advance(86400 * days)
    await world.settle()
    assert [world.task(at)["title"] for at in range(len(world.tasks()))] == ["1 days old"]


async def test_filters_of_both_sides(build: Build) -> None:
    world = await build(
        GitHubSimulator,
        filter={"labels": ["bug"], "kinds": ["issue"]},
        asana={"connection": "our-asana", "project": "1200000000000005", "filter": {"tags": ["out"]}},
    )
    world.external.new(world.container, title="Bug", labels=["bug"])
    world.external.new(world.container, title="Idea", labels=["idea"])
    world.external.new(world.container, title="Pull", labels=["bug"], kind="pull")
    world.hub.new(world.project, title="Goes out", labels=["out"])
    world.hub.new(world.project, title="Stays in")
    await world.settle()
    titles = sorted(world.task(at)["title"] for at in range(len(world.tasks())))
    assert titles == ["Bug", "Goes out", "Stays in"]
    assert sorted(world.thing(at)["title"] for at in range(len(world.things()))) == [
        "Bug",
        "Goes out",
        "Idea",
        "Pull",
    ]
    made = next(world.thing(at) for at in range(4) if world.thing(at)["title"] == "Goes out")
    assert made["labels"] == ["bug", "out"], "what we make satisfies the mapping's own filter"


async def test_directions_and_subtasks(build: Build) -> None:
    world = await build(create={"to_asana": False, "from_asana": True})
    world.external.new(world.container, title="Stays out")
    parent = world.hub.new(world.project, title="Parent")
    world.hub.new(world.project, title="Child", parent=parent)
    await world.settle()
    assert len(world.tasks()) == 2
    assert [world.external.view(made)["title"] for made in world.things()] == ["Stays out", "Parent"]  # type: ignore[index]


async def test_creations_an_hour_are_limited(build: Build) -> None:
    world = await build(limits={"creates_per_hour": 2})
    world.clock.stop()
    for number in range(3):
        world.external.new(world.container, title=f"Number {number}")
    await world.look()
    await world.look()
    assert len(world.tasks()) == 2
    assert "creations an hour" in await world.waiting()
    world.clock.advance(3601)
    await world.work()
    assert len(world.tasks()) == 3


async def test_a_task_linked_to_the_connector_elsewhere_is_not_created_there_again(build: Build) -> None:
    world = await build()
    item, task = await world.paired()
    second = world.external.new_container("second")
    document = world.configured()
    (first,) = document["mappings"]
    other = {**first, "name": "second", "container": second, "create": {"to_asana": True, "from_asana": True}}
    first = {**first, "create": {"to_asana": True, "from_asana": False}}
    await world.apply_document({**document, "mappings": [first, other]})
    await world.settle()
    world.hub.edit(task, title="Still one")
    await world.settle()
    assert world.external.objects(second) == []
    assert world.thing()["title"] == "Still one"
    world.hub.new(world.project, title="Goes to the second")
    await world.settle()
    assert len(world.external.objects(second)) == 1
    assert world.things() == [item]


async def test_an_object_whose_link_was_ended_is_not_created_again(world: World) -> None:
    item, task = await world.paired()
    await by_hand.unlink(world.engine, (await world.link()).id)
    world.external.edit(item, title="Edited")
    world.hub.edit(task, title="Also edited")
    await world.settle(full=True)
    assert (world.things(), world.tasks()) == ([item], [task])
    assert (world.thing()["title"], world.task()["title"]) == ("Edited", "Also edited")
    assert [row.state for row in await world.rows(Link, kind="task")] == ["unlinked"]


async def test_an_object_of_ours_whose_row_was_lost_is_adopted(world: World) -> None:
    item, task = await world.paired(notes="text")
    async with world.engine.database.write() as session:
        await session.delete(await session.get_one(Link, (await world.link()).id))
    world.hub.edit(task, state="closed", by="ada")
    world.clock.stop()
    await world.look()
    assert "next full pass adopts it" in await world.waiting()
    assert (await world.the(Mapping)).full_pass_due
    world.clock.run()
    await world.settle()
    link = await world.link()
    assert (link.made_by, link.hub_id, link.external_id) == ("adopt", task, item)
    assert (world.things(), world.tasks()) == ([item], [task])


async def test_an_object_of_ours_made_for_a_task_is_adopted(github: World) -> None:
    task = github.hub.new(github.project, title="Out")
    await github.settle()
    async with github.engine.database.write() as session:
        await session.delete(await session.get_one(Link, (await github.link()).id))
    assert await github.compare()
    link = await github.link()
    assert (link.made_by, link.hub_id, link.external_id) == ("adopt", task, github.things()[0])
    assert (len(github.things()), len(github.tasks())) == (1, 1)


async def test_what_waits_for_the_first_sync(build: Build) -> None:
    world = await build(first=False, since="all")
    world.external.clock.advance(-3600)
    made = world.external.new(world.container, title="Old")
    world.external.clock.advance(3600)
    world.clock.stop()
    await world.mark(Side.EXTERNAL, made)
    await world.work()
    assert "first sync" in await world.waiting()
    assert world.tasks() == []
    world.clock.run()
    await world.settle()
    assert len(world.tasks()) == 1


async def test_an_interrupted_creation_goes_on(world: World) -> None:
    """The process ended between the link and its first intent."""
    item, task = await world.paired()
    link = await world.link()
    async with world.engine.database.write() as session:
        row = await session.get_one(Link, link.id)
        row.hub_ref, row.hub_id, row.state = None, "", "confirming"
        session.add(row)
    world.hub.remove(task)
    await world.mark(Side.EXTERNAL, item)
    await world.work()
    assert len(world.tasks()) == 1
    assert (await world.link()).state == "active"
    assert await world.rows(Mark) == []


async def test_a_source_that_went_away_before_its_counterpart_came(world: World) -> None:
    item, _ = await world.paired()
    link = await world.link()
    async with world.engine.database.write() as session:
        row = await session.get_one(Link, link.id)
        row.hub_ref, row.hub_id, row.state = None, "", "confirming"
        session.add(row)
    world.external.remove(item)
    await world.mark(Side.EXTERNAL, item)
    await world.work()
    assert (await world.link()).state == "unlinked"
    assert "before it was created" in (await world.link()).reason


@pytest.mark.parametrize("asked", [{"milestone": "Version 1"}, {"authors": ["ada"]}])
async def test_what_we_create_in_github_satisfies_every_filter(build: Build, asked: dict[str, Any]) -> None:
    world = await build(GitHubSimulator, filter=asked)
    assert isinstance(world.external, GitHubSimulator)
    number = world.external.new_milestone(world.container, "Version 1")
    inside = world.external.new(world.container, title="In", by="ada", milestone=number)
    world.external.new(world.container, title="Out", by="bob")
    world.hub.new(world.project, title="From Asana")
    await world.settle(full=True)
    assert sorted(world.task(at)["title"] for at in range(len(world.tasks()))) == ["From Asana", "In"]
    assert [link.state for link in await world.rows(Link)] == ["active", "active"]
    assert len(world.things()) == 3
    if "milestone" in asked:
        world.external.edit(inside, milestone=None)
        await world.settle(full=True)
        assert sorted(link.state for link in await world.rows(Link)) == ["active", "dormant"]


async def test_no_pull_request_is_made_to_satisfy_a_filter(build: Build) -> None:
    world = await build(GitHubSimulator, filter={"kinds": ["pull"]})
    world.hub.new(world.project, title="No issue, please")
    await world.settle()
    assert world.things() == []


async def test_a_milestone_nobody_made_is_said(build: Build) -> None:
    world = await build(GitHubSimulator, filter={"milestone": "Version 9"})
    world.hub.new(world.project, title="From Asana")
    await world.settle()
    entry = await world.the(Parked)
    assert "no milestone 'Version 9'" in entry.reason
    assert isinstance(world.external, GitHubSimulator)
    world.external.new_milestone(world.container, "Version 9")
    world.hub.edit(world.tasks()[0], title="Once more")
    await world.settle()
    assert world.thing()["milestone"] == "Version 9"
    assert await world.rows(Parked) == [], "what goes through is not parked any more"


async def test_what_we_create_satisfies_the_mapping_own_filter(build: Build) -> None:
    world = await build(filter={"labels": ["bug"]})
    world.hub.new(world.project, title="Out")
    await world.settle()
    assert world.thing()["labels"] == ["bug"]
    assert world.task()["labels"] == ["bug"]


async def test_an_object_that_gets_its_link_while_it_is_read_is_no_second_one(github: World) -> None:
    """A webhook may tell of what we just made before its link is stored."""
    made = github.external.new(github.container, title="Broken link", by="ada")
    await github.settle()
    link = await github.link()
    await github.change(Link, {"external_ref": None}, id=link.id)
    await github.mark(Side.EXTERNAL, made)
    await github.change(Mark, {"address": link.external_address})
    stored = asyncio.Event()

    async def store() -> None:
        await github.change(Link, {"external_ref": link.external_ref}, id=link.id)
        stored.set()

    tasks: list[asyncio.Task[None]] = []
    github.external.faults = Meanwhile(
        "GET", r"/issues/\d+$", lambda: tasks.append(asyncio.create_task(store()))
    )
    github.external.faults.add(Fault(kind="slow", method="GET", path=r"/issues/\d+$", seconds=0.5))
    await github.work()
    assert stored.is_set()
    assert await github.rows(Parked) == []
    assert (await github.the(Mark)).reason in (
        "it got its link while it was read",
        "the object is being worked on",
    )
    await github.settle()
    assert len(github.tasks()) == 1
