"""INSERT ... ON CONFLICT for whichever database is behind the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from sync.store.tables import table_of


def insert_into(session: AsyncSession, model: type[SQLModel]) -> Any:
    """The dialect's own insert, which knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return _insert(session.get_bind().dialect.name, model)


def upsert(model: type[SQLModel]) -> Callable[[Callable[[Any], Any]], Callable[[AsyncSession], Any]]:
    """Decorate what adds to the dialect's own insert: it is called once for each dialect.

    Building such a statement takes longer than the database needs for it.
    """

    def once(complete: Callable[[Any], Any]) -> Callable[[AsyncSession], Any]:
        @cache
        def built(dialect: str) -> Any:
            return complete(_insert(dialect, model))

        return lambda session: built(session.get_bind().dialect.name)

    return once


def _insert(dialect: str, model: type[SQLModel]) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table_of(model))
