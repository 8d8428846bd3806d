"""The database of a town: the real one, in a file that memory holds, and without a thread a connection.

A statement is done where it is awaited. That makes a run repeatable, and a killed process leaves what
SIGKILL leaves: whatever was not committed is gone.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from sync.settings import Settings
from sync.store.database import Database
from sync.store.migrate import migrate
from sync.store.sqlite import sqlite_engine
from tests.simulation.life import Life

MEMORY = Path("/dev/shm")


class _Cursor:
    """As aiosqlite's."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._cursor = connection.raw.cursor()

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> _Cursor:
        await self._connection.turn()
        self._cursor.execute(sql, parameters)  # type: ignore[arg-type]
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> _Cursor:
        await self._connection.turn()
        self._cursor.executemany(sql, parameters)  # type: ignore[arg-type]
        return self

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def fetchmany(self, size: int) -> list[Any]:
        return self._cursor.fetchmany(size)

    async def close(self) -> None:
        self._cursor.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class _Connection:
    """As aiosqlite's, of one life of the program."""

    def __init__(self, raw: sqlite3.Connection, life: Life, chance: random.Random) -> None:
        self.raw, self._life, self._chance = raw, life, chance
        self._changes = raw.total_changes

    @property
    def _connection(self) -> sqlite3.Connection:
        return self.raw

    def cursor(self) -> _Cursor:
        return _Cursor(self)

    async def turn(self) -> None:
        """Others go on meanwhile, now more and now fewer of them."""
        self._life.check()
        for _ in range(self._chance.choice((0, 0, 1, 2))):
            await asyncio.sleep(0)

    async def commit(self) -> None:
        """One that changes something is a boundary; after any other one the world is as it was."""
        before, self._changes = self._changes, self.raw.total_changes
        if self._changes == before:
            self.raw.commit()
            return
        self._life.cross("commit, before")
        self.raw.commit()
        self._life.cross("commit, after")

    async def rollback(self) -> None:
        if not self._life.over:
            self.raw.rollback()

    async def close(self) -> None:
        self.raw.close()

    def stop(self) -> None:
        self.raw.close()

    async def create_function(self, *args: Any, **options: Any) -> None:
        self.raw.create_function(*args, **options)


class _Database(Database):
    """As one life of the program sees it: after its end nobody of that life gets to it any more."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, life: Life) -> None:
        super().__init__(writer, reader, one_writer=True)
        self._life = life

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        self._life.check()
        async with super().write() as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        self._life.check()
        async with super().read() as session:
            yield session


class Disk:
    """One file after the other, through the same two engines: they know all statements already."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder = folder
        self._template = template
        self._life, self._chance = Life(), random.Random(0)
        self._open: list[sqlite3.Connection] = []
        url = f"sqlite+aiosqlite:///{folder}/asana-sync.db"
        self._engines = [
            sqlite_engine(url, connecting=self._connect),
            sqlite_engine(url, read_only=True, connecting=self._connect),
        ]

    def wipe(self) -> None:
        """Empty tables from here on."""
        self.pull_the_plug()
        for old in self.folder.iterdir():
            old.unlink()
        shutil.copytree(self._template, self.folder, dirs_exist_ok=True)

    def move(self, folder: Path) -> None:
        """What is on it is in that folder from here on, for this process alone."""
        self.pull_the_plug()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        self.folder = folder

    def start(self, life: Life, chance: random.Random) -> Database:
        """The database as that life of the program sees it, which is the only one from now on."""
        self.pull_the_plug()
        self._life, self._chance = life, chance
        return _Database(self._engines[0], self._engines[1], life)

    def pull_the_plug(self) -> None:
        """What is not committed is gone."""
        for raw in self._open:
            raw.close()
        self._open.clear()
        for engine in self._engines:
            engine.sync_engine.dispose(close=False)

    async def _connect(self, *args: Any, **options: Any) -> _Connection:
        self._life.cross("connect")
        raw = sqlite3.connect(self.folder / "asana-sync.db", *args[1:], **options)
        self._open.append(raw)
        return _Connection(raw, self._life, self._chance)


async def _meet(made: Disk) -> None:
    """An engine asks its first connection what it is: that must not be part of the first run alone."""
    database = made.start(Life(), random.Random(0))
    async with database.write(), database.read():
        pass
    made.pull_the_plug()


@contextmanager
def disk() -> Iterator[Disk]:
    """A disk with empty tables, to be wiped before each run."""
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as template, tempfile.TemporaryDirectory(dir=where) as folder:
        asyncio.run(migrate(Settings(data_dir=Path(template), database_url="")))
        made = Disk(Path(folder), Path(template))
        made.wipe()
        asyncio.run(_meet(made))
        yield made
