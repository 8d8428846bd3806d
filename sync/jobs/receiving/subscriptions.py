"""Webhooks at the providers: created, adopted, checked, made anew when they die. They only make it faster."""

from __future__ import annotations

import secrets
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors import discover
from connectors.changes import Subscribed
from connectors.errors import ConnectorError, OutcomeUnknown, PauseConnection, RetryLater
from sync.jobs.connecting import connections, states
from sync.jobs.engine import Engine
from sync.jobs.receiving.addresses import APP, of_webhooks
from sync.store.errors import SecretKeyError
from sync.store.tables import Connection, Mapping, Subscription

log = structlog.get_logger()

CHECK_S = 600.0
_RETRY_S = 30.0
_MISSED = timedelta(days=3)
"""So far back calls that nobody took are asked for again."""


async def keep(engine: Engine) -> None:
    """Bring the subscriptions in line with the mappings."""
    async with engine.database.read() as session:
        wanted = await _wanted(session) if engine.settings.public_url else {}
        rows = list((await session.execute(select(Subscription))).scalars())
        by_id = {row.id: row for row in (await session.execute(select(Connection))).scalars()}
    now = engine.now()
    have = {(row.connection_id, row.container): row for row in rows if row.state != "dead"}
    resting = {(row.connection_id, row.container) for row in rows if row.next_at and row.next_at > now}
    for place, connection in wanted.items():
        if connection.state == states.NEEDS_REAUTH or connection.paused:
            continue
        row = have.get(place)
        if row is not None and _outdated(engine, connection, row):
            await _remove(engine, connection, row)
            await _create(engine, connection, place[1])
        elif place in resting:
            continue
        elif row is None:
            await _create(engine, connection, place[1])
        else:
            await _check(engine, connection, row)
    for row in rows:
        if (row.connection_id, row.container) not in wanted and row.state != "dead":
            await _remove(engine, by_id[row.connection_id], row)


async def _wanted(session: AsyncSession) -> dict[tuple[int, str], Connection]:
    """(connection, container) of all living mappings whose connection wants webhooks."""
    query = select(Mapping).where(col(Mapping.removed_at).is_(None))
    found: dict[tuple[int, str], Connection] = {}
    for mapping in (await session.execute(query)).scalars():
        for connection_id, container in (
            (mapping.hub_connection_id, mapping.hub_container),
            (mapping.external_connection_id, mapping.external_container),
        ):
            connection = await session.get(Connection, connection_id)
            if connection is None:
                continue
            connector = discover()[connection.connector]
            able = connector.capabilities.webhooks != "none"
            called = not connector.listens(connector.settings.model_validate(connection.settings))
            if able and called and connection.settings.get("subscriptions", "auto") == "auto":
                found[connection_id, container] = connection
    return found


def _outdated(engine: Engine, connection: Connection, row: Subscription) -> bool:
    """Whether the public address, or the configured secret, is another one now."""
    if not row.target.startswith(of_webhooks(engine.settings.public_url)):
        return True
    chosen = engine.vault.open(connection.credentials).get("webhook_secret")
    if not chosen or not row.secret:
        return False
    try:
        return bool(engine.vault.open(row.secret)["secret"] != chosen)
    except SecretKeyError:  # sealed with a key that is gone
        return True


async def _create(engine: Engine, connection: Connection, container: str) -> None:
    """A row with a fresh path first, so that a handshake finds it; then the webhook."""
    key = secrets.token_hex(16)
    kind = discover()[connection.connector].capabilities.webhooks
    secret = _secret(engine, connection) if kind == "secret" else ""
    row = Subscription(
        connection_id=connection.id,
        container=container,
        key=key,
        secret=engine.vault.seal({"secret": secret}) if secret else "",
        target=f"{of_webhooks(engine.settings.public_url)}{connection.name}/{APP if kind == APP else key}",
        created_at=engine.now(),
        next_at=engine.in_s(_RETRY_S),
    )
    async with engine.database.write() as session:
        session.add(row)
    await _subscribe(engine, connection, row, secret)


