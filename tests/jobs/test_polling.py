"""Polling: marks and cursor move together, one poller at a time counts, and a lost position is told."""

from __future__ import annotations

import asyncio

from connectors.changes import Change
from connectors.memory.client import PAGE
from connectors.simulation import Fault
from sync.jobs.connecting import connections
from sync.jobs.watching import polling
from sync.jobs.watching.news import marks_for
from sync.reconcile.model import Side
from sync.store.marks import BACKFILL, LIVE
from sync.store.tables import Connection, Cursor, Mapping, Mark
from tests.jobs.world import Meanwhile, World


async def cursor_of(world: World, name: str) -> Cursor:
    connection = await world.the(Connection, name=name)
    return await world.the(Cursor, connection_id=connection.id)


async def test_two_pollers_count_once(world: World) -> None:
    item, _ = await world.paired()
    world.external.edit(item, title="Once")
    cursor = await cursor_of(world, "other")
    await asyncio.gather(*(polling.poll(world.engine, cursor.id, even_if_early=True) for _ in range(2)))
    after = await cursor_of(world, "other")
    assert after.version > cursor.version
    mark = await world.the(Mark)
    await world.work()
    assert world.task()["title"] == "Once"
    assert mark.kind == "item"


async def test_a_poller_that_comes_too_late_changes_nothing(world: World) -> None:
    item, _ = await world.paired()
    world.external.edit(item, title="Seen by the first")
    cursor = await cursor_of(world, "other")
    world.external.faults.add(Fault(kind="slow", path="changes", seconds=0.5))
    late = asyncio.create_task(polling.poll(world.engine, cursor.id, even_if_early=True))
    await asyncio.sleep(0.1)
    await polling.poll(world.engine, cursor.id, even_if_early=True)
    await world.work()
    first = await cursor_of(world, "other")
    world.woken.clear()
    await late
    assert world.woken == []
    assert await world.rows(Mark) == []
    assert (await cursor_of(world, "other")).version == first.version


async def test_nobody_polls_before_its_time(world: World) -> None:
    cursor = await cursor_of(world, "other")
    await world.change(Cursor, {"next_at": world.engine.in_s(60)})
    assert not await polling.poll(world.engine, cursor.id)
    world.clock.advance(61)
    assert await polling.poll(world.engine, cursor.id)


async def test_a_process_that_ends_leaves_the_next_pages_to_another(world: World) -> None:
    for number in range(PAGE + 1):
        world.external.new(world.container, title=f"Thing {number}")
    cursor = await cursor_of(world, "other")
    world.engine.ending.set()
    asked = len(world.external.journal)
    assert await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert len(world.external.journal) == asked + 1
    after = await cursor_of(world, "other")
    assert after.value != cursor.value
    assert after.next_at <= world.engine.now()


async def test_a_lost_position_asks_for_a_full_pass(world: World) -> None:
    await world.change(Cursor, {"value": {"nonsense": 1}})
    assert not (await world.the(Mapping)).full_pass_due
    cursor = await cursor_of(world, "our-asana")
    await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert (await world.the(Mapping)).full_pass_due


async def test_an_unreachable_provider_is_said_and_forgotten(world: World) -> None:
    cursor = await cursor_of(world, "other")
    world.external.faults.add(Fault(kind="503", times=2))
    assert not await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert (await world.the(Connection, name="other")).state == connections.UNREACHABLE
    after = await cursor_of(world, "other")
    assert (after.attempts, bool(after.reason)) == (1, True)
    assert not await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert (await world.the(Connection, name="other")).state == connections.OK
    assert (await cursor_of(world, "other")).attempts == 0


async def test_a_container_that_stays_away_stops_the_mapping(github: World) -> None:
    github.external.delete_repo(github.container)  # type: ignore[attr-defined]
    cursor = await cursor_of(github, "other")
    for _ in range(6):
        await polling.poll(github.engine, cursor.id, even_if_early=True)
    assert (await github.the(Mapping)).state == "stopped"


async def test_a_container_that_may_not_be_listed_stops_the_mapping_and_says_what_helps(
    github: World,
) -> None:
    github.external.faults.add(Fault(kind="422", path="/issues$", times=None))
    cursor = await cursor_of(github, "other")
    for _ in range(2):
        await polling.poll(github.engine, cursor.id, even_if_early=True)
    assert (await github.the(Mapping)).state == "active", "one bad answer is none"
    await polling.poll(github.engine, cursor.id, even_if_early=True)
    mapping = await github.the(Mapping)
    assert (mapping.state, "refuses" in mapping.reason) == ("stopped", True)


async def test_a_paused_connection_rests(world: World) -> None:
    await world.change(Connection, {"paused": True}, name="other")
    cursor = await cursor_of(world, "other")
    asked = len(world.external.journal)
    assert not await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert len(world.external.journal) == asked
    assert (await cursor_of(world, "other")).reason == "the connection rests"


async def test_dead_credentials_are_found_by_polling(world: World) -> None:
    world.external.token = "revoked"  # type: ignore[attr-defined]
    cursor = await cursor_of(world, "other")
    assert not await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert (await world.the(Connection, name="other")).state == connections.NEEDS_REAUTH
    assert not await polling.poll(world.engine, cursor.id, even_if_early=True)


async def test_a_cursor_that_is_gone_is_no_work(world: World) -> None:
    assert not await polling.poll(world.engine, 999)


async def test_our_own_write_is_no_news_and_what_our_account_does_by_hand_is(world: World) -> None:
    item, task = await world.paired()
    world.external.edit(item, title="Written by us")
    await world.poll()
    await world.work()
    assert world.task()["title"] == "Written by us"
    await world.poll()
    assert await world.rows(Mark) == []
    world.hub.edit(task, title="By hand", by="bot")
    await world.poll()
    assert (await world.the(Mark)).object_id == task
    await world.work()
    assert world.thing()["title"] == "By hand"


async def test_a_poll_is_as_old_as_its_first_request(world: World) -> None:
    """What changes while it lasts may be missing in it: that it was read then must not be claimed."""
    cursor = await cursor_of(world, "other")
    world.clock.stop()
    began = world.engine.now()
    world.external.faults = Meanwhile("GET", "changes", lambda: world.clock.advance(5))
    await polling.poll(world.engine, cursor.id, even_if_early=True)
    assert (await cursor_of(world, "other")).read_at == began


async def test_what_our_own_account_did_is_looked_at_after_what_people_do(world: World) -> None:
    """Our own creations are told of before their links are kept: a first sync would bury what people edit."""
    route = await world.route()
    end = route.end(Side.EXTERNAL)
    changes = [
        Change(ref=end.ref("item", str(number)), at=world.engine.now(), actor=actor)
        for number, actor in enumerate((end.connection.account_id, "ada", None))
    ]
    async with world.engine.database.read() as session:
        found = await marks_for(session, route, Side.EXTERNAL, changes)
    assert [mark.lane for mark in found] == [BACKFILL, LIVE, LIVE]
