"""The full pass: complete listings against the links. It only marks, and counts only if it is everything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault
from sync.jobs.asked import by_hand
from sync.jobs.tending import upkeep
from sync.jobs.watching.full_pass import full_pass
from sync.store import leases
from sync.store.status import status
from sync.store.tables import Connection, Link, Mapping, Mark, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World


async def pause_over(world: World) -> None:
    """After a pass that could not be completed nobody tries again at once."""
    world.clock.advance(31)


async def test_what_polling_missed_is_found(world: World) -> None:
    item, _task = await world.paired()
    world.external.edit(item, title="Missed")
    await world.change(Mapping, {"full_pass_counts": {}})
    assert await world.compare()
    assert world.task()["title"] == "Missed"
    mapping = await world.the(Mapping)
    assert (mapping.full_pass_due, mapping.full_pass_counts) == (False, {"hub": 1, "external": 1})
    assert mapping.full_pass_at is not None


async def test_a_page_costs_the_same_however_much_is_on_it(
    world: World, statements: list[tuple[str, Any]]
) -> None:
    counts = []
    for number in (1, 9):
        for at in range(number):
            world.external.new(world.container, title=f"One of {number}: {at}", by="ada")
        await world.settle(full=True)
        statements.clear()
        assert await full_pass(world.engine, (await world.the(Mapping)).id)
        counts.append(len(statements))
        assert await world.rows(Mark) == []
    assert len(await world.rows(Link, kind="task")) == 10
    assert counts[0] == counts[1]


async def test_what_no_listing_shows_is_looked_at_by_itself(world: World) -> None:
    item, _ = await world.paired()
    world.external.remove(item)
    await world.change(Mapping, {"full_pass_counts": {}})
    assert await full_pass(world.engine, (await world.the(Mapping)).id)
    reasons = {row.reason for row in await world.rows(Mark)}
    assert "not in the complete listing" in reasons
    await world.work()
    assert world.task()["state"] == "closed"


async def test_a_process_that_ends_leaves_it_to_another_at_once(world: World) -> None:
    await world.paired()
    before = await world.the(Mapping)
    world.engine.ending.set()
    assert not await full_pass(world.engine, before.id)
    assert (await world.the(Mapping)).full_pass_at == before.full_pass_at
    assert await full_pass(replace(world.engine, owner="another", ending=asyncio.Event()), before.id)


async def test_an_incomplete_listing_does_not_count(world: World) -> None:
    await world.paired()
    before = await world.the(Mapping)
    world.external.faults.add(Fault(kind="503", method="GET", path="/spaces/website/items"))
    assert not await full_pass(world.engine, before.id)
    after = await world.the(Mapping)
    assert after.full_pass_at == before.full_pass_at
    assert world.task()["state"] == "open"
    assert not await full_pass(world.engine, before.id), "not again at once"
    await pause_over(world)
    assert await full_pass(world.engine, before.id)


async def test_a_listing_that_shrank_does_not_count_at_first(world: World) -> None:
    await world.paired()
    await world.change(Mapping, {"full_pass_counts": {"hub": 1, "external": 10}})
    assert not await full_pass(world.engine, (await world.the(Mapping)).id)
    mapping = await world.the(Mapping)
    assert "shrank from 10 to 1" in mapping.reason
    assert await world.rows(Mark) == [] or world.task()["state"] == "open"
    await pause_over(world)
    assert await full_pass(world.engine, mapping.id), "the same number again is the truth"
    assert (await world.the(Mapping)).reason == ""


async def test_it_keeps_its_turn_however_long_the_listings_take(world: World) -> None:
    mapping = await world.the(Mapping)
    short = world.engine.settings.model_copy(update={"lease_seconds": 0.4})
    engine = replace(world.engine, settings=short)
    world.external.faults.add(Fault(kind="slow", method="GET", path="/items", seconds=1.5))
    passing = asyncio.create_task(full_pass(engine, mapping.id))
    await asyncio.sleep(1.0)
    assert not await full_pass(replace(engine, owner="another"), mapping.id)
    assert await passing


async def test_one_full_pass_at_a_time(world: World) -> None:
    mapping = await world.the(Mapping)
    async with world.engine.database.write() as session:
        await leases.claim(
            session,
            [f"full-pass:{mapping.id}"],
            leases.Hold("somebody", mapping.id, 0),
            now=world.engine.now(),
            until=world.engine.in_s(60),
        )
    assert not await full_pass(world.engine, mapping.id)


async def test_dead_credentials_and_stopped_mappings(world: World) -> None:
    mapping = await world.the(Mapping)
    world.external.token = "revoked"  # type: ignore[attr-defined]
    assert not await full_pass(world.engine, mapping.id)
    assert (await world.the(Connection, name="other")).state == "needs_reauth"
    await pause_over(world)
    await world.change(Mapping, {"state": "stopped"})
    assert not await full_pass(world.engine, mapping.id)


async def test_matching_by_title_leaves_the_doubtful_to_a_person(build: Build) -> None:
    world = await build(first=False, since="all", match={"mode": "match_then_create", "key": "title"})
    for title in ("One", " one  more", "Twice", "Twice", "Only outside"):
        world.external.new(world.container, title=title)
    one = world.hub.new(world.project, title="one")
    more = world.hub.new(world.project, title="One More")
    twice = world.hub.new(world.project, title="twice")
    world.hub.new(world.project, title="Only in the hub")
    world.hub.new(world.project, title="")  # as Enter in a list makes them; nothing is like it
    await world.settle()
    links = {row.hub_id: row for row in await world.rows(Link, kind="task")}
    assert (links[one].made_by, links[more].made_by) == ("match", "match")
    entry = next(row for row in await world.rows(Parked) if row.park_class == "ambiguous")
    assert entry.ref.endswith(twice)
    assert "may belong to" in entry.reason
    titles = [world.external.view(made)["title"] for made in world.things()]  # type: ignore[index]
    assert titles.count("Only in the hub") == 1
    hub_titles = [world.task(at)["title"] for at in range(len(world.tasks()))]
    assert hub_titles.count("Only outside") == 1
    assert sorted(title.casefold() for title in hub_titles).count("one") == 1
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before


async def test_match_only_creates_nothing(build: Build) -> None:
    world = await build(first=False, since="all", match={"mode": "match_only"})
    world.external.new(world.container, title="Same")
    world.external.new(world.container, title="Alone")
    world.hub.new(world.project, title="Same")
    await world.settle()
    assert (len(world.tasks()), len(world.things())) == (1, 2)
    assert (await world.link()).made_by == "match"
    world.external.new(world.container, title="New")
    await world.settle()
    assert len(world.tasks()) == 1


async def test_a_link_ended_by_hand_is_not_adopted_again(github: World) -> None:
    await github.paired()
    await by_hand.unlink(github.engine, (await github.link()).id)
    assert await github.compare()
    assert [row.state for row in await github.rows(Link, kind="task")] == ["unlinked"]


async def test_comments_of_quiet_objects_are_looked_at_in_turn(world: World) -> None:
    _item, _ = await world.paired()
    assert await full_pass(world.engine, (await world.the(Mapping)).id)
    assert await world.rows(Mark) == []
    await world.change(Link, {"comments_at": None}, kind="task")
    assert await full_pass(world.engine, (await world.the(Mapping)).id)
    assert [row.comments for row in await world.rows(Mark)] == [True]
    await world.work()
    assert await full_pass(world.engine, (await world.the(Mapping)).id, all_comments=True)
    assert [(row.reason, row.lane) for row in await world.rows(Mark)] == [
        ("a regular look at its comments", "backfill")
    ]


async def test_which_full_passes_are_due(world: World) -> None:
    mapping = await world.the(Mapping)
    assert await upkeep.full_passes_due(world.engine) == []
    world.clock.advance(world.engine.settings.full_pass_seconds + 1)
    assert await upkeep.full_passes_due(world.engine) == [mapping.id]
    await world.change(Mapping, {"paused": True})
    assert await upkeep.full_passes_due(world.engine) == []


async def test_a_first_sync_counts_down(build: Build) -> None:
    world = await build(GitHubSimulator, first=False, since="all")
    for number in range(3):
        world.external.new(world.container, title=f"Number {number}")
    status = await world.settle()
    assert status["mappings"][0]["first_sync"] is None
    assert status["mappings"][0]["state"] == "active"
    assert len(world.tasks()) == 3


async def test_a_first_sync_that_is_stopped_goes_on_and_a_live_edit_overtakes_it(build: Build) -> None:
    world = await build(first=False, since="all")
    for number in range(40):
        world.external.new(world.container, title=f"Number {number:02}")
    await upkeep.ensure_cursors(world.engine)
    await world.poll()
    mapping = await world.the(Mapping)
    assert await full_pass(world.engine, mapping.id)
    world.hub.faults = Meanwhile("POST", "/tasks", world.engine.ending.set)
    await world.work()
    done = len(world.tasks())
    assert 0 < done < 40, "what was in flight was finished, and nothing begun"
    world.engine = replace(world.engine, ending=asyncio.Event())
    async with world.engine.database.read() as session:
        seen = await status(session, version="", now=world.engine.now(), instance={}, since=None)
    first_sync = seen["mappings"][0]["first_sync"]
    assert (first_sync["phase"], first_sync["total"]) == ("writing", 40)
    assert first_sync["rate_per_s"] > 0
    linked = next(row for row in await world.rows(Link, kind="task") if row.hub_ref)
    world.external.edit(linked.external_id, title="Edited meanwhile")
    await world.poll()
    before = len(world.hub.journal.writes())
    await world.settle()
    (at,) = [
        number
        for number, write in enumerate(world.hub.journal.writes()[before:])
        if write.method == "PUT" and linked.hub_id in write.path
    ]
    assert at < 15, "before the rest of the backfill"
    titles = sorted(str((world.hub.view(task) or {})["title"]) for task in world.tasks())
    others = {f"Number {number:02}" for number in range(40)} - {linked.external_title}
    assert titles == sorted([*others, "Edited meanwhile"])


async def test_a_run_in_the_foreground_waits_for_the_first_comparison(build: Build) -> None:
    world = await build(first=False)
    world.external.faults.add(Fault(kind="429", method="GET", path="/items", retry_after=1))
    seen = await world.settle()
    assert (seen["quiet"], seen["mappings"][0]["state"]) == (True, "active")
