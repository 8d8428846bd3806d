"""Rows in every table there is, made from the columns alone: they fit whatever a revision adds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, String, Table, inspect, select, text
from sqlmodel import AutoString, SQLModel

from sync.store.types import Document, Utc
from tests.store.rows import at

ROWS = 3
"""In each table; so many, that each refers to a row of its own."""


def fill(connection: Connection) -> None:
    """Rows with a value in every column, in an empty database of the newest revision."""
    for table in SQLModel.metadata.sorted_tables:
        connection.execute(
            table.insert(),
            [{column.name: _value(column, n) for column in table.columns} for n in range(1, ROWS + 1)],
        )


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables and columns that are in the code and in the database, in order of their keys."""
    there = inspect(connection)
    names = set(there.get_table_names())
    return {
        table.name: _rows(connection, table, {column["name"] for column in there.get_columns(table.name)})
        for table in SQLModel.metadata.sorted_tables
        if table.name in names
    }


def broken_references(connection: Connection) -> list[Any]:
    """What SQLite lets pass while a table is copied; PostgreSQL refuses it at once."""
    if connection.dialect.name != "sqlite":
        return []
    return list(connection.execute(text("PRAGMA foreign_key_check")))


def _rows(connection: Connection, table: Table, there: set[str]) -> list[dict[str, Any]]:
    columns = [column for column in table.columns if column.name in there]
    query = select(*columns).order_by(*(key for key in table.primary_key if key.name in there))
    return [dict(row) for row in connection.execute(query).mappings()]


def _value(column: Column[Any], number: int) -> Any:
    """Unlike in every row; a reference leads to the row of the same number, to itself at most once."""
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return 1 if key.column.table is column.table else number
    if isinstance(column.type, Document):
        return {"title": f"Grüße {number}", "list": [number, None, {"deep": 0.5}], "at": str(at(number))}
    if isinstance(column.type, Utc):
        return at(number)
    if isinstance(column.type, String | AutoString):
        return f"{column.name} {number}: “quoted” 'twice'"
    kind = column.type.python_type
    if kind is bytes:
        return b"\x00\xff" * number
    if kind is bool:
        return number % 2 == 0
    return kind(number)