def _secret(engine: Engine, connection: Connection) -> str:
    """The configured webhook secret, or a fresh one."""
    return engine.vault.open(connection.credentials).get("webhook_secret") or secrets.token_hex(32)


async def _subscribe(engine: Engine, connection: Connection, row: Subscription, secret: str) -> None:
    try:
        session = await engine.sessions.get(connection)
        made = await session.subscribe(row.container, row.target, secret)
    except PauseConnection:
        await connections.check(engine, connection)
        return
    except ConnectorError as error:
        log.warning("subscription", connection=connection.name, reason=error.reason)
        wait = _RETRY_S if isinstance(error, RetryLater | OutcomeUnknown) else CHECK_S
        await _update(engine, row.id, state="dead", reason=error.reason, next_at=engine.in_s(wait))
        return
    await _activate(engine, row, made)


async def _activate(engine: Engine, row: Subscription, made: Subscribed) -> None:
    async with engine.database.write() as session:
        stored = await session.get(Subscription, row.id)
        if stored is None:
            return
        if not stored.secret and made.secret:
            stored.secret = engine.vault.seal({"secret": made.secret})
        stored.remote_id, stored.state, stored.reason = made.id, "active", made.reason
        stored.checked_at, stored.next_at = engine.now(), engine.in_s(CHECK_S)
        session.add(stored)


async def _check(engine: Engine, connection: Connection, row: Subscription) -> None:
    """Is it still there? A dead one is said so and made anew at a fresh path."""
    if row.state == "creating":
        await _update(
            engine, row.id, state="dead", reason="its creation was not completed", next_at=engine.now()
        )
        return
    try:
        session = await engine.sessions.get(connection)
        found = await session.subscription(row.container, row.remote_id)
        if found is not None and found.target == row.target and found.active:
            again = await session.redeliver(row.container, row.remote_id, engine.now() - _MISSED)
            if again:
                log.info("subscription", connection=connection.name, reason=f"{again} calls asked for again")
            await _update(
                engine, row.id, reason=found.reason, checked_at=engine.now(), next_at=engine.in_s(CHECK_S)
            )
            return
        if found is not None and not found.active:  # made anew it would be a second one
            await session.unsubscribe(row.container, row.remote_id)
    except ConnectorError as error:
        await _update(engine, row.id, reason=error.reason, next_at=engine.in_s(_RETRY_S))
        return
    reason = "the provider removed it" if found is None else "it was switched off, or leads elsewhere now"
    await _update(engine, row.id, state="dead", reason=reason, next_at=engine.in_s(CHECK_S))
    await _create(engine, connection, row.container)


async def _remove(engine: Engine, connection: Connection, row: Subscription) -> None:
    if row.remote_id and not connection.removed_at:
        try:
            session = await engine.sessions.get(connection)
            await session.unsubscribe(row.container, row.remote_id)
        except ConnectorError as error:
            log.warning("subscription", connection=connection.name, reason=f"not removed: {error.reason}")
    async with engine.database.write() as store:
        stored = await store.get(Subscription, row.id)
        if stored is not None:
            await store.delete(stored)


async def _update(engine: Engine, subscription_id: int, **values: object) -> None:
    async with engine.database.write() as session:
        stored = await session.get(Subscription, subscription_id)
        if stored is not None:
            for name, value in values.items():
                setattr(stored, name, value)
            session.add(stored)


async def retry_dead(engine: Engine) -> None:
    """Forget dead ones after a while, so that they are made anew."""
    async with engine.database.write() as session:
        query = select(Subscription).where(
            col(Subscription.state) == "dead", col(Subscription.next_at) <= engine.now()
        )
        for row in (await session.execute(query)).scalars():
            await session.delete(row)
