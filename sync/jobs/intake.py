"""Webhook calls: checked over the raw bytes, stored once, marked, committed; only then answered.

The same transaction stores the delivery and marks what it is about, so an acknowledged delivery is
never lost. Payload values are never acted on.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors import discover
from connectors.errors import BadSignature, DeliveryRefused
from connectors.records import Delivery as Incoming
from connectors.records import Handshake, Received, Secrets
from sync import tracing
from sync.jobs.engine import Engine
from sync.jobs.news import marks_for
from sync.jobs.occasion import learnt
from sync.jobs.overwritten import keep_lost_edits
from sync.jobs.route import Route, mappings_on, open_route
from sync.metrics import WEBHOOKS_REJECTED
from sync.reconcile.model import Side
from sync.store import marks
from sync.store.history import tell
from sync.store.tables import Connection, Delivery, Link, Subscription
from sync.store.upsert import insert_into

log = structlog.get_logger()

_KEPT_HEADERS = ("content-type", "user-agent", "x-github-event", "x-github-delivery", "x-hook-signature")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender gets."""

    status: int
    headers: Map[str, str] = field(default_factory=dict)
    text: str = ""


async def take_in(
    engine: Engine, connection_name: str, key: str, headers: Map[str, str], body: bytes
) -> Reply:
    """One webhook call. 200 stored, repeated or ignored; 401 not genuine; 400 unreadable."""
    async with engine.database.read() as session:
        found = await _find(session, connection_name, key)
    if found is None:
        log.info("delivery.refused", connection=connection_name, reason="unknown key")
        WEBHOOKS_REJECTED.labels("unknown", "unknown").inc()
        return Reply(401, text="unknown")
    connection, subscription = found
    connector = discover()[connection.connector]
    secret = engine.vault.open(subscription.secret)["secret"] if subscription.secret else ""
    secrets = Secrets(
        active=(secret,) if secret else (), pending=subscription.state == "creating" and not secret
    )
    incoming = Incoming(headers={name.lower(): value for name, value in headers.items()}, body=body)
    try:
        received = connector.receive(
            incoming, secrets, connector.settings.model_validate(connection.settings), engine.now()
        )
    except DeliveryRefused as refusal:
        status, why = (401, "signature") if isinstance(refusal, BadSignature) else (400, "unreadable")
        WEBHOOKS_REJECTED.labels(connection.connector, why).inc()
        log.warning("delivery.refused", connection=connection.name, reason=refusal.reason)
        return Reply(status, text="refused")
    if isinstance(received, Handshake):
        return await _shake_hands(engine, subscription, received)
    return await _store(engine, connection, subscription, incoming, received)


async def _find(
    session: AsyncSession, connection_name: str, key: str
) -> tuple[Connection, Subscription] | None:
    query = (
        select(Connection, Subscription)
        .join(Subscription, col(Subscription.connection_id) == col(Connection.id))
        .where(
            col(Connection.name) == connection_name,
            col(Connection.removed_at).is_(None),
            col(Subscription.key) == key,
        )
    )
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else None


async def _shake_hands(engine: Engine, subscription: Subscription, handshake: Handshake) -> Reply:
    """Store the secret, commit, then echo it: once, and only while the subscription is being made."""
    async with engine.database.write() as session:
        armed = await session.execute(
            update(Subscription)
            .where(
                col(Subscription.id) == subscription.id,
                col(Subscription.state) == "creating",
                col(Subscription.secret) == "",
            )
            .values(secret=engine.vault.seal({"secret": handshake.secret}))
            .returning(col(Subscription.id))
        )
        if armed.scalar_one_or_none() is None:
            return Reply(401, text="refused")
    return Reply(200, headers=dict(handshake.reply_headers))


async def _store(
    engine: Engine, connection: Connection, subscription: Subscription, incoming: Incoming, received: Received
) -> Reply:
    now = engine.now()
    async with engine.database.read() as session:
        on = await mappings_on(session, connection.id, subscription.container)
    routes = [
        (route, side) for mapping, side in on if (route := await open_route(engine, mapping.id)) is not None
    ]
    ignored = received.ignored or ("" if routes else "no mapping listens to this container")
    async with engine.database.write() as session:
        insert = insert_into(session, Delivery).values(
            connection_id=connection.id,
            subscription_id=subscription.id,
            dedupe=received.dedupe,
            event=incoming.headers.get("x-github-event", ""),
            headers={name: incoming.headers[name] for name in _KEPT_HEADERS if name in incoming.headers},
            body=incoming.body,
            received_at=now,
            repeats=0,
            state="ignored" if ignored else "processed",
            reason=ignored,
            trace=tracing.traceparent(),
        )
        stored = await session.execute(
            insert.on_conflict_do_update(
                index_elements=["connection_id", "dedupe"], set_={"repeats": Delivery.repeats + 1}
            ).returning(col(Delivery.id), col(Delivery.repeats))
        )
        delivery_id, repeats = stored.one()
        await session.execute(
            update(Subscription).where(col(Subscription.id) == subscription.id).values(last_delivery_at=now)
        )
        woken = await _mark(session, engine, routes, received, delivery_id) if not ignored else []
    log.info(
        "delivery.stored",
        connection=connection.name,
        delivery_id=delivery_id,
        repeats=repeats,
        reason=ignored,
    )
    for mapping_id in woken:
        await engine.wake(mapping_id, 0)
    return Reply(200, text="ok")


async def _mark(
    session: AsyncSession,
    engine: Engine,
    routes: list[tuple[Route, Side]],
    received: Received,
    delivery_id: int,
) -> list[int]:
    """Mark what the delivery is about; a repeated one is a hint as good as the first."""
    now = engine.now()
    woken: list[int] = []
    for route, side in routes:
        await keep_lost_edits(session, route, side, received.changes, now)
        found = await marks_for(
            session,
            route,
            side,
            received.changes,
            delivery_id=delivery_id,
            join_s=engine.settings.join_seconds,
        )
        if not await marks.put(session, found, now):
            continue
        learnt(route, side, found, now)
        woken.append(route.mapping.id)
        refs = [str(mark.ref) for mark in found]
        query = select(Link).where(
            col(Link.mapping_id) == route.mapping.id,
            col(Link.kind) == "task",
            (col(Link.hub_ref) if side is Side.HUB else col(Link.external_ref)).in_(refs),
        )
        for link in (await session.execute(query)).scalars():
            tell(
                session,
                link,
                "in",
                f"{route.end(side).connector.title} says it changed",
                now,
                delivery_id=delivery_id,
            )
    return woken
