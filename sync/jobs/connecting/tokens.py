"""Tokens of a connection, shared by all processes through the database."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from connectors.errors import RetryLater
from connectors.tokens import Issued
from sync.store import tokens
from sync.store.database import Database
from sync.store.secrets import Vault
from sync.store.tables import Connection

_LOOK_S = 0.1
"""Between two looks whether somebody else has renewed them."""
_SCOPE = "scope"
"""Kept among the sealed values."""


class SharedTokens:
    """The tokens of a connection's credentials, see :class:`connectors.tokens.Tokens`.

    Args:
        turn_s: so long may a renewal take; a process that dies over it blocks the others no longer.
    """

    def __init__(self, database: Database, vault: Vault, connection: Connection, turn_s: float) -> None:
        self._database = database
        self._vault = vault
        self._connection = connection.name
        self._key = tokens.key_of(connection.connector, vault.open(connection.credentials))
        self._turn = timedelta(seconds=turn_s)
        self._owner = secrets.token_hex(8)

    async def read(self) -> Issued | None:
        async with self._database.read() as session:
            row = await tokens.find(session, self._key)
        if row is None or not row.sealed or row.until is None:
            return None
        values = {**self._vault.open(row.sealed)}
        scope = values.pop(_SCOPE, "")
        return Issued(values, row.until, scope)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        give_up = datetime.now(UTC) + 2 * self._turn
        while not await self._taken():
            if datetime.now(UTC) > give_up:
                raise RetryLater("another process takes too long to renew the tokens", after=1)
            await asyncio.sleep(_LOOK_S)
        try:
            yield
        finally:
            async with self._database.write() as session:
                await tokens.give_back(session, self._key, self._owner)

    async def keep(self, issued: Issued) -> None:
        sealed = self._vault.seal({**issued.values, _SCOPE: issued.scope})
        async with self._database.write() as session:
            kept = await tokens.keep(
                session, self._key, self._owner, sealed=sealed, until=issued.until, now=datetime.now(UTC)
            )
        if not kept:
            raise RetryLater("renewing the tokens took too long: somebody else does it now", after=1)

    async def _taken(self) -> bool:
        now = datetime.now(UTC)
        async with self._database.write() as session:
            until = now + self._turn
            return await tokens.take_turn(session, self._key, self._connection, self._owner, now, until)
