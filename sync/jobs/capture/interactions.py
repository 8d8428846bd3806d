"""Requests of people inside a tool: checked over the raw bytes, then answered by their connector.

They come to one address for each connection, ``/interactions/NAME``, which an admin enters at the provider.
What proves them is the signature, whose secret is among the connection's credentials.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping as Map
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import structlog
from pydantic import BaseModel
from sqlalchemy import select
from sqlmodel import col

from connectors import discover
from connectors.base import Connector
from connectors.changes import Delivery as Incoming
from connectors.errors import BadSignature, ConnectorError, DeliveryRefused
from connectors.interactions import Answer, Interaction
from sync.jobs.capture.clerk import Clerk
from sync.jobs.engine import Engine
from sync.jobs.kept import Kept
from sync.metrics import WEBHOOKS_REJECTED
from sync.store.errors import StoreError
from sync.store.tables import Connection

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Listener:
    connection: Connection
    connector: Connector
    settings: BaseModel = field(repr=False)
    credentials: BaseModel = field(repr=False)


class Interactions:
    """What answers them; one a process, to be closed before its engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listeners: Kept[str, _Listener] = Kept(self._find, engine.now)
        self._under_way: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Sessions are opened before anybody waits: a provider's library may take a second to load."""
        with suppress(StoreError):
            async with self._engine.database.read() as session:
                query = select(Connection).where(col(Connection.removed_at).is_(None))
                rows = (await session.execute(query)).scalars().all()
            for row in rows:
                if discover()[row.connector].capabilities.interactions:
                    await self._engine.sessions.get(row)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._listeners.aclose()

    async def answer(self, connection: str, headers: Map[str, str], body: bytes) -> Answer:
        """One request. 401 not genuine; 400 unreadable; 503 nothing was done, and it may be tried again.

        Raises:
            StoreError: nothing was done.
        """
        listener = await self._listeners.get(connection)
        if listener is None:
            WEBHOOKS_REJECTED.labels("unknown", "unknown").inc()
            return Answer(status=401, body=b"unknown")
        incoming = Incoming(headers={name.lower(): value for name, value in headers.items()}, body=body)
        try:
            interaction = listener.connector.interaction(
                incoming, listener.credentials, listener.settings, self._engine.now()
            )
        except DeliveryRefused as refusal:
            status, why = (401, "signature") if isinstance(refusal, BadSignature) else (400, "unreadable")
            WEBHOOKS_REJECTED.labels(listener.connector.name, why).inc()
            log.warning("interaction.refused", connection=connection, reason=refusal.reason)
            return Answer(status=status, body=b"refused")
        return await self.attend(listener.connection, interaction)

    async def attend(self, connection: Connection, interaction: Interaction) -> Answer:
        """Answer a request that is known to be genuine; what its answer leaves for later is begun."""
        session = await self._engine.sessions.get(connection)
        try:
            answer = await session.interact(interaction, Clerk(self._engine, connection))
        except ConnectorError as error:
            log.warning("interaction.failed", connection=connection.name, reason=error.reason)
            return Answer(status=503, body=b"not now")
        log.info("interaction.answered", connection=connection.name, reason=interaction.kind)
        if answer.then is not None:
            task = asyncio.create_task(self._later(connection.name, interaction.kind, answer))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return answer

    async def idle(self) -> None:
        """Once everything that was left for later is over."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _later(self, connection: str, kind: str, answer: Answer) -> None:
        assert answer.then is not None
        try:
            await answer.then()
        except (ConnectorError, StoreError) as error:
            log.warning("interaction.failed", connection=connection, reason=f"{kind}: {error}")
        except Exception:  # nobody waits for it: it must be seen in the log
            log.exception("interaction.failed", connection=connection, reason=kind)

    async def _find(self, names: Sequence[str]) -> dict[str, _Listener]:
        query = select(Connection).where(
            col(Connection.removed_at).is_(None), col(Connection.name).in_(list(names))
        )
        async with self._engine.database.read() as session:
            rows = (await session.execute(query)).scalars().all()
        found = {}
        for row in rows:
            connector = discover()[row.connector]
            if connector.capabilities.interactions:
                found[row.name] = _Listener(
                    row,
                    connector,
                    connector.settings.model_validate(row.settings),
                    connector.credentials.model_validate(self._engine.vault.open(row.credentials)),
                )
        return found
