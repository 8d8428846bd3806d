"""Sessions on SQLite (one machine) and PostgreSQL (many machines), with the same meaning on both.

``write()`` is one transaction that commits at exit. ``read()`` sees one moment of the database and
cannot write. On SQLite a write session takes the database's only write lock at its start (``BEGIN
IMMEDIATE``), so it never fails half-way with "database is locked"; an asyncio lock in front of it
queues the writers of this process in order instead of letting them poll for the file lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from sync.settings import Settings
from sync.store.errors import StoreUnreachable
from sync.store.sqlite import READERS, sqlite_engine
from sync.store.unreachable import is_unreachable


class Database:
    """Both engines of one database. One object per process, closed at its end."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, *, one_writer: bool) -> None:
        self._writer = writer
        self._reader = reader
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if one_writer else nullcontext()

    @classmethod
    def open(cls, settings: Settings) -> Database:
        """Prepare engines; nothing is connected before the first session."""
        url = settings.sqlalchemy_url
        if url.startswith("sqlite"):
            return cls(sqlite_engine(url), sqlite_engine(url, read_only=True), one_writer=True)
        return cls(*postgresql_engines(url), one_writer=False)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at exit, rolled back when the body raises."""
        async with self._turn, _transaction(self._writer) as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A snapshot; a statement that writes is an error."""
        async with _transaction(self._reader) as session:
            yield session

    async def close(self) -> None:
        """Close all connections; on SQLite the last one folds the write-ahead log into the file."""
        await self._reader.dispose()
        await self._writer.dispose()


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            try:
                await session.connection()
            except OSError as error:
                raise StoreUnreachable(f"the database does not answer: {error}") from error
            yield session
    except PoolTimeout as error:
        raise StoreUnreachable("no free database connection") from error
    except DBAPIError as error:
        if not is_unreachable(error):
            raise
        raise StoreUnreachable(f"the database cannot do it now: {error.orig}") from error


def postgresql_engines(url: str) -> tuple[AsyncEngine, AsyncEngine]:
    """Writer and reader; they share one pool, twice as large as SQLite's."""
    writer = create_async_engine(url, pool_size=2 * READERS, pool_pre_ping=True)
    return writer, writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
