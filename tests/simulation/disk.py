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
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from sync.settings import Settings
from sync.store.database import Database
from sync.store.migrate import migrate
from sync.store.sqlite import prepare_sqlite
from tests.simulation.life import Life

MEMORY = Path("/dev/shm")


class _Session(AsyncSession):
    """As SQLAlchemy's, but a statement is done where it is awaited: no thread, no second stack."""

    def __init__(self, engine: Engine, life: Life, chance: random.Random) -> None:
        super().__init__(expire_on_commit=False)
        self.sync_session.bind = engine
        self._life, self._chance = life, chance
        self._raw: Any = None
        self._changes = 0

    async def turn(self) -> Session:
        """Others go on meanwhile, now more and now fewer of them."""
        self._life.check()
        for _ in range(self._chance.choice((0, 0, 1, 2))):
            await asyncio.sleep(0)
        return self.sync_session

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        session = await self.turn()
        whole = {**options.pop("execution_options", {}), "prebuffer_rows": True}
        return session.execute(statement, params, execution_options=whole, **options)

    async def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        return (await self.turn()).get(entity, ident, **options)

    async def get_one(self, entity: Any, ident: Any, **options: Any) -> Any:
        return (await self.turn()).get_one(entity, ident, **options)

    async def merge(self, instance: Any, **options: Any) -> Any:
        return (await self.turn()).merge(instance, **options)

    async def delete(self, instance: object) -> None:
        (await self.turn()).delete(instance)

    async def flush(self, objects: Sequence[Any] | None = None) -> None:
        (await self.turn()).flush(objects)

    async def connection(self, **options: Any) -> Any:
        return _Connection(self)

    async def commit(self) -> None:
        """One that changes something is a boundary; after any other one the world is as it was."""
        session = await self.turn()
        session.flush()
        if self._raw.total_changes == self._changes:
            session.commit()
            return
        self._life.cross("commit, before")
        session.commit()
        self._life.cross("commit, after")

    def begin(self) -> Any:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        await self._life.awake()
        self._life.check()
        self._raw = self.sync_session.connection().connection.dbapi_connection
        self._changes = self._raw.total_changes
        yield
        await self.commit()

    async def __aexit__(self, *error: object) -> None:
        if self._life.over:
            self.sync_session.invalidate()
        else:
            self.sync_session.close()


class _Connection:
    """What a session gives to those who want no objects."""

    def __init__(self, session: _Session) -> None:
        self._session = session

    async def execute(self, statement: Any, params: Any = None) -> Any:
        session = await self._session.turn()
        return session.connection().execute(statement, params)

    async def run_sync(self, what: Callable[..., Any], *args: Any) -> Any:
        return what(self._session.sync_session.connection(), *args)


class _Database(Database):
    """As one life of the program sees it: after its end nobody of that life gets to it any more."""

    def __init__(
        self, writer: Engine, reader: Engine, turn: asyncio.Lock, life: Life, chance: random.Random
    ) -> None:
        self._engines, self._turn = (writer, reader), turn
        self._life, self._chance = life, chance

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with (
            self._write_lock(),
            _Session(self._engines[0], self._life, self._chance) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def _write_lock(self) -> AsyncIterator[None]:
        """Nobody takes it asleep: the life that took over would wait for the sleeper."""
        await self._life.awake()
        await self._turn.acquire()
        try:
            while self._life.sleeps:
                self._turn.release()
                await self._life.awake()
                await self._turn.acquire()
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with _Session(self._engines[1], self._life, self._chance) as session, session.begin():
            yield session

    async def close(self) -> None:
        pass


class Disk:
    """One file after the other, through the same two engines: they know all statements already."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder = folder
        self._template = template
        self._turn = asyncio.Lock()
        self._open: list[sqlite3.Connection] = []
        self._engines = [self._engine(read_only=False), self._engine(read_only=True)]

    def _engine(self, *, read_only: bool) -> Engine:
        engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            max_overflow=-1,
            pool_reset_on_return=None,  # a session ends what it began
        )
        prepare_sqlite(engine, read_only=read_only)
        return engine

    def wipe(self) -> None:
        """Empty tables from here on."""
        self.pull_the_plug()
        self._turn = asyncio.Lock()
        for old in self.folder.iterdir():
            old.unlink()
        shutil.copytree(self._template, self.folder, dirs_exist_ok=True)

    def move(self, folder: Path) -> None:
        """What is on it is in that folder from here on, for this process alone."""
        self.pull_the_plug()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        self.folder = folder

    def start(self, life: Life, chance: random.Random) -> Database:
        """The database as that life of the program sees it: lives that are over reach it no more."""
        return _Database(self._engines[0], self._engines[1], self._turn, life, chance)

    def pull_the_plug(self) -> None:
        """What is not committed is gone."""
        for raw in self._open:
            raw.close()
        self._open.clear()
        for engine in self._engines:
            engine.dispose(close=False)

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(self.folder / "asana-sync.db", isolation_level=None)
        self._open.append(raw)
        return raw


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
