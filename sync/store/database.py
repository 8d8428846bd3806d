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
from typing import Any

import aiosqlite
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from sync.settings import Settings
from sync.store.errors import StoreUnreachable
from sync.store.unreachable import is_unreachable

READERS = 8
"""SQLite read connections; PostgreSQL's pool is twice that."""


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
    """Writer and reader; they share one pool."""
    writer = create_async_engine(url, pool_size=2 * READERS, pool_pre_ping=True)
    return writer, writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


async def connect(*args: Any, **options: Any) -> aiosqlite.Connection:
    """Open a file. One that cannot be opened leaves no thread behind.

    aiosqlite tells its thread to end, but does not wait: it would report to a loop that may be closed.
    """
    connection = aiosqlite.connect(*args, **options)
    connection._thread.daemon = True  # as SQLAlchemy does where it connects by itself
    try:
        return await connection
    except BaseException:
        await asyncio.to_thread(connection._thread.join)
        raise


def sqlite_engine(url: str, *, read_only: bool = False, foreign_keys: bool = True) -> AsyncEngine:
    """One writing connection, or several reading ones."""
    engine = create_async_engine(
        url,
        connect_args={"isolation_level": None, "async_creator_fn": connect},
        pool_size=READERS if read_only else 1,
        max_overflow=0,
    )
    prepare_sqlite(engine.sync_engine, read_only=read_only, foreign_keys=foreign_keys)
    return engine


def prepare_sqlite(engine: Engine, *, read_only: bool = False, foreign_keys: bool = True) -> None:
    """Explicit BEGIN, and our pragmas.

    The driver's own transaction handling must be off (``isolation_level=None``): it would begin late
    and never around SELECT or DDL (docs.sqlalchemy.org, "SQLite: transactional DDL").
    """
    pragmas = {
        "busy_timeout": "10000",
        "foreign_keys": "ON" if foreign_keys else "OFF",
        **({"query_only": "ON"} if read_only else {"journal_mode": "WAL"}),
        "synchronous": "NORMAL",
    }

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
