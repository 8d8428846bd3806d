"""What is looked after now and then."""

from __future__ import annotations

import os
from datetime import timedelta

from sqlalchemy import select

from connectors.simulation import Fault
from sync.jobs.connecting import connections
from sync.jobs.passing.owner import is_dead, new_owner
from sync.jobs.tending import upkeep
from sync.jobs.worker import _job
from sync.store import leases
from sync.store.errors import StoreUnreachable
from sync.store.tables import (
    Claim,
    Conflict,
    Connection,
    Cursor,
    Delivery,
    Event,
    Mapping,
    Mark,
    Revert,
    User,
    Worker,
    Write,
)
from tests.jobs.world import World


async def test_workers_are_told_by_their_heartbeat(world: World) -> None:
    await upkeep.heartbeat(world.engine)
    first = await world.the(Worker)
    assert (first.id, first.pid) == ("test", os.getpid())
    world.clock.advance(5)
    await upkeep.heartbeat(world.engine)
    assert (await world.the(Worker)).heartbeat_at > first.heartbeat_at
    await world.change(Worker, {"id": "gone", "heartbeat_at": world.engine.in_s(-1000)})
    await upkeep.heartbeat(world.engine)
    assert (await world.the(Worker)).id == "test"
    await upkeep.sign_off(world.engine)
    assert await world.rows(Worker) == []


async def test_who_holds_something_and_died(world: World) -> None:
    assert not is_dead(new_owner())
    assert not is_dead("another-place-1")
    assert not is_dead("test")
    dead = new_owner().replace(f"-{os.getpid()}-", "-999999999-")
    assert is_dead(dead)
    mapping = await world.the(Mapping)
    async with world.engine.database.write() as session:
        await leases.take_lease(session, mapping.id, dead, world.engine.now(), world.engine.in_s(60))
        session.add(
            Claim(ref="r", owner=dead, mapping_id=mapping.id, lease_no=1, until=world.engine.in_s(60))
        )
    await upkeep.bury_the_dead(world.engine)
    assert (await world.the(Mapping)).lease_owner is None
    assert await world.rows(Claim, ref="r") == []


async def test_every_mapped_container_has_a_cursor_and_no_other(world: World) -> None:
    await upkeep.ensure_cursors(world.engine)
    assert {row.container for row in await world.rows(Cursor)} == {world.project, world.container}
    await world.change(Mapping, {"removed_at": world.engine.now()})
    await upkeep.ensure_cursors(world.engine)
    assert await world.rows(Cursor) == []


async def check_now(world: World) -> None:
    """As if the connections had not been asked for long."""
    await world.change(Connection, {"checked_at": None})
    await upkeep.check_connections(world.engine)


async def test_connections_are_asked_seldom_and_unreachable_ones_often(world: World) -> None:
    await check_now(world)
    asked = len(world.external.journal)
    await upkeep.check_connections(world.engine)
    assert len(world.external.journal) == asked
    world.external.faults.add(Fault(kind="503", method="GET", path="/me"))
    await check_now(world)
    assert (await world.the(Connection, name="other")).state == connections.UNREACHABLE
    world.clock.advance(1)
    await upkeep.check_connections(world.engine)
    assert (await world.the(Connection, name="other")).state == connections.OK
    await world.change(Connection, {"paused": True}, name="other")
    asked = len(world.external.journal)
    await check_now(world)
    assert len(world.external.journal) == asked
    await world.change(Connection, {"paused": False, "blocked_until": world.engine.in_s(60)}, name="other")
    await check_now(world)
    assert len(world.external.journal) == asked


async def test_credentials_of_another_account_are_dead(world: World) -> None:
    await world.change(Connection, {"account_id": "u-else", "account_name": "else"}, name="other")
    await check_now(world)
    row = await world.the(Connection, name="other")
    assert (row.state, "not to else" in row.reason) == (connections.NEEDS_REAUTH, True)
    await connections.note(world.engine, row, connections.OK, "")
    assert (await world.the(Connection, name="other")).state == connections.NEEDS_REAUTH


async def test_people_are_listed_anew_with_each_check(world: World) -> None:
    row = await world.the(Connection, name="other")
    assert {user.user_id for user in await world.rows(User, connection_id=row.id)} == {
        "u-ada",
        "u-bob",
        "u-sync-bot",
    }
    world.external.people["eve"] = {"id": "u-eve", "name": "eve", "email": "eve@example.com"}  # type: ignore[index]
    await check_now(world)
    assert "u-eve" in {user.user_id for user in await world.rows(User, connection_id=row.id)}


