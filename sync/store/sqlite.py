"""SQLite's engines, and a driver that makes one trip to a connection's thread for a statement.

aiosqlite makes four: for the cursor, the statement, its rows and the end of the cursor. Each wakes two
threads that want the same interpreter lock; together they cost more than SQLite itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection as Begun
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from sync.store.turns import Door

T = TypeVar("T")

READERS = 8
"""Connections that read at the same time."""

_BEGIN_TO_WRITE = "BEGIN IMMEDIATE"

_AT_ONCE = 200
"""Rows that come back with the statement; of a larger result the others are asked for."""


class Cursor(aiosqlite.Cursor):
    """A cursor whose statement brings its first rows along."""

    _conn: Connection
    _rows: list[Any]
    _exhausted = True

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Cursor:
        self._exhausted = False
        self._rows = await self._conn._execute(self._begin, sql, () if parameters is None else parameters)
        self._exhausted = len(self._rows) < _AT_ONCE
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Cursor:
        self._rows, self._exhausted = [], False
        await super().executemany(sql, parameters)
        self._exhausted = True
        return self

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = self.arraysize if size is None else size
        if len(self._rows) < wanted and not self._exhausted:
            ahead = max(wanted, _AT_ONCE)
            more = list(await super().fetchmany(ahead))
            self._rows, self._exhausted = self._rows + more, len(more) < ahead
        rows, self._rows = self._rows[:wanted], self._rows[wanted:]
        return rows

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        if not self._exhausted:
            rows += await super().fetchall()
            self._exhausted = True
        return rows

    async def close(self) -> None:
        if not self._exhausted:
            await super().close()

    def _begin(self, sql: str, parameters: Iterable[Any]) -> list[Any]:
        execute = partial(self._cursor.execute, sql, parameters)  # type: ignore[arg-type]
        cursor = self._conn.door.through(execute) if sql == _BEGIN_TO_WRITE else execute()
        return cursor.fetchmany(_AT_ONCE)


class Connection(aiosqlite.Connection):
    """A connection whose cursors cost no trip, nor does a rollback where nothing was begun."""

    door: Door
    """Where it waits for its turn to write."""

    _in_doubt = False
    """A trip was not waited for to its end: what it begins is not known here."""

    def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self, self._conn.cursor())

    async def rollback(self) -> None:
        if self._in_doubt or self.in_transaction:
            await super().rollback()

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        self._in_doubt = True
        result: T = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        self._in_doubt = False
        return result


async def connect(path: str, **options: Any) -> Connection:
    """Open a file. One that cannot be opened leaves no thread behind.

    aiosqlite tells its thread to end, but does not wait: it would report to a loop that may be closed.
    """
    opening = partial(sqlite3.connect, path, **{**options, "check_same_thread": False})
    connection = Connection(opening, iter_chunk_size=_AT_ONCE)
    connection.door = Door(f"{path}-turn")
    connection._thread.daemon = True  # as SQLAlchemy does where it connects by itself
    async with AsyncExitStack() as undo:
        undo.push_async_callback(asyncio.to_thread, connection._thread.join)
        await connection
        undo.pop_all()
    return connection


def sqlite_engine(
    url: str,
    *,
    read_only: bool = False,
    foreign_keys: bool = True,
    connecting: Callable[..., Awaitable[Connection]] = connect,
) -> AsyncEngine:
    """One writing connection, or several reading ones; ``connecting`` opens the file for each."""
    engine = create_async_engine(
        url,
        connect_args={"isolation_level": None, "async_creator_fn": connecting},
        pool_size=READERS if read_only else 1,
        max_overflow=0,
    )
    wait_s = 10 if read_only else 0  # who writes waits in the door
    prepare_sqlite(engine.sync_engine, read_only=read_only, foreign_keys=foreign_keys, wait_s=wait_s)
    return engine


def prepare_sqlite(
    engine: Engine, *, read_only: bool = False, foreign_keys: bool = True, wait_s: int = 10
) -> None:
    """Explicit BEGIN, and our pragmas; ``wait_s`` is how long a statement waits for another's lock.

    The driver's own transaction handling must be off (``isolation_level=None``): it would begin late
    and never around SELECT or DDL (docs.sqlalchemy.org, "SQLite: transactional DDL").
    """
    pragmas = {
        "foreign_keys": "ON" if foreign_keys else "OFF",
        **({"query_only": "ON"} if read_only else {"journal_mode": "WAL"}),
        "synchronous": "NORMAL",
        "busy_timeout": str(1000 * wait_s),  # last: the change to WAL waits as the driver does
    }

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Begun) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else _BEGIN_TO_WRITE)
