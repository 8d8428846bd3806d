"""Did our write overwrite an edit that we never read? What the provider tells of the past says so.

Between our read and our write a person may have edited the field. That edit is lost at the provider,
and goes to the conflict list with its whole value where it is told:

- by the echo of our own write that names what stood there before (GitHub: ``changes.*.from``);
- by the provider's history of single fields, which polling reads of all objects at once, or, where it
  tells no values or nothing at all, of the objects that we wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.changes import Change
from connectors.errors import ConnectorError, PauseConnection, RetryLater
from connectors.records import FieldKind, FieldTime, Ref, Value
from sync.jobs.connecting import states
from sync.jobs.engine import Engine
from sync.jobs.merging.stamps import ECHO
from sync.jobs.routing.route import Route, mappings_on, open_route
from sync.reconcile.model import Clash, Pair, Policy, Side, Stamp
from sync.reconcile.unseen import Sent, is_doubtful, replaced_unseen
from sync.store import conflicts, links, writes
from sync.store.tables import Connection, Link, Write
from sync.store.values import parse

log = structlog.get_logger()

_LOOK_BACK = 5

_LATE = timedelta(minutes=10)
"""So much later the provider may tell of a write."""

_NEVER_LOST = frozenset({FieldKind.SET, FieldKind.PEOPLE, FieldKind.STATE})
"""Sets are written element by element; of two states the one that nobody read is the one we wrote."""


async def keep_lost_edits(
    session: AsyncSession, route: Route, side: Side, changes: Iterable[Change], now: datetime
) -> None:
    """List every edit that these changes show to have been overwritten by us."""
    own = route.own_names(side)
    telling = [change for change in changes if change.previous and change.actor in own]
    by_ref = await links.by_refs(session, route.mapping.id, [str(change.ref) for change in telling])
    for change in telling:
        link = by_ref.get(str(change.ref))
        if link is None:
            continue
        ours = await _newest(session, link.id, str(change.ref))
        for name, stood in change.previous.items():
            write = next((row for row in ours if name in row.before), None)
            if write is None:
                continue
            same = route.end(side).session.same
            expected = [
                parse(values[name]) for row in ours for values in (row.before, row.fields) if name in values
            ]
            if not any(same(name, value, stood) for value in expected):
                await _keep(session, route, side, link, write, name, stood, None, now)


async def _newest(session: AsyncSession, link_id: int, ref: str) -> list[Write]:
    """Our newest updates of the object, the one under way included."""
    query = (
        select(Write)
        .where(col(Write.link_id) == link_id, col(Write.ref) == ref, col(Write.op) == "update")
        .order_by(col(Write.id).desc())
        .limit(_LOOK_BACK)
    )
    return list((await session.execute(query)).scalars())


async def look_back(
    engine: Engine,
    connection: Connection,
    container: str,
    edits: Mapping[Ref, Sequence[FieldTime]] | None,
    since: datetime,
) -> None:
    """List what our writes to a container replaced unread, as the provider tells it.

    Args:
        edits: what it told with a poll; None: nothing, so that it is asked for each object.
        since: objects that were written since then are asked for.

    Raises:
        ConnectorError: it could not be asked.
    """
    async with engine.database.read() as session:
        on = await mappings_on(session, connection.id, container) if edits is None or edits else []
        told = [str(ref) for ref in edits or ()]
        found = [
            (mapping.id, side, await _written(session, mapping.id, side, told, since, engine.now()))
            for mapping, side in on
        ]
    for mapping_id, side, rows in found:
        route = await open_route(engine, mapping_id) if rows else None
        if route is not None:
            by_ref = None if edits is None else {str(ref): each for ref, each in edits.items()}
            await _look_at(engine, route, side, rows, by_ref)


async def _written(
    session: AsyncSession, mapping_id: int, side: Side, told: Sequence[str], since: datetime, now: datetime
) -> Sequence[Write]:
    """Our updates that may be concerned: of these objects, or where none is named, of all."""
    rows = (
        await writes.recent(session, told, now - _LATE)
        if told
        else await writes.updated(session, mapping_id, side, since)
    )
    return [
        row
        for row in rows
        if row.mapping_id == mapping_id and row.side == side.value and row.op == writes.UPDATE
    ]


async def _look_at(
    engine: Engine,
    route: Route,
    side: Side,
    rows: Sequence[Write],
    told: Mapping[str, Sequence[FieldTime]] | None,
) -> None:
    kinds = {rule.field(side): rule.kind(side) for rule in route.rules}
    by_ref: dict[str, list[Write]] = {}
    for row in rows:
        by_ref.setdefault(row.ref, []).append(row)
    async with engine.database.read() as session:
        by_link = await links.by_refs(session, route.mapping.id, list(by_ref))
    for ref, mine in by_ref.items():
        link = by_link.get(ref)
        sent = [
            (row, each)
            for row in mine
            for each in _sent(route, side, row, mine)
            if kinds.get(each.field, FieldKind.SET) not in _NEVER_LOST
        ]
        if link is None or not sent:
            continue
        edits = None if told is None else told[ref]
        own = route.own_names(side)
        if edits is None or any(is_doubtful(each, edits, own) for _, each in sent):
            edits = await _asked(engine, route, side, link, min(each.since for _, each in sent))
        same = route.end(side).session.same
        lost = [(row, each.field, replaced_unseen(each, edits, same, own)) for row, each in sent]
        if any(edit is not None for _, _, edit in lost):
            async with engine.database.write() as session:
                for row, name, edit in lost:
                    if edit is not None:
                        await _keep(session, route, side, link, row, name, edit.after, edit, engine.now())


def _sent(route: Route, side: Side, row: Write, mine: Sequence[Write]) -> list[Sent]:
    """What the write put into its fields; times by the provider's clock."""
    offset = route.end(side).offset
    return [
        Sent(
            field=name,
            value=parse(value),
            known=[
                parse(row.before.get(name)),
                *(parse(each.fields[name]) for each in mine if name in each.fields),
            ],
            since=row.intent_at + offset - ECHO,
            until=(row.done_at or row.deadline_at) + offset + ECHO,
        )
        for name, value in row.fields.items()
    ]


