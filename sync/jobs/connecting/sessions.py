"""Open sessions of all connections in this process; opened once, replaced when a connection changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from redis.asyncio import Redis
from sqlalchemy import or_, update
from sqlmodel import col

from connectors import discover
from connectors.base import Connector, Session
from connectors.egress import Egress
from connectors.http import Outbound
from connectors.limits import Gate, LocalGate
from sync import __version__
from sync.jobs.connecting.gate import SharedGate, restore_hold
from sync.jobs.connecting.tokens import SharedTokens
from sync.jobs.pairing.creations import Turns, turns
from sync.metrics import THROTTLED, count_request
from sync.settings import Settings
from sync.store.database import Database
from sync.store.secrets import Vault
from sync.store.tables import Connection


@dataclass(frozen=True, slots=True)
class Opened:
    """A session with what it was opened from."""

    session: Session
    outbound: Outbound
    turns: Turns
    fingerprint: str


class Sessions:
    """All sessions of a process.

    ``refused``: ids of connections whose credentials were refused a moment ago, until it is known why:
    nothing more is sent with them. ``examining``: one at a time asks why.

    Args:
        redis: None: limits hold for this process alone.
        way_out: makes the client of a connection; tests give it another wire than the network.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        redis: Redis | None,
        *,
        way_out: Callable[..., Outbound] = Outbound,
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._redis = redis
        self._way_out = way_out
        self._opened: dict[str, Opened] = {}
        self._opening = asyncio.Lock()
        self.refused: set[int] = set()
        self.examining = asyncio.Lock()

    async def get(self, connection: Connection) -> Session:
        """The session of a connection, by its newest settings and credentials."""
        return (await self._open(connection)).session

    async def outbound(self, connection: Connection) -> Outbound:
        """The client below the session: what it observed of quota and clock."""
        return (await self._open(connection)).outbound

    async def turns(self, connection: Connection) -> Turns:
        """Who may create something there, and when."""
        return (await self._open(connection)).turns

    async def _open(self, connection: Connection) -> Opened:
        # a connection that is only being checked has no row yet that could remember a silence
        fingerprint = json.dumps([connection.id, connection.settings, connection.credentials], sort_keys=True)
        async with self._opening:
            known = self._opened.get(connection.name)
            if known is not None and known.fingerprint == fingerprint:
                return known
            opened = await self._make(connection, fingerprint)
            self._opened[connection.name] = opened
        if known is not None:
            await known.session.aclose()
        return opened

    async def _make(self, connection: Connection, fingerprint: str) -> Opened:
        connector = discover()[connection.connector]
        settings = connector.settings.model_validate(connection.settings)
        credentials = connector.credentials.model_validate(self._vault.open(connection.credentials))
        outbound = self._way_out(
            connector.base_url(settings),
            gate=await self._gate(connection, connector),
            timeout_s=self.call_s,
            allow=Egress(self._settings.private_hosts),
            user_agent=f"asana-sync/{__version__}",
            observe=partial(count_request, connector.name),
        )
        tokens = SharedTokens(self._database, self._vault, connection, turn_s=2 * self.call_s)
        return Opened(
            connector.open(settings, credentials, outbound, tokens),
            outbound,
            turns(connector.limits(settings), connection.name, self._redis),
            fingerprint,
        )

    @property
    def call_s(self) -> float:
        """Hard deadline of one call: never longer than half a lease."""
        return min(self._settings.http_timeout_seconds, self._settings.lease_seconds / 2)

    async def _gate(self, connection: Connection, connector: Connector) -> Gate:
        limits = connector.limits(connector.settings.model_validate(connection.settings))
        reads, writes = int(limits["reads"]), int(limits["writes"])
        blocked = connection.blocked_until
        remaining = (blocked - datetime.now(UTC)).total_seconds() if blocked else 0.0
        held = _Held(self._database, connection.id)
        if self._redis is None:
            local = _RememberedGate(reads, writes, held)
            if remaining > 0:
                await local.hold(remaining)
            return local
        name = connection.name
        await restore_hold(self._redis, name, remaining)
        return SharedGate(self._redis, name, reads=reads, writes=writes, call_s=self.call_s, held=held)

    async def aclose(self) -> None:
        for opened in self._opened.values():
            await opened.session.aclose()
        self._opened.clear()


@dataclass(frozen=True, slots=True)
class _Held:
    """Writes a provider's silence to the database."""

    database: Database
    connection_id: int

    async def __call__(self, seconds: float) -> None:
        THROTTLED.inc(seconds)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        async with self.database.write() as session:
            await session.execute(
                update(Connection)
                .where(
                    col(Connection.id) == self.connection_id,
                    or_(col(Connection.blocked_until).is_(None), col(Connection.blocked_until) < until),
                )
                .values(blocked_until=until)
            )


class _RememberedGate(LocalGate):
    """A gate for one process whose silence the database remembers."""

    def __init__(self, reads: int, writes: int, held: _Held) -> None:
        super().__init__(reads, writes)
        self._remember = held

    async def hold(self, seconds: float) -> None:
        await super().hold(seconds)
        await self._remember(seconds)
