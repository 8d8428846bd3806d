"""Two processes that write to one SQLite file: in turn, and never for ever behind one that stands still.

Two engines in one process are as good: a lock on a file belongs to whoever opened it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path

import pytest

from sync.store.database import Database
from sync.store.errors import StoreUnreachable
from sync.store.sqlite import sqlite_engine
from sync.store.turns import Door

Process = Callable[[], Awaitable[Database]]


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    async with AsyncExitStack() as stack:

        async def start() -> Database:
            url = f"sqlite+aiosqlite:///{tmp_path}/data.db"
            database = Database(sqlite_engine(url), sqlite_engine(url, read_only=True), one_writer=True)
            stack.push_async_callback(database.close)
            return database

        yield start


@contextmanager
def held(path: Path) -> Iterator[None]:
    """By a process that does not move."""
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)


def stands_somebody_in(path: Path) -> bool:
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


async def test_who_waits_is_next_however_much_another_one_writes(tmp_path: Path, process: Process) -> None:
    busy, other = await process(), await process()
    order: list[str] = []

    async def write(database: Database, name: str) -> None:
        async with database.write():
            order.append(name)

    async with busy.write():
        asked = asyncio.create_task(write(other, "other"))
        while not stands_somebody_in(tmp_path / "data.db-turn"):  # noqa: ASYNC110  (a lock tells nobody)
            await asyncio.sleep(0.001)
        more = [asyncio.create_task(write(busy, "busy")) for _ in range(20)]
        await asyncio.sleep(0.01)
    await asyncio.gather(asked, *more)
    assert order == ["other", *["busy"] * 20]


async def test_a_process_that_stands_still_in_the_door_holds_nobody_up_for_long(
    tmp_path: Path, process: Process
) -> None:
    database = await process()
    with held(tmp_path / "data.db-turn"):
        async with asyncio.timeout(10), database.write():
            pass


async def test_a_door_that_cannot_be_made_is_a_store_that_does_not_answer(
    tmp_path: Path, process: Process
) -> None:
    (tmp_path / "data.db-turn").mkdir()
    database = await process()
    with pytest.raises(StoreUnreachable, match="Is a directory"):
        async with database.write():
            pass


def test_the_lock_is_waited_for_so_long_and_no_longer(tmp_path: Path) -> None:
    door = Door(f"{tmp_path}/turn", write_lock_s=0.05)
    with closing(_opened(tmp_path)) as holder, closing(_opened(tmp_path)) as waiting:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            door.through(lambda: waiting.execute("BEGIN IMMEDIATE"))
        holder.rollback()
        door.through(lambda: waiting.execute("BEGIN IMMEDIATE"))
        assert waiting.in_transaction


def test_what_is_wrong_otherwise_is_told_at_once(tmp_path: Path) -> None:
    with closing(_opened(tmp_path)) as connection, pytest.raises(sqlite3.OperationalError, match="syntax"):
        Door(f"{tmp_path}/turn").through(lambda: connection.execute("BEGIN NOW"))


def _opened(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "raw.db", isolation_level=None, timeout=0)
