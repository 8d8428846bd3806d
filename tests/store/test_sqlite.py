"""The driver: one trip to its thread a statement, all rows, and nothing left behind by who gives up."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.sqlite import Connection, connect, sqlite_engine

ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last) SELECT i FROM n"


@pytest.fixture
def trips() -> list[str]:
    """What was asked of the thread."""
    return []


@pytest.fixture
async def engine(tmp_path: Path, trips: list[str]) -> AsyncIterator[AsyncEngine]:
    async def counted(path: str, **options: Any) -> Connection:
        connection = await connect(path, **options)
        made = connection._execute

        async def trip(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            trips.append(args[0] if args and isinstance(args[0], str) else fn.__name__)
            return await made(fn, *args, **kwargs)

        connection._execute = trip  # type: ignore[method-assign]
        return connection

    engine = sqlite_engine(f"sqlite+aiosqlite:///{tmp_path}/data.db", connecting=counted)
    yield engine
    await engine.dispose()


async def test_a_statement_is_one_trip(engine: AsyncEngine, trips: list[str]) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE words (word TEXT)"))
    trips.clear()
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO words VALUES ('one')"))
        await connection.execute(
            text("INSERT INTO words VALUES (:word)"), [{"word": "two"}, {"word": "three"}]
        )
        found = (await connection.execute(text("SELECT word FROM words"))).scalars().all()
    assert found == ["one", "two", "three"]
    assert [trip.split()[0] for trip in trips] == ["BEGIN", "INSERT", "INSERT", "SELECT", "commit"]


@pytest.mark.parametrize("number", [0, 1, 199, 200, 201, 1000])
async def test_every_row_comes_whole_or_in_parts(engine: AsyncEngine, number: int) -> None:
    rows = text(f"SELECT * FROM ({ROWS}) WHERE i <= :number")
    values = {"last": 1000, "number": number}
    async with engine.connect() as connection:
        assert (await connection.execute(rows, values)).scalars().all() == [*range(1, number + 1)]
        async with connection.stream(rows, values) as streamed:
            assert [value async for value in streamed.scalars()] == [*range(1, number + 1)]
        async with connection.stream(rows, values) as parts:
            assert [len(part) async for part in parts.partitions(150)] == [
                *[150] * (number // 150),
                *([number % 150] if number % 150 else []),
            ]


async def test_a_stream_is_not_read_ahead_of_its_reader(engine: AsyncEngine) -> None:
    async with engine.connect() as connection, connection.stream(text(ROWS), {"last": 10**12}) as streamed:
        assert await anext(streamed.scalars()) == 1


async def test_who_gives_up_while_waiting_for_the_lock_does_not_keep_it(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE words (word TEXT)"))
    other = sqlite3.connect(tmp_path / "data.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO words VALUES ('late')"))

    asyncio.get_running_loop().call_later(0.3, other.execute, "COMMIT")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(write(), 0.1)  # its thread waits on, and gets the lock
    await write()
    other.execute("PRAGMA busy_timeout=0")
    other.execute("BEGIN IMMEDIATE")
    assert other.execute("SELECT word FROM words").fetchall() == [("late",)]
    other.close()


async def test_what_was_given_up_is_rolled_back_once_it_has_begun(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "data.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    connection = await connect(str(tmp_path / "data.db"), isolation_level=None)
    beginning = asyncio.create_task(connection.cursor().execute("BEGIN IMMEDIATE"))
    await asyncio.sleep(0)  # its thread waits for the lock now
    beginning.cancel()
    await asyncio.gather(beginning, return_exceptions=True)
    other.execute("COMMIT")
    await connection.rollback()
    await connection.cursor().execute("SELECT 1")  # behind everything that the thread was asked for
    assert not connection.in_transaction
    await connection.close()
    other.close()


async def test_a_file_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    engine = sqlite_engine(f"sqlite+aiosqlite:///{tmp_path}/missing/data.db")
    with pytest.raises(Exception, match="unable to open database file"):
        async with engine.connect():
            pass
    await engine.dispose()
