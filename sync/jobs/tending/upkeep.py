"""What has to be looked after now and then: heartbeats, cursors, connections, hidden objects, old rows."""

from __future__ import annotations

import os
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, Exists, bindparam, delete, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from connectors.errors import ConnectorError, PauseConnection
from sync.jobs.connecting import connections, states
from sync.jobs.engine import Engine
from sync.jobs.passing.owner import is_dead
from sync.jobs.receiving import subscriptions
from sync.jobs.tending import alerts, sampling
from sync.jobs.watching.looking import look_again
from sync.store import errands, leases, links, marks, tokens, writes
from sync.store.tables import (
    Claim,
    Conflict,
    Connection,
    Cursor,
    Delivery,
    Event,
    Link,
    Mapping,
    Mark,
    Revert,
    Worker,
    Write,
    table_of,
)
from sync.store.totals import CONFLICTS, DELIVERIES, WRITES, clear_away
from sync.store.upsert import insert_into

log = structlog.get_logger()

_MAPPINGS = table_of(Mapping)
_MAPPING, _CURSOR = _MAPPINGS.c, table_of(Cursor).c

_CHECK_S = 600.0
_GAP_S, _GAP_POLLS = 900.0, 15
"""Nobody polled for so long, or for so many polls."""

_KEEP = {
    "deliveries": timedelta(days=7),
    "writes": timedelta(days=30),
    "conflicts": timedelta(days=90),
    "tokens": timedelta(days=1),
}


async def heartbeat(engine: Engine) -> None:
    """Say that this worker lives."""
    now = engine.now()
    async with engine.database.write() as session:
        insert = insert_into(session, Worker).values(
            id=engine.owner, pid=os.getpid(), started_at=now, heartbeat_at=now
        )
        await session.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"heartbeat_at": now}))
        gone = now - timedelta(seconds=engine.settings.lease_seconds * 2)
        await session.execute(delete(Worker).where(col(Worker.heartbeat_at) < gone))


async def bury_the_dead(engine: Engine) -> None:
    """What killed processes of this machine held is free again, without waiting for it to run out."""
    async with engine.database.write() as session:
        await leases.free_after(session, is_dead)


async def notice_gaps(engine: Engine) -> None:
    """What nobody polled for long is compared completely first: the database may be a restored backup.

    Then links that were made since are missing, and their objects must be found by their keys, not
    made a second time.
    """
    horizon = engine.now() - timedelta(seconds=max(_GAP_S, engine.settings.poll_seconds * _GAP_POLLS))
    async with engine.database.write() as session:
        late = or_(*_cursors(_CURSOR.read_at < horizon))
        await session.execute(update(_MAPPINGS).where(late).values(full_pass_due=True))


async def sign_off(engine: Engine) -> None:
    """This worker ends."""
    async with engine.database.write() as session:
        await session.execute(delete(Worker).where(col(Worker.id) == engine.owner))


async def ensure_cursors(engine: Engine) -> None:
    """Every mapped container has a cursor, and no other has."""
    mapped = await connections.containers(engine)
    wanted = {(connection_id, name) for connection_id, names in mapped.items() for name in names}
    async with engine.database.read() as session:
        have = {
            (row.connection_id, row.container): row
            for row in (await session.execute(select(Cursor))).scalars()
        }
    missing, surplus = wanted - have.keys(), have.keys() - wanted
    if not missing and not surplus:
        return
    async with engine.database.write() as session:
        for connection_id, name in missing:
            insert = insert_into(session, Cursor).values(
                connection_id=connection_id,
                container=name,
                version=0,
                next_at=engine.now(),
                attempts=0,
                reason="",
            )
            await session.execute(insert.on_conflict_do_nothing())
        for place in surplus:
            await session.execute(delete(Cursor).where(col(Cursor.id) == have[place].id))


async def check_connections(engine: Engine) -> None:
    """Ask each connection who we are, seldom; an unreachable one with every poll. Then its people."""
    mapped = await connections.containers(engine)
    async with engine.database.read() as session:
        rows = list(
            (await session.execute(select(Connection).where(col(Connection.removed_at).is_(None)))).scalars()
        )
    for row in rows:
        if states.rests(row, engine.now()):
            continue
        age = (engine.now() - row.checked_at).total_seconds() if row.checked_at else float("inf")
        due = _CHECK_S if row.state == states.OK else min(_CHECK_S, engine.settings.poll_seconds)
        if age < due:
            continue
        if await connections.check(engine, row) is None:
            continue
        try:
            await connections.refresh_people(engine, row, sorted(mapped.get(row.id, set())))
        except PauseConnection as error:
            await connections.note(engine, row, states.NEEDS_REAUTH, error.reason)
        except ConnectorError as error:
            log.warning("upkeep", connection=row.name, reason=f"people: {error.reason}")


def _cursors(condition: ColumnElement[bool]) -> tuple[Exists, Exists]:
    """Whether the polling of a mapping's containers stands so, on the hub's side and on the other."""
    hub, external = (
        select(_CURSOR.id)
        .where(_CURSOR.connection_id == connection_id, _CURSOR.container == container, condition)
        .exists()
        for connection_id, container in (
            (_MAPPING.hub_connection_id, _MAPPING.hub_container),
            (_MAPPING.external_connection_id, _MAPPING.external_container),
        )
    )
    return hub, external


_FULL_PASSES_DUE = select(_MAPPING.id).where(
    _MAPPING.removed_at.is_(None),
    _MAPPING.state.in_(["first_sync", "active"]),
    _MAPPING.paused.is_(False),
    _MAPPING.full_pass_due | (_MAPPING.full_pass_at < bindparam("horizon")),
    # what comes after the listing must be found by polling: its position is taken first
    *_cursors(_CURSOR.read_at.is_not(None)),
)


