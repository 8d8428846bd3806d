"""Revisions: up, down, up again, by two at once, on both databases, and never behind the tables."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text
from sqlmodel import SQLModel

from sync.settings import Settings
from sync.store.database import Database
from sync.store.errors import StoreNewer, StoreUnreachable
from sync.store.migrate import MIGRATIONS, migrate, migration_engine, revisions
from sync.store.tables import Delivery, Link, Mapping, Setting, Write
from tests.store.rows import NOON, a_link, a_mapping

T = TypeVar("T")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(settings: Settings, database_url: str) -> Settings:
    """Settings of an empty store on either database."""
    return settings.model_copy(update={"database_url": database_url})


async def inside(store: Settings, work: Callable[[Connection], T]) -> T:
    engine = migration_engine(store)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_up_down_up(store: Settings) -> None:
    ours = set(SQLModel.metadata.tables)
    await migrate(store)
    assert await inside(store, tables) == ours | {"alembic_version"}
    await inside(store, lambda connection: command.downgrade(config(connection), "base"))
    assert await inside(store, tables) == {"alembic_version"}
    await migrate(store)
    assert await inside(store, tables) == ours | {"alembic_version"}


async def test_revisions_make_the_tables_of_the_code(store: Settings) -> None:
    await migrate(store)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, SQLModel.metadata))

    assert await inside(store, differences) == [], "run: make migration NAME=what_changed"


def _downgrade(revision: str, connection: Connection) -> None:
    command.downgrade(config(connection), revision)


async def test_rows_outlive_every_revision(store: Settings) -> None:
    await migrate(store)
    database = Database.open(store)
    async with database.write() as session:
        mapping = await a_mapping(session)
        link = await a_link(session, mapping)
        session.add(Delivery(connection_id=mapping.hub_connection_id, dedupe="d", received_at=NOON))
        session.add(
            Write(
                mapping_id=mapping.id,
                mapping_version=1,
                link_id=link.id,
                side="hub",
                op="update",
                intent_at=NOON,
                deadline_at=NOON,
            )
        )
    await database.close()
    for revision in revisions()[-2::-1]:
        await inside(store, partial(_downgrade, revision))
    await migrate(store)
    database = Database.open(store)
    async with database.read() as session:
        for table in (Mapping, Link, Delivery, Write):
            assert len((await session.execute(select(table))).all()) == 1
    await database.close()


async def test_several_at_once(store: Settings) -> None:
    await asyncio.gather(*(migrate(store) for _ in range(4)))
    versions = await inside(
        store, lambda connection: connection.execute(text("SELECT version_num FROM alembic_version")).all()
    )
    assert [tuple(row) for row in versions] == [(revisions()[-1],)]


async def test_again_changes_nothing(store: Settings) -> None:
    await migrate(store)
    database = Database.open(store)
    async with database.write() as session:
        session.add(Setting(key="paused", value={"by": "ada"}))
    await migrate(store)
    async with database.read() as session:
        found = await session.get(Setting, "paused")
    await database.close()
    assert found is not None
    assert found.value == {"by": "ada"}


async def test_tables_of_a_newer_version_are_left_alone(store: Settings) -> None:
    await migrate(store)
    await inside(
        store, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    )
    with pytest.raises(StoreNewer, match="9999"):
        await migrate(store)


def test_file_names_tell_the_order_of_the_revisions() -> None:
    script = ScriptDirectory.from_config(config())
    assert [each.revision for each in script.walk_revisions()] == revisions()[::-1]


async def test_a_current_store_is_passed_without_alembic(settings: Settings) -> None:
    settings = settings.model_copy(update={"database_url": ""})
    await migrate(settings)
    program = (
        "import asyncio, sys; from sync.settings import Settings; from sync.store.migrate import migrate;"
        f"asyncio.run(migrate(Settings(data_dir={str(settings.data_dir)!r})));"
        "print('alembic' in sys.modules)"
    )
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    out, _ = await ran.communicate()
    assert out.split() == [b"False"]


async def test_a_refused_connection_is_an_unreachable_store(settings: Settings, unused_tcp_port: int) -> None:
    url = f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none"
    with pytest.raises(StoreUnreachable):
        await migrate(settings.model_copy(update={"database_url": url}))
