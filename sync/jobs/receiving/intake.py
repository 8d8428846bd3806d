"""Webhook calls: checked over the raw bytes, stored once, marked, committed; only then answered.

The same transaction stores the delivery and marks what it is about, so an acknowledged delivery is
never lost. Calls that come while a transaction is under way share the next one. Payload values are
never acted on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy import update
from sqlmodel import col

from connectors.changes import Delivery as Incoming
from connectors.changes import Echo, Handshake, Received
from connectors.errors import BadSignature, DeliveryRefused
from sync import tracing
from sync.jobs.engine import Engine
from sync.jobs.receiving.addresses import APP
from sync.jobs.receiving.deliveries import Call, Stored, store
from sync.jobs.receiving.listeners import Listener, Listeners
from sync.jobs.together import Run, Together, at_once
from sync.metrics import WEBHOOKS_REJECTED
from sync.store.errors import StoreError
from sync.store.tables import Subscription

log = structlog.get_logger()

_AT_ONCE = 200
"""Deliveries of one transaction: few enough that nobody waits long for the write lock."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender gets."""

    status: int
    headers: Map[str, str] = field(default_factory=dict)
    text: str = ""


class Intake:
    """What takes webhook calls in; one a process, to be closed before its engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listeners = Listeners(engine)
        self._store: Together[Call, Stored] = Together(self._storing, limit=_AT_ONCE, for_all=(StoreError,))
        self._wake: Together[int, None] = Together(at_once(self._wake_all))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listeners.aclose()
        await self._store.aclose()
        await self._wake.aclose()

    async def take_in(self, connection_name: str, key: str, headers: Map[str, str], body: bytes) -> Reply:
        """One webhook call. 200 stored, repeated or ignored; 401 not genuine; 400 unreadable.

        Raises:
            StoreError: not stored.
        """
        listener = await self._listeners.behind((connection_name, key))
        if listener is None:
            log.info("delivery.refused", connection=connection_name, reason="unknown key")
            WEBHOOKS_REJECTED.labels("unknown", "unknown").inc()
            return Reply(401, text="unknown")
        incoming = Incoming(headers={name.lower(): value for name, value in headers.items()}, body=body)
        try:
            received = listener.connector.receive(
                incoming, listener.secrets, listener.settings, self._engine.now()
            )
        except DeliveryRefused as refusal:
            status, why = (401, "signature") if isinstance(refusal, BadSignature) else (400, "unreadable")
            WEBHOOKS_REJECTED.labels(listener.connector.name, why).inc()
            log.warning("delivery.refused", connection=connection_name, reason=refusal.reason)
            return Reply(status, text="refused")
        if isinstance(received, Echo):
            return Reply(200, text=received.text)
        if isinstance(received, Handshake):
            return await self._shake_hands(listener.subscription, received)
        await self.keep(listener, incoming, received)
        return Reply(200, text="ok")

    async def app(self, connection_name: str) -> Listener | None:
        """Who listens where one address serves all containers of this connection."""
        return await self._listeners.behind((connection_name, APP))

    async def keep(self, listener: Listener, incoming: Incoming, received: Received) -> None:
        """Store a genuine delivery, mark what it is about, and wake who works on that.

        Raises:
            StoreError: not stored.
        """
        routes = await self._listeners.routes(listener, received)
        call = Call(listener, routes, incoming, received, tracing.traceparent())
        stored = await self._store(call)
        log.info(
            "delivery.stored",
            connection=listener.connection.name,
            delivery_id=stored.delivery_id,
            repeats=stored.repeats,
            reason=call.ignored,
        )
        for mapping_id in stored.woken:
            await self._wake(mapping_id)

    async def _shake_hands(self, subscription: Subscription | None, handshake: Handshake) -> Reply:
        """Store the secret, commit, then echo it: once, and only while the subscription is being made."""
        if subscription is None:
            return Reply(401, text="refused")
        async with self._engine.database.write() as session:
            armed = await session.execute(
                update(Subscription)
                .where(
                    col(Subscription.id) == subscription.id,
                    col(Subscription.state) == "creating",
                    col(Subscription.secret) == "",
                )
                .values(secret=self._engine.vault.seal({"secret": handshake.secret}))
                .returning(col(Subscription.id))
            )
            if armed.scalar_one_or_none() is None:
                return Reply(401, text="refused")
        return Reply(200, headers=dict(handshake.reply_headers))

    @asynccontextmanager
    async def _storing(self) -> AsyncIterator[Run[Call, Stored]]:
        async with self._engine.database.write() as session:
            yield partial(store, self._engine, session)

    async def _wake_all(self, mapping_ids: Sequence[int]) -> list[None]:
        for mapping_id in sorted(set(mapping_ids)):
            await self._engine.wake(mapping_id, 0)
        return [None for _ in mapping_ids]
