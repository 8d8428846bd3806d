"""What most tests start from: settings with a folder of their own, a migrated database, a queue."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from sync.instance.valkey import running_valkey
from sync.settings import Settings
from sync.store.database import Database, postgresql_engines
from sync.store.migrate import migrate
from sync.store.sqlite import sqlite_engine
from tests import stores
from tests.specification.plugin import Specification

pytest.register_assert_rewrite("tests.e2e.town", "tests.e2e.deeds")


def pytest_configure(config: pytest.Config) -> None:
    """A test that ends in the middle of a call leaves a connection of its server to the collector."""
    config.pluginmanager.register(Specification())
    if stores.ON_SERVERS:
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a server, less the name of a database; one per test process."""
    with stores.postgres_server() as url:
        yield url


@pytest.fixture
async def postgres_url(postgres_server: str) -> str:
    """URL of an empty database of its own."""
    return await stores.new_database(postgres_server)


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """Settings that lead to the servers all tests shall use; empty: they use the embedded stores."""
    if not stores.ON_SERVERS:
        yield {}
        return
    with stores.postgres_server() as postgres, stores.valkey_server() as redis_url:
        yield {"database_url": asyncio.run(stores.new_database(postgres)), "redis_url": redis_url}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: dict[str, str]) -> Settings:
    """Defaults, whatever the shell that runs the tests has set, and an empty data folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ASANA_SYNC_{name.upper()}", raising=False)
    return Settings(data_dir=tmp_path / "data", **servers)


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with empty tables, made once per test process."""
    folder = tmp_path_factory.mktemp("migrated")
    asyncio.run(migrate(Settings(data_dir=folder, database_url="")))
    return folder


@pytest.fixture(scope="session")
def linked_engines(
    tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]
) -> tuple[Path, AsyncEngine, AsyncEngine]:
    """A link to the folder of the test at hand; writer and reader of the database there, or on the server.

    They outlive the tests: compiling their statements again for each would cost half of its time.
    """
    link = tmp_path_factory.mktemp("database") / "current"
    if servers:
        settings = Settings(**servers)
        asyncio.run(migrate(settings))
        return link, *postgresql_engines(settings.sqlalchemy_url)
    url = f"sqlite+aiosqlite:///{link}/asana-sync.db"
    return link, sqlite_engine(url), sqlite_engine(url, read_only=True)


@pytest_asyncio.fixture
async def database(
    settings: Settings, migrated_folder: Path, linked_engines: tuple[Path, AsyncEngine, AsyncEngine]
) -> AsyncIterator[Database]:
    """Empty tables in the settings' data folder, or on the server."""
    link, writer, reader = linked_engines
    if not settings.database_url:
        shutil.copytree(migrated_folder, settings.data_dir, dirs_exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(settings.data_dir)
    database = Database(writer, reader, one_writer=not settings.database_url)
    yield database
    if settings.database_url:
        async with database.write() as session:
            tables = ", ".join(f'"{name}"' for name in SQLModel.metadata.tables)
            await session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    await database.close()


@pytest.fixture
def statements(linked_engines: tuple[Path, AsyncEngine, AsyncEngine]) -> Iterator[list[tuple[str, Any]]]:
    """What the ``database`` is asked from now on, with its parameters; clear it to count anew."""
    _, writer, reader = linked_engines
    asked: list[tuple[str, Any]] = []
    on_sqlite = writer.dialect.name == "sqlite"  # PostgreSQL's reader is the writer under another name

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    engines = [engine.sync_engine for engine in ((writer, reader) if on_sqlite else (writer,))]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def queue_url(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]) -> AsyncIterator[str]:
    """One queue per test process."""
    if servers:
        yield servers["redis_url"]
        return
    async with running_valkey(tmp_path_factory.mktemp("valkey")) as socket:
        yield f"unix://{socket}"


@pytest_asyncio.fixture
async def redis_url(queue_url: str) -> str:
    """URL of an empty queue."""
    async with Redis.from_url(queue_url) as redis:
        await redis.flushall()
    return queue_url
