"""What commands open before they work, and how they print."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import typer
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlmodel import col

from sync import __version__
from sync.instance.folder import prepare_folder, redis_url, running
from sync.jobs.engine import Engine, no_wake
from sync.jobs.queue import connect, new_owner, waker
from sync.jobs.sessions import Sessions
from sync.settings import Settings
from sync.store.database import Database
from sync.store.migrate import migrate
from sync.store.secrets import Vault
from sync.store.status import first_heartbeat, status
from sync.store.tables import Mapping

T = TypeVar("T")

DONE, WAITS, USAGE, UNREACHABLE, TIMEOUT = 0, 1, 2, 3, 4
"""Exit codes: done, something waits for a person, usage or configuration, store or provider, --timeout."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine."""
    return asyncio.run(work)


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """The database with its tables, made where there are none yet."""
    if not settings.database_url:
        prepare_folder(settings.data_dir)
    await migrate(settings)
    database = Database.open(settings)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Everything a job needs. Limits are shared through Redis where it answers, else kept in this process."""
    if not settings.secret_key.get_secret_value() and settings.secret_key_file is None:
        prepare_folder(settings.data_dir)
    vault = Vault.from_settings(settings, create=True)
    async with opened_database(settings) as database:
        redis = await _redis(settings)
        sessions = Sessions(settings, database, vault, redis)
        try:
            yield Engine(
                settings=settings,
                database=database,
                vault=vault,
                sessions=sessions,
                owner=new_owner(),
                wake=waker(redis) if redis is not None else no_wake,
            )
        finally:
            await sessions.aclose()
            if redis is not None:
                await redis.aclose()


async def _redis(settings: Settings) -> Any:
    if settings.embedded_redis and running(settings.data_dir) is None:
        return None
    try:
        return await connect(redis_url(settings))
    except (OSError, RedisError):
        return None


def emit(document: Any, *, as_json: bool, show: Callable[[Console], None]) -> None:
    """The result on stdout: one JSON document, or for people."""
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        show(Console(soft_wrap=False))


def table(title: str, columns: list[str], rows: list[list[Any]]) -> Callable[[Console], None]:
    """A printer of a table; an empty one says so."""

    def show(console: Console) -> None:
        if not rows:
            console.print(f"{title}: none")
            return
        grid = Table(title=title, title_justify="left", show_lines=False)
        for column in columns:
            grid.add_column(column, overflow="fold")
        for row in rows:
            grid.add_row(*("" if value is None else str(value) for value in row))
        console.print(grid)

    return show


def say(text: str) -> None:
    """A word for people, on stderr: stdout carries the result only."""
    sys.stderr.write(text + "\n")


async def with_engine(settings: Settings, work: Callable[[Engine], Awaitable[T]]) -> T:
    async with opened_engine(settings) as engine:
        return await work(engine)


async def known_mapping(database: Database, name: str | None) -> Mapping | None:
    """The mapping of that name; a usage error names those there are."""
    if name is None:
        return None
    rows: dict[str, Mapping]
    async with database.read() as session:
        query = select(Mapping).where(col(Mapping.removed_at).is_(None))
        rows = {row.name: row for row in (await session.execute(query)).scalars()}
    if name not in rows:
        raise typer.BadParameter(f"there is no mapping {name!r}; known: {', '.join(rows) or 'none'}")
    return rows[name]


async def standing(database: Database, settings: Settings) -> dict[str, Any]:
    """The status, with what is known of a running instance in this data folder."""
    instance = running(settings.data_dir)
    async with database.read() as session:
        return await status(
            session,
            version=__version__,
            now=datetime.now(UTC),
            instance={
                "id": str(instance.pid) if instance else None,
                "url": instance.url if instance else None,
            },
            since=await first_heartbeat(session),
        )