async def _asked(
    engine: Engine, route: Route, side: Side, link: Link, since: datetime
) -> Sequence[FieldTime]:
    """What the provider tells of one object; nothing where it lets nobody see that object."""
    end = route.end(side)
    if states.rests(end.connection, engine.now()):  # since the poll began
        raise RetryLater("the connection rests", limited=True)
    ref = links.end(link, side, end.connection)
    try:
        return await end.session.field_times(ref, since - _LATE) if ref else ()
    except (PauseConnection, RetryLater):
        raise
    except ConnectorError as error:
        log.info("poll.done", link=link.id, reason=error.reason)
        return ()


async def _keep(
    session: AsyncSession,
    route: Route,
    side: Side,
    link: Link,
    write: Write,
    name: str,
    stood: Value,
    edit: FieldTime | None,
    now: datetime,
) -> None:
    """List what stood there. What was told before of the same write is the same entry."""
    sent = parse(write.fields[name])
    rule = next((rule for rule in route.rules if rule.field(side) == name), None)
    stamp = Stamp(edit.at - route.end(side).offset, "field", edit.author) if edit else None
    clash = Clash(
        rule=rule.name if rule else name,
        field=rule.hub if rule else name,
        kind="overwritten",
        policy=Policy.LAST_MODIFIED,
        winner=side.other,
        values=Pair(stood, sent) if side is Side.HUB else Pair(sent, stood),
        hub_stamp=stamp if side is Side.HUB else None,
        external_stamp=stamp if side is Side.EXTERNAL else None,
        reason="edited between our read and our write, and overwritten by it",
    )
    await conflicts.keep(session, link, clash, now, route.mapping.version, salt=str(write.id))
