"""What most tests start from: settings with a folder of their own, a migrated database, a queue."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.instance.valkey import running_valkey
from sync.settings import Settings
from sync.store.database import Database, sqlite_engine
from sync.store.migrate import migrate
from tests.specification.plugin import Specification

pytest.register_assert_rewrite("tests.e2e.town", "tests.e2e.deeds")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Specification())


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Defaults, whatever the shell that runs the tests has set, and an empty data folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ASANA_SYNC_{name.upper()}", raising=False)
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with empty tables, made once per test process."""
    folder = tmp_path_factory.mktemp("migrated")
    asyncio.run(migrate(Settings(data_dir=folder, database_url="")))
    return folder


@pytest.fixture(scope="session")
def linked_engines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AsyncEngine, AsyncEngine]:
    """A link to the folder of the test at hand, and the writer and the reader of the database there.

    They outlive the tests: compiling their statements again for each would cost half of its time.
    """
    link = tmp_path_factory.mktemp("database") / "current"
    url = f"sqlite+aiosqlite:///{link}/asana-sync.db"
    return link, sqlite_engine(url), sqlite_engine(url, read_only=True)


@pytest_asyncio.fixture
async def database(
    settings: Settings, migrated_folder: Path, linked_engines: tuple[Path, AsyncEngine, AsyncEngine]
) -> AsyncIterator[Database]:
    """Empty tables on SQLite in the settings' data folder."""
    shutil.copytree(migrated_folder, settings.data_dir, dirs_exist_ok=True)
    link, writer, reader = linked_engines
    link.unlink(missing_ok=True)
    link.symlink_to(settings.data_dir)
    database = Database(writer, reader, one_writer=True)
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey_socket(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """One embedded server per test process."""
    folder = tmp_path_factory.mktemp("valkey")
    async with running_valkey(folder) as socket:
        yield socket


@pytest_asyncio.fixture
async def redis_url(valkey_socket: Path) -> str:
    """URL of an empty embedded queue."""
    url = f"unix://{valkey_socket}"
    async with Redis.from_url(url) as redis:
        await redis.flushall()
    return url