async def full_passes_due(engine: Engine) -> list[int]:
    """Mappings to be compared completely."""
    horizon = engine.now() - timedelta(seconds=engine.settings.full_pass_seconds)
    async with engine.database.read() as session:
        return list((await session.execute(_FULL_PASSES_DUE, {"horizon": horizon})).scalars())


async def look_at_hidden(engine: Engine) -> None:
    """Objects that could not be seen are looked at again after an hour, and when patience ends."""
    pause = timedelta(seconds=min(3600.0, engine.settings.hidden_park_seconds))
    now = engine.now()
    query = select(Link).where(
        col(Link.kind) == links.TASK,
        col(Link.state) == links.ACTIVE,
        col(Link.hidden_since).is_not(None),
        (col(Link.looked_at).is_(None)) | (col(Link.looked_at) < now - pause),
        col(Link.hidden_since) <= now - pause,
    )
    async with engine.database.read() as session:
        if (await session.execute(query.limit(1))).first() is None:
            return
    async with engine.database.write() as session:
        for link in (await session.execute(query)).scalars().all():
            link.looked_at = now
            session.add(link)
            await look_again(session, link, "was hidden", now, lane=marks.BACKFILL)


async def chase_open_writes(engine: Engine) -> None:
    """A write whose outcome is not known keeps its link under observation, whatever became of the marks."""
    late = select(col(Write.id)).where(
        col(Write.state).in_(writes.OPEN), col(Write.deadline_at) < engine.now()
    )
    async with engine.database.read() as session:
        if (await session.execute(late.limit(1))).first() is None:
            return
    parent = aliased(Link)
    marked = (
        select(col(Mark.id))
        .where(
            col(Mark.mapping_id) == col(parent.mapping_id),
            or_(col(Mark.ref) == col(parent.hub_ref), col(Mark.ref) == col(parent.external_ref)),
        )
        .exists()
    )
    query = (
        select(parent)
        .join(Link, or_(col(Link.id) == col(parent.id), col(Link.parent_id) == col(parent.id)))
        .join(Write, col(Write.link_id) == col(Link.id))
        .where(
            col(parent.kind) == links.TASK,
            col(parent.state) != links.UNLINKED,
            col(parent.hidden_since).is_(None),  # it is looked at again by itself, and when it is listed
            col(Write.state).in_(writes.OPEN),
            col(Write.deadline_at) < engine.now(),
            ~marked,
        )
        .distinct()
    )
    async with engine.database.read() as session:
        found = (await session.execute(query)).scalars().all()
    for link in found:
        async with engine.database.write() as session:
            await look_again(
                session, link, "the answer to a write was lost", engine.now(), lane=marks.BACKFILL
            )


async def clean(engine: Engine) -> None:
    """Drop what is kept for a while only; what was counted goes on counting."""
    now = engine.now()
    async with engine.database.write() as session:
        old = now - _KEEP["deliveries"]
        await clear_away(session, DELIVERIES, col(Delivery.received_at) < old)
        old = now - _KEEP["writes"]
        await clear_away(session, WRITES, col(Write.intent_at) < old, col(Write.state).not_in(writes.OPEN))
        await session.execute(delete(Event).where(col(Event.at) < old))
        await session.execute(delete(Revert).where(col(Revert.asked_at) < old, col(Revert.state) != "open"))
        await errands.clear(session, old)
        old = now - _KEEP["conflicts"]
        await clear_away(session, CONFLICTS, col(Conflict.state) != "open", col(Conflict.detected_at) < old)
        await session.execute(delete(Claim).where(col(Claim.until) < now - timedelta(hours=1)))
    await _forget_tokens(engine)


async def _forget_tokens(engine: Engine) -> None:
    """Drop what providers handed out for credentials that are in no use any more."""
    living = select(Connection).where(col(Connection.removed_at).is_(None))
    async with engine.database.write() as session:
        used = [
            tokens.key_of(row.connector, engine.vault.open(row.credentials))
            for row in (await session.execute(living)).scalars()
        ]
        await tokens.clear(session, used, engine.now() - _KEEP["tokens"])


async def end_first_syncs(engine: Engine) -> None:
    """A first sync is over when none of its marks is left."""
    async with engine.database.write() as session:
        query = select(Mapping).where(col(Mapping.first_sync).is_not(None), col(Mapping.state) == "active")
        for mapping in (await session.execute(query)).scalars():
            if not mapping.full_pass_due and await marks.next_due(session, mapping.id) is None:
                await session.execute(
                    update(Mapping).where(col(Mapping.id) == mapping.id).values(first_sync=None)
                )


async def round_of(engine: Engine) -> None:
    """One round by whichever worker has the turn; slow things have times of their own."""
    turn = leases.Hold(engine.owner, mapping_id=0, lease_no=0)
    async with engine.database.write() as session:
        mine = await leases.claim(
            session,
            ["upkeep"],
            turn,
            now=engine.now(),
            until=engine.in_s(engine.settings.lease_seconds),
        )
    if not mine:
        return
    try:
        await check_connections(engine)
        await connections.observe(engine)
        await subscriptions.keep(engine)
        await subscriptions.retry_dead(engine)
        await look_at_hidden(engine)
        await chase_open_writes(engine)
        await end_first_syncs(engine)
        await sampling.sample(engine)
        await alerts.watch(engine)
    finally:
        async with engine.database.write() as session:
            await leases.release(session, ["upkeep"], turn)
