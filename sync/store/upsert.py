"""INSERT ... ON CONFLICT for whichever database is behind the session."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel


def insert_into(session: AsyncSession, table: type[SQLModel]) -> Any:
    """The dialect's own insert, which knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    dialect = session.get_bind().dialect.name
    return (postgresql if dialect == "postgresql" else sqlite).insert(
        SQLModel.metadata.tables[str(table.__tablename__)]
    )
