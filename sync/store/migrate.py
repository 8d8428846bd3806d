"""Brings the tables to the newest revision, once, whoever starts first.

Everything happens in one transaction that begins with a lock (SQLite's write lock, an advisory lock
on PostgreSQL): a second process waits, then finds nothing left to do, and a revision that fails
leaves no trace. Alembic is only imported when there is something to do: it costs half a second.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from sync.settings import Settings
from sync.store import statistics
from sync.store.errors import StoreNewer, StoreUnreachable
from sync.store.sqlite import sqlite_engine
from sync.store.unreachable import is_unreachable

MIGRATIONS = Path(__file__).parents[2] / "migrations"

_LOCK = 0x617361_6E61
"""Key of the advisory lock: "asana" in ASCII."""


def revisions() -> list[str]:
    """Our revisions, oldest first: file names are ``0001_what.py``, history has no branches."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


async def migrate(settings: Settings) -> None:
    """Create or upgrade the tables. Instant when they are current.

    Raises:
        StoreNewer: the tables are of a later version of the program.
        StoreUnreachable: the database does not answer.
    """
    if not settings.database_url:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = migration_engine(settings)
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_upgrade)
    except OSError as error:
        raise StoreUnreachable(f"the database does not answer: {error}") from error
    except DBAPIError as error:
        if not is_unreachable(error):
            raise
        raise StoreUnreachable(f"the database does not answer: {error.orig}") from error
    finally:
        await engine.dispose()


async def is_current(session: AsyncSession) -> bool:
    """Whether the tables are those of this version."""
    return await (await session.connection()).run_sync(_revision) == revisions()[-1]


def migration_engine(settings: Settings) -> AsyncEngine:
    """SQLite changes a table by copying it, which must not trip over foreign keys."""
    url = settings.sqlalchemy_url
    return sqlite_engine(url, foreign_keys=False) if url.startswith("sqlite") else create_async_engine(url)


def _upgrade(connection: Connection) -> None:
    known = revisions()
    revision = _revision(connection)
    if revision == known[-1]:
        return
    if revision is not None and revision not in known:
        raise StoreNewer(
            f"the database has revision {revision}, this version knows up to {known[-1]}: update asana-sync"
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    statistics.tell(connection)  # a revision that copies a table forgets what was told of it


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
