"""Genuine webhook calls, many in one transaction: each stored once, and what they are about marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.changes import Delivery as Incoming
from connectors.changes import Received
from sync.jobs.engine import Engine
from sync.jobs.kept import MOMENT
from sync.jobs.merging.overwritten import keep_lost_edits
from sync.jobs.passing.occasion import learnt
from sync.jobs.receiving.listeners import Listener, Routes
from sync.jobs.routing.route import Route
from sync.jobs.watching.news import known_of
from sync.reconcile.model import Side
from sync.store import marks
from sync.store.history import line, tell_all
from sync.store.tables import Delivery, Subscription, table_of
from sync.store.upsert import upsert

_KEPT_HEADERS = ("content-type", "user-agent", "x-github-event", "x-github-delivery", "x-hook-signature")


@dataclass(frozen=True, slots=True)
class Call:
    """One genuine call, and who listens to it. ``trace``: the ``traceparent`` of its span."""

    listener: Listener
    routes: Routes
    incoming: Incoming
    received: Received
    trace: str

    @property
    def identity(self) -> tuple[int, str]:
        """Calls that share it are one delivery: a provider repeats what it is unsure of."""
        return self.listener.connection.id, self.received.dedupe

    @property
    def ignored(self) -> str:
        """Why nothing follows from it; empty where something does."""
        return self.received.ignored or ("" if self.routes else "no mapping listens to this container")


@dataclass(frozen=True, slots=True)
class Stored:
    """``woken``: mappings that have something to look at now."""

    delivery_id: int
    repeats: int
    woken: tuple[int, ...]


async def store(engine: Engine, session: AsyncSession, calls: Sequence[Call]) -> list[Stored]:
    """Store and mark all of them, or none. Their order is the order of their ids."""
    now = engine.now()
    rows = await _insert(session, calls, now)
    await _note_life(session, calls, now)
    ids = [delivery_id for delivery_id, _ in rows]
    woken = await _mark(session, calls, ids, now, engine.settings.join_seconds)
    return [
        Stored(delivery_id, repeats, tuple(sorted(mappings)))
        for (delivery_id, repeats), mappings in zip(rows, woken, strict=True)
    ]


@upsert(Delivery)
def _storing(insert: Any) -> Any:
    row = table_of(Delivery).c
    return insert.on_conflict_do_update(
        index_elements=["connection_id", "dedupe"],
        set_={"repeats": row.repeats + 1 + insert.excluded.repeats},
    ).returning(row.connection_id, row.dedupe, row.id, row.repeats)


async def _insert(session: AsyncSession, calls: Sequence[Call], now: datetime) -> list[tuple[int, int]]:
    """Id of each call's delivery, and how often that had come before."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for call in calls:
        if call.identity in rows:  # no statement may touch a row twice (PostgreSQL, "ON CONFLICT")
            rows[call.identity]["repeats"] += 1
        else:
            rows[call.identity] = _row(call, now)
    inserted = await session.execute(_storing(session), list(rows.values()))
    stored = {(row[0], row[1]): (row[2], row[3]) for row in inserted}
    later: Counter[tuple[int, str]] = Counter()
    found: list[tuple[int, int]] = []
    for call in reversed(calls):
        delivery_id, repeats = stored[call.identity]
        found.append((delivery_id, repeats - later[call.identity]))
        later[call.identity] += 1
    return found[::-1]


def _row(call: Call, now: datetime) -> dict[str, Any]:
    headers = call.incoming.headers
    return {
        "connection_id": call.listener.connection.id,
        "subscription_id": call.listener.subscription.id if call.listener.subscription else None,
        "dedupe": call.received.dedupe,
        "event": headers.get("x-github-event", ""),
        "headers": {name: headers[name] for name in _KEPT_HEADERS if name in headers},
        "body": call.incoming.body,
        "received_at": now,
        "repeats": 0,
        "state": "ignored" if call.ignored else "processed",
        "reason": call.ignored,
        "trace": call.trace,
    }


async def _note_life(session: AsyncSession, calls: Sequence[Call], now: datetime) -> None:
    """When each subscription was last heard of; what stands there is true enough for a moment."""
    subscriptions = (call.listener.subscription for call in calls)
    heard = {each.id: each.last_delivery_at for each in subscriptions if each is not None}
    silent = sorted(key for key, at in heard.items() if at is None or now - at >= MOMENT)
    if silent:
        await session.execute(
            update(Subscription).where(col(Subscription.id).in_(silent)).values(last_delivery_at=now)
        )
    for connection_id, container in sorted(
        {_place(call) for call in calls if not call.listener.subscription}
    ):
        quiet = or_(
            col(Subscription.last_delivery_at).is_(None), col(Subscription.last_delivery_at) <= now - MOMENT
        )
        await session.execute(
            update(Subscription)
            .where(
                col(Subscription.connection_id) == connection_id,
                col(Subscription.container) == container,
                quiet,
            )
            .values(last_delivery_at=now)
        )


def _place(call: Call) -> tuple[int, str]:
    return call.listener.connection.id, call.received.container


async def _mark(
    session: AsyncSession, calls: Sequence[Call], ids: Sequence[int], now: datetime, join_s: float
) -> list[set[int]]:
    """Mark what they are about; a repeated one is a hint as good as the first. Mappings woken by each."""
    routes: dict[tuple[int, Side], Route] = {}
    heard: dict[tuple[int, Side], list[int]] = {}
    for at, call in enumerate(calls):
        for route, side in call.routes if not call.ignored else ():
            routes[route.mapping.id, side] = route
            heard.setdefault((route.mapping.id, side), []).append(at)
    woken: list[set[int]] = [set() for _ in calls]
    for (mapping_id, side), indices in heard.items():
        route = routes[mapping_id, side]
        changes = [change for at in indices for change in calls[at].received.changes]
        await keep_lost_edits(session, route, side, changes, now)
        known = await known_of(session, route, side, changes)
        found: list[marks.NewMark] = []
        for at in indices:
            made = known.marks(calls[at].received.changes, delivery_id=ids[at], join_s=join_s)
            found += made
            if made:
                woken[at].add(mapping_id)
        # always in the same order: two processes that mark the same objects must not wait for each other
        await marks.put(session, sorted(found, key=lambda mark: str(mark.ref)), now)
        learnt(route, side, found, now)
        told = {
            (link.id, mark.delivery_id): link
            for mark in found
            if (link := known.links.get(str(mark.ref))) is not None
        }
        text = f"{route.end(side).connector.title} says it changed"
        await tell_all(
            session, [line(link, "in", text, now, delivery_id=at) for (_, at), link in told.items()]
        )
    return woken
