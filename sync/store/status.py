"""How everything stands, in the shape that the outside interface fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.settings import HUB
from sync.store import links, writes
from sync.store.counting import Counts
from sync.store.tables import (
    Connection,
    Cursor,
    Link,
    Mapping,
    Mark,
    Setting,
    Subscription,
    Worker,
    Write,
)
from sync.store.times import parse_time, rfc3339
from sync.store.totals import Total

ALIVE = timedelta(seconds=15)
"""A worker says every second that it lives; one silent for this long is gone."""

_SIDES = ("hub", "external")
_REASONS = 5
"""So many of the reasons why marks wait are told."""


async def status(
    session: AsyncSession, *, version: str, now: datetime, instance: dict[str, Any], since: datetime | None
) -> dict[str, Any]:
    """``since``: quiet is only what was read after that time; None asks for no reading."""
    counts = await Counts.read(session, now)
    connections = [
        row
        for row in (await session.execute(select(Connection).order_by(col(Connection.id)))).scalars()
        if row.removed_at is None
    ]
    mappings = [
        row
        for row in (await session.execute(select(Mapping).order_by(col(Mapping.id)))).scalars()
        if row.removed_at is None
    ]
    cursors = {
        (row.connection_id, row.container): row for row in (await session.execute(select(Cursor))).scalars()
    }
    subscriptions = list((await session.execute(select(Subscription))).scalars())
    paused = await session.get(Setting, "paused")
    workers = list((await session.execute(select(Worker).order_by(col(Worker.started_at)))).scalars())
    alive = [row for row in workers if row.heartbeat_at > now - ALIVE]
    names = {row.id: row.name for row in connections}
    shown = [
        _mapping(row, now, counts, cursors, subscriptions, names) | {"approval": await approval(session, row)}
        for row in mappings
    ]
    deliveries = counts.deliveries
    return {
        "version": version,
        "now": rfc3339(now),
        "quiet": _quiet(mappings, shown, cursors, since, deliveries),
        "paused": bool(paused and paused.value),
        "instance": {
            **instance,
            "workers": [
                {"id": row.id, "pid": row.pid, "heartbeat_at": rfc3339(row.heartbeat_at)} for row in alive
            ],
        },
        "connections": [_connection(row, now) for row in connections],
        "mappings": shown,
        "deliveries": {
            "received": sum(deliveries.values()),
            "processed": deliveries.get("processed", 0),
            "ignored": deliveries.get("ignored", 0),
            "parked": deliveries.get("parked", 0),
            "queued": deliveries.get("queued", 0),
        },
    }


async def approval(session: AsyncSession, row: Mapping) -> dict[str, Any] | None:
    """The deletions that wait for a person, less those that happened or were taken back meanwhile."""
    if not row.approval or "approved" in row.approval:
        return None
    left = await links.still_gone(session, [action["link"] for action in row.approval["actions"]])
    return {**row.approval, "actions": [each for each in row.approval["actions"] if each["link"] in left]}


async def busy(session: AsyncSession, mapping_ids: Sequence[int]) -> bool:
    """Whether anything of these mappings is pending, in flight, confirming or not yet compared."""
    query = select(
        or_(
            exists().where(col(Mark.mapping_id).in_(mapping_ids)),
            exists().where(col(Write.mapping_id).in_(mapping_ids), col(Write.state).in_(writes.OPEN)),
            exists().where(
                col(Link.mapping_id).in_(mapping_ids),
                col(Link.kind).in_([links.TASK, links.COMMENT, links.ATTACHMENT]),
                col(Link.state) == links.CONFIRMING,
            ),
            exists().where(
                col(Mapping.id).in_(mapping_ids),
                or_(col(Mapping.state) == "first_sync", col(Mapping.full_pass_due)),
            ),
        )
    )
    return bool((await session.execute(query)).scalar_one())


async def last_start(session: AsyncSession, now: datetime) -> datetime | None:
    """When the youngest worker that lives now started. A killed one seems alive for some seconds."""
    query = select(func.max(Worker.started_at)).where(col(Worker.heartbeat_at) > now - ALIVE)
    return (await session.execute(query)).scalar_one_or_none()


def _word(side: str) -> str:
    return HUB if side == "hub" else side


def _connection(row: Connection, now: datetime) -> dict[str, Any]:
    blocked = row.blocked_until if row.blocked_until and row.blocked_until > now else None
    state, reason = row.state, row.reason
    if row.paused:
        state, reason = "paused", "paused by hand"
    elif blocked is not None and state == "ok":
        state, reason = "blocked", "the provider asked for silence"
    return {
        "name": row.name,
        "connector": row.connector,
        "site": row.site,
        "account": {"id": row.account_id or None, "name": row.account_name or None},
        "state": state,
        "reason": reason,
        "missing": row.missing,
        "clock_offset_s": row.clock_offset_s,
        "blocked_until": rfc3339(blocked),
        "quota": row.quota or {"limit": None, "remaining": None, "reset_at": None},
    }


def _mapping(
    row: Mapping,
    now: datetime,
    counts: Counts,
    cursors: dict[tuple[int, str], Cursor],
    subscriptions: list[Subscription],
    connections: dict[int, str],
) -> dict[str, Any]:
    places = {
        "hub": (row.hub_connection_id, row.hub_container),
        "external": (row.external_connection_id, row.external_container),
    }
    pending, oldest = counts.pending.get(row.id, (0, None))
    waiting = counts.waiting.get(row.id, [])
    clashes = counts.conflicts.get(row.id, Counter())
    written = {side: counts.writes.get((row.id, side), Total()) for side in _SIDES}
    read_at = {side: cursors[place].read_at if place in cursors else None for side, place in places.items()}
    return {
        "name": row.name,
        "version": row.version,
        "state": "paused" if row.paused else row.state,
        "reason": "paused by hand" if row.paused else row.reason,
        "direction": row.config["direction"],
        "connections": {
            _word("hub"): connections.get(row.hub_connection_id),
            _word("external"): connections.get(row.external_connection_id),
        },
        "paused_directions": row.paused_directions,
        "links": {
            state: counts.links.get((row.id, state), 0)
            for state in (links.ACTIVE, links.DORMANT, links.PARKED, links.CONFIRMING)
        },
        "pending": pending,
        "in_flight": counts.in_flight.get(row.id, 0),
        "confirming": counts.confirming.get(row.id, 0),
        "oldest_pending_at": rfc3339(oldest),
        "conflicts_open": clashes["all"],
        "conflicts_undecided": clashes["undecided"],
        "divergent": clashes["divergent"],
        "parked_open": counts.parked.get(row.id, 0),
        "last_poll_at": {_word(side): rfc3339(read_at[side]) for side in _SIDES},
        "last_full_pass_at": rfc3339(row.full_pass_at),
        "last_write_at": {_word(side): rfc3339(written[side].last_at) for side in _SIDES},
        "writes_total": {_word(side): written[side].number for side in _SIDES},
        "waiting": [
            {"reason": reason, "number": number, "until": rfc3339(until)}
            for reason, number, until in waiting[:_REASONS]
        ],
        "first_sync": _first_sync(
            row, counts.unmet.get(row.id, 0), pending, now, max((until for *_, until in waiting), default=now)
        ),
        "subscriptions": [
            {
                "side": _word(side),
                "state": subscription.state,
                "target": subscription.target,
                "last_delivery_at": rfc3339(subscription.last_delivery_at),
                "reason": subscription.reason,
            }
            for side, place in places.items()
            for subscription in subscriptions
            if (subscription.connection_id, subscription.container) == place
        ],
    }


def _first_sync(
    row: Mapping, unmet: int, pending: int, now: datetime, until: datetime
) -> dict[str, Any] | None:
    """How far the first sync is. ``unmet`` counts what came in meanwhile, too: ``total`` grows by it.

    ``until``: it does not end before, for something waits so long for its turn.
    """
    if row.state == "first_sync":
        return {"phase": "listing", "done": 0, "total": None, "rate_per_s": None, "eta_s": None}
    if row.first_sync is None:
        return None
    total = max(int(row.first_sync["total"]), unmet)
    done = total - unmet
    elapsed = (now - parse_time(row.first_sync["started_at"])).total_seconds()
    rate = done / elapsed if elapsed > 0 else 0.0
    return {
        "phase": "writing" if unmet or not pending else "comments",
        "done": done,
        "total": total,
        "rate_per_s": round(rate, 3),
        "eta_s": round(max(unmet / rate, (until - now).total_seconds()), 1) if rate else None,
    }


def _quiet(
    mappings: list[Mapping],
    shown: list[dict[str, Any]],
    cursors: dict[tuple[int, str], Cursor],
    since: datetime | None,
    deliveries: dict[str, int],
) -> bool:
    """Nothing pending, in flight, queued, confirming or delayed, and every cursor read since the start."""
    if deliveries.get("queued", 0):
        return False
    for row, seen in zip(mappings, shown, strict=True):
        if seen["pending"] or seen["in_flight"] or seen["confirming"]:
            return False
        if row.state == "first_sync" or row.full_pass_due:
            return False
        for place in (
            (row.hub_connection_id, row.hub_container),
            (row.external_connection_id, row.external_container),
        ):
            cursor = cursors.get(place)
            if cursor is None or cursor.read_at is None or (since is not None and cursor.read_at < since):
                return False
    return True
