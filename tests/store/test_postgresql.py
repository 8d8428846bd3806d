"""The same promises as in test_database.py, kept by a PostgreSQL server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from sync.settings import Settings
from sync.store.database import Database
from sync.store.errors import StoreUnreachable
from sync.store.migrate import migrate
from sync.store.tables import Setting


@pytest.fixture
def settings(settings: Settings, postgres_url: str) -> Settings:
    return settings.model_copy(update={"database_url": postgres_url})


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    await migrate(settings)
    database = Database.open(settings)
    yield database
    await database.close()


async def test_write_commits_and_read_sees_one_moment(database: Database) -> None:
    async with database.read() as session:
        assert (await session.scalars(select(Setting))).all() == []
        async with database.write() as other:
            other.add(Setting(key="paused", value={"by": "ada"}))
        assert (await session.scalars(select(Setting))).all() == []
    async with database.read() as session:
        assert (await session.scalars(select(Setting.value))).all() == [{"by": "ada"}]


async def test_read_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.read() as session:
            session.add(Setting(key="paused", value=True))
            await session.flush()


async def test_a_lost_connection_is_an_unreachable_store_and_the_next_session_works(
    database: Database,
) -> None:
    with pytest.raises(StoreUnreachable):
        async with database.write() as session:
            connection = await session.connection()
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with database.write() as other:
                await (await other.connection()).execute(text(f"SELECT pg_terminate_backend({pid})"))
            await connection.execute(text("SELECT 1"))
    async with database.write() as session:
        session.add(Setting(key="paused", value=True))


async def test_a_deadlock_means_later_and_nobody_waits_for_ever(database: Database) -> None:
    async with database.write() as session:
        session.add_all([Setting(key="one", value=0), Setting(key="two", value=0)])
    both_hold_one = asyncio.Barrier(2)

    async def change(first: str, second: str) -> None:
        async with database.write() as session:
            await session.execute(update(Setting).where(col(Setting.key) == first).values(value=1))
            await both_hold_one.wait()
            await session.execute(update(Setting).where(col(Setting.key) == second).values(value=1))

    ends = await asyncio.gather(change("one", "two"), change("two", "one"), return_exceptions=True)
    assert {type(end) for end in ends} == {type(None), StoreUnreachable}


@pytest.mark.parametrize(("part", "other"), [("/t", "/missing"), ("postgres:@", "stranger:@")])
async def test_a_server_that_refuses_us_is_an_unreachable_store(
    settings: Settings, part: str, other: str
) -> None:
    url = settings.database_url.replace(part, other)
    database = Database.open(settings.model_copy(update={"database_url": url}))
    with pytest.raises(StoreUnreachable, match="does not exist"):
        async with database.read():
            pass
    await database.close()