async def test_quota_and_clock_are_kept(github: World) -> None:
    github.external.clock.advance(120)
    for _ in range(10):
        await github.poll()
    await connections.observe(github.engine)
    row = await github.the(Connection, name="other")
    assert row.quota is not None
    assert row.quota["limit"] > 0
    assert abs(row.clock_offset_s) > 1


async def test_old_rows_are_dropped_and_what_is_open_stays(world: World) -> None:
    await world.paired()
    link = await world.link()
    old, now = world.engine.now() - timedelta(days=100), world.engine.now()
    async with world.engine.database.write() as session:
        for state in ("done", "unknown"):
            session.add(
                Write(
                    mapping_id=link.mapping_id,
                    mapping_version=1,
                    link_id=link.id,
                    side="hub",
                    op="update",
                    ref=state,
                    state=state,
                    intent_at=old,
                    deadline_at=old,
                )
            )
        for state in ("open", "dismissed"):
            session.add(
                Conflict(
                    mapping_id=link.mapping_id,
                    mapping_version=1,
                    link_id=link.id,
                    field="title",
                    kind="edit",
                    state=state,
                    policy="hub",
                    detected_at=old,
                    fingerprint=state,
                )
            )
        session.add(
            Event(
                mapping_id=link.mapping_id, mapping_version=1, link_id=link.id, event="in", text="old", at=old
            )
        )
        for state in ("open", "done"):
            session.add(
                Revert(
                    mapping_id=link.mapping_id,
                    link_id=link.id,
                    side="hub",
                    rule="title",
                    field="title",
                    state=state,
                    asked_at=old,
                )
            )
        connection = (await session.execute(select(Connection))).scalars().first()
        assert connection is not None
        for received_at in (old, now):
            session.add(
                Delivery(connection_id=connection.id, dedupe=str(received_at), received_at=received_at)
            )
        session.add(Claim(ref="forgotten", owner="x", mapping_id=1, lease_no=1, until=old))
    await upkeep.clean(world.engine)
    assert [row.ref for row in await world.rows(Write) if row.ref in ("done", "unknown")] == ["unknown"]
    assert [row.state for row in await world.rows(Conflict)] == ["open"]
    assert [row.state for row in await world.rows(Revert)] == ["open"]
    assert await world.rows(Event, text="old") == []
    assert len(await world.rows(Delivery)) == 1
    assert await world.rows(Claim, ref="forgotten") == []


async def test_a_write_whose_outcome_is_open_is_chased(world: World) -> None:
    item, _task = await world.paired()
    world.external.edit(item, title="New")
    world.hub.faults.add(Fault(kind="reset_after", method="PUT", path="/tasks/"))
    world.clock.stop()
    await world.look()
    open_writes = [row for row in await world.rows(Write) if row.state == "unknown"]
    async with world.engine.database.write() as session:
        for mark in (await session.execute(select(Mark))).scalars():
            await session.delete(mark)
    await upkeep.chase_open_writes(world.engine)
    assert await world.rows(Mark) == [], "its deadline is not over"
    world.clock.advance(60)
    await upkeep.chase_open_writes(world.engine)
    assert bool(await world.rows(Mark)) == bool(open_writes)
    await world.work()
    assert {row.state for row in await world.rows(Write)} <= {"done", "not_done"}
    assert world.task()["title"] == "New"


async def test_a_round_belongs_to_one_worker(world: World) -> None:
    async with world.engine.database.write() as session:
        session.add(
            Claim(ref="upkeep", owner="somebody", mapping_id=0, lease_no=0, until=world.engine.in_s(60))
        )
    world.clock.advance(30)
    asked = len(world.external.journal)
    await world.change(Connection, {"checked_at": None})
    await upkeep.round_of(world.engine)
    assert len(world.external.journal) == asked
    world.clock.advance(31)
    await upkeep.round_of(world.engine)
    assert len(world.external.journal) > asked
    assert await world.rows(Claim, ref="upkeep") == []


async def test_a_store_that_does_not_answer_is_no_reason_to_lose_the_worker(
    world: World, told: list[dict[str, object]]
) -> None:
    async def unreachable(engine: object, row_id: int) -> None:
        raise StoreUnreachable("the database does not answer")

    async def broken(engine: object, row_id: int) -> None:
        raise KeyError("x")

    await _job(world.engine, unreachable)({}, 1)
    await _job(world.engine, broken)({}, 1)
    assert [entry["log_level"] for entry in told[-2:]] == ["warning", "error"]
