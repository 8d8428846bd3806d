"""What commands open before they work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import typer
from sqlalchemy import select
from sqlmodel import col

from sync import logs, tracing
from sync.instance.folder import prepare_folder
from sync.settings import Settings
from sync.store.database import Database
from sync.store.migrate import migrate
from sync.store.tables import Mapping

T = TypeVar("T")


def run(
    settings: Settings,
    work: Coroutine[Any, Any, T],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Run a command's coroutine, with its logs on stderr, and its traces where the environment says.

    ``loop_factory`` None: asyncio's own loop.
    """
    logs.configure(settings)
    tracing.start()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)


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


async def known_mappings(database: Database) -> dict[str, Mapping]:
    """Living mappings by name."""
    async with database.read() as session:
        query = select(Mapping).where(col(Mapping.removed_at).is_(None)).order_by(col(Mapping.id))
        return {row.name: row for row in (await session.execute(query)).scalars()}


async def known_mapping(database: Database, name: str) -> Mapping:
    """The mapping of that name; a usage error names those there are."""
    rows = await known_mappings(database)
    if name not in rows:
        raise typer.BadParameter(f"there is no mapping {name!r}; known: {', '.join(rows) or 'none'}")
    return rows[name]
