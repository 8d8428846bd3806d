"""Connections that are kept open, over which providers tell of changes: an alternative to being called.

One worker at a time holds each; when it dies another one opens its own. What comes is stored as webhook
calls are, and acknowledged after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select
from sqlmodel import col

from connectors import discover
from connectors.changes import Delivery, Received
from connectors.errors import ConnectorError, Park, PauseConnection
from connectors.interactions import Answer, Interaction
from sync.jobs.capture.interactions import Interactions
from sync.jobs.connecting import connections, states
from sync.jobs.engine import Engine
from sync.jobs.receiving.intake import Intake
from sync.store import streams
from sync.store.errors import StoreError
from sync.store.tables import Connection

log = structlog.get_logger()

_LOOK_S = 2.0
"""Within it a changed configuration is worked by, and a hold is renewed."""
_AGAIN_S = 1.0
_LATER_S = 30.0
_HOLD_S = 15.0
"""A holder that does not renew it for so long is taken for dead: people wait for what comes over it."""
_CONFIRMED = 2
"""A stream refused so often in a row is refused for good: only a person can help."""


@dataclass(eq=False)
class Streams:
    """Those that this worker holds."""

    engine: Engine
    intake: Intake
    interactions: Interactions
    open: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def keep(self) -> None:
        """Hold what nobody else holds, until the process ends."""
        try:
            while not self.engine.ending.is_set():
                try:
                    await self.look()
                except StoreError as error:
                    log.warning("stream", reason=str(error))
                await self.engine.rest(_LOOK_S)
        finally:
            await self.close()

    async def look(self) -> None:
        """Open and close, so that exactly those are open that are wanted and ours to hold."""
        wanted = {row.id: row for row in await self._wanted()}
        for id in [*self.open]:
            if self.open[id].done():
                self.open.pop(id)
        held = await self._hold([*wanted])
        for id in set(self.open) - held:
            await self._close(id)
        for id in held - set(self.open):
            self.open[id] = asyncio.create_task(self._listening(wanted[id]))

    async def close(self) -> None:
        """Close all, and give them back."""
        for id in [*self.open]:
            await self._close(id)

    async def _wanted(self) -> Sequence[Connection]:
        query = select(Connection).where(
            col(Connection.removed_at).is_(None), col(Connection.paused).is_(False)
        )
        async with self.engine.database.read() as session:
            rows = (await session.execute(query)).scalars().all()
        known = discover()
        return [
            row
            for row in rows
            if row.state != states.NEEDS_REAUTH
            and (connector := known[row.connector]).listens(connector.settings.model_validate(row.settings))
        ]

    async def _hold(self, ids: Sequence[int]) -> set[int]:
        """Those of them that are ours now."""
        if not ids:
            return set()
        now, until = self.engine.now(), self.engine.in_s(min(_HOLD_S, self.engine.settings.lease_seconds))
        async with self.engine.database.write() as session:
            return {id for id in ids if await streams.hold(session, id, self.engine.owner, now, until)}

    async def _close(self, connection_id: int) -> None:
        task = self.open.pop(connection_id)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with self.engine.database.write() as session:
            await streams.release(session, connection_id, self.engine.owner)

    async def _listening(self, connection: Connection) -> None:
        """Open it again and again; a task of its own, which is cancelled in the end."""
        refused = failed = 0
        while True:
            wait = _AGAIN_S
            try:
                session = await self.engine.sessions.get(connection)
                await session.listen(_Ear(self, connection))
                refused = failed = 0
            except ConnectorError as error:
                refused = refused + 1 if isinstance(error, Park | PauseConnection) else 0
                if refused >= _CONFIRMED:
                    reason = f"it may not listen: {error.reason}"
                    await connections.note(self.engine, connection, states.NEEDS_REAUTH, reason)
                    return
                log.warning("stream", connection=connection.name, reason=error.reason)
                after = getattr(error, "after", None)
                failed = failed + 1 if after is None else 0
                wait = min(_AGAIN_S * 2.0 ** (failed - 1), _LATER_S) if after is None else after
            except StoreError as error:  # it was not acknowledged: the provider sends it again
                log.warning("stream", connection=connection.name, reason=str(error))
            except Exception:  # what came is not acknowledged; later ones must not be lost for it
                log.exception("stream", connection=connection.name, reason="unexpected")
                wait = _LATER_S
            await asyncio.sleep(wait)


@dataclass(frozen=True, slots=True)
class _Ear:
    """Takes what comes over one stream."""

    streams: Streams
    connection: Connection

    async def tell(self, delivery: Delivery, received: Received) -> None:
        listener = await self.streams.intake.app(self.connection.name)
        if listener is not None:
            await self.streams.intake.keep(listener, delivery, received)

    async def ask(self, interaction: Interaction) -> Answer:
        try:
            return await self.streams.interactions.attend(self.connection, interaction)
        except StoreError as error:  # others that come over the stream are not to suffer for it
            log.warning("stream", connection=self.connection.name, reason=str(error))
            return Answer(status=503)
