"""Sessions: what commits, what does not, who waits for whom, and what an absent database looks like."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import select

from sync.settings import Settings
from sync.store.database import Database
from sync.store.errors import StoreUnreachable
from sync.store.tables import Mark, Setting


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """SQLite, whatever the other tests use: test_postgresql.py has the same for PostgreSQL."""
    return settings.model_copy(update={"database_url": ""})


@pytest.fixture
async def database(settings: Settings, migrated_folder: Path) -> AsyncIterator[Database]:
    shutil.copytree(migrated_folder, settings.data_dir)
    database = Database.open(settings)
    yield database
    await database.close()


async def value_of(database: Database, key: str) -> object:
    async with database.read() as session:
        found = await session.get(Setting, key)
        return None if found is None else found.value


async def test_write_commits_at_exit_and_objects_stay_usable(database: Database) -> None:
    async with database.write() as session:
        setting = Setting(key="paused", value={"by": "ada"})
        session.add(setting)
    assert setting.value == {"by": "ada"}
    assert await value_of(database, "paused") == {"by": "ada"}


async def test_write_rolls_back_when_the_body_raises(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.write() as session:
            session.add(Setting(key="paused", value=True))
            await session.flush()
            raise LookupError
    assert await value_of(database, "paused") is None


async def test_read_cannot_write(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        async with database.read() as session:
            session.add(Setting(key="paused", value=True))
            await session.flush()


async def test_read_sees_one_moment(database: Database) -> None:
    async with database.read() as session:
        assert (await session.scalars(select(Setting))).all() == []
        async with database.write() as other:
            other.add(Setting(key="paused", value=True))
        assert (await session.scalars(select(Setting))).all() == []
    assert await value_of(database, "paused") is True


async def test_many_writers_at_once_lose_nothing(database: Database) -> None:
    async with database.write() as session:
        session.add(Setting(key="count", value=0))

    async def increment() -> None:
        async with database.write() as session:
            count = (await session.scalars(select(Setting).where(Setting.key == "count"))).one()
            await asyncio.sleep(0)
            count.value += 1

    await asyncio.gather(*(increment() for _ in range(40)))
    assert await value_of(database, "count") == 40


async def test_two_processes_on_one_file_wait_for_each_other(settings: Settings, database: Database) -> None:
    other = Database.open(settings)
    try:
        async with asyncio.TaskGroup() as tasks:
            for n in range(20):
                tasks.create_task(add(database, f"mine-{n}"))
                tasks.create_task(add(other, f"other-{n}"))
        async with database.read() as session:
            assert len((await session.scalars(select(Setting.key))).all()) == 40
    finally:
        await other.close()


async def add(database: Database, key: str) -> None:
    async with database.write() as session:
        session.add(Setting(key=key))


async def test_a_cancelled_writer_leaves_the_way_free(database: Database) -> None:
    entered = asyncio.Event()

    async def hang() -> None:
        async with database.write() as session:
            session.add(Setting(key="paused", value=True))
            await session.flush()
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add(database, "next")
    assert await value_of(database, "paused") is None


async def test_foreign_keys_hold(database: Database) -> None:
    now = datetime.now(UTC)
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(
                Mark(
                    mapping_id=99,
                    side="hub",
                    ref="r",
                    kind="task",
                    object_id="1",
                    first_at=now,
                    due_at=now,
                )
            )


async def test_naive_times_are_refused(database: Database) -> None:
    with pytest.raises(Exception, match="naive time"):
        async with database.write() as session:
            await session.execute(select(Mark).where(Mark.due_at < datetime(2026, 1, 1)))  # noqa: DTZ001


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_a_missing_folder_is_an_unreachable_store(settings: Settings, kind: str) -> None:
    database = Database.open(settings)
    with pytest.raises(StoreUnreachable, match="unable to open"):
        async with getattr(database, kind)():
            pass
    await database.close()


async def test_a_file_that_is_no_database_is_an_unreachable_store(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "asana-sync.db").write_bytes(b"no database" * 100)
    database = Database.open(settings)
    with pytest.raises(StoreUnreachable, match="not a database"):
        async with database.write():
            pass
    await database.close()


async def test_a_refused_connection_is_an_unreachable_store(settings: Settings, unused_tcp_port: int) -> None:
    url = f"postgresql://nobody:secret-word@127.0.0.1:{unused_tcp_port}/none"
    database = Database.open(settings.model_copy(update={"database_url": url}))
    with pytest.raises(StoreUnreachable) as caught:
        async with database.read():
            pass
    assert "secret-word" not in str(caught.value)
    await database.close()


async def test_a_wrong_statement_is_not_an_unreachable_store(settings: Settings, database: Database) -> None:
    with sqlite3.connect(settings.data_dir / "asana-sync.db") as raw:
        raw.execute("DROP TABLE setting")
    raw.close()
    with pytest.raises(OperationalError, match="no such table"):
        await value_of(database, "paused")
