"""How much there has been of something whose rows are kept for a while only.

Rows that are cleaned away are counted into a tally by the statement's own answer, in the same
transaction: a total is the rows that stand plus the tally, and never shrinks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from sync.store.tables import Conflict, Delivery, Tally, Write
from sync.store.upsert import insert_into

_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of a table, by the values of some columns; ``at``: when what a row stands for happened."""

    name: str
    table: type[SQLModel]
    by: tuple[Any, ...]
    at: Any


WRITES = Kind("writes", Write, (Write.mapping_id, Write.side, Write.op, Write.state), Write.done_at)
DELIVERIES = Kind(
    "deliveries", Delivery, (Delivery.connection_id, Delivery.event, Delivery.state), Delivery.received_at
)
CONFLICTS = Kind("conflicts", Conflict, (Conflict.policy,), Conflict.detected_at)


@dataclass(frozen=True, slots=True)
class Total:
    """How many, and when the newest was."""

    number: int = 0
    last_at: datetime | None = None

    def __add__(self, other: Total) -> Total:
        times = [at for at in (self.last_at, other.last_at) if at is not None]
        return Total(self.number + other.number, max(times, default=None))


async def total(session: AsyncSession, kind: Kind) -> dict[tuple[Any, ...], Total]:
    """Everything there has ever been of it, by the kind's columns."""
    found: dict[tuple[Any, ...], Total] = {}
    standing = select(*kind.by, func.count(), func.max(col(kind.at))).group_by(*kind.by)
    for *by, number, last_at in await session.execute(standing):
        found[tuple(by)] = Total(number, last_at)
    for row in (await session.execute(select(Tally).where(col(Tally.name) == kind.name))).scalars():
        key = tuple(json.loads(row.labels))
        found[key] = found.get(key, Total()) + Total(round(row.value), row.last_at)
    return found


async def clear_away(session: AsyncSession, kind: Kind, *which: ColumnElement[bool]) -> None:
    """Delete these rows; they go on counting."""
    gone: dict[tuple[Any, ...], Total] = {}
    for *key, at in await session.execute(delete(kind.table).where(*which).returning(*kind.by, kind.at)):
        gone[tuple(key)] = gone.get(tuple(key), Total()) + Total(1, at)
    rows = [
        Tally(name=kind.name, labels=json.dumps(key), value=n.number, last_at=n.last_at)
        for key, n in gone.items()
    ]
    await add(session, rows)


async def add(session: AsyncSession, rows: Iterable[Tally]) -> None:
    """Add to what the tallies of these names and labels show, in one order for everybody who adds."""
    values = [row.model_dump() for row in sorted(rows, key=lambda row: (row.name, row.labels))]
    for at in range(0, len(values), _ROWS_AT_ONCE):
        insert = insert_into(session, Tally).values(values[at : at + _ROWS_AT_ONCE])
        new, old = insert.excluded, Tally
        newer = case((new.last_at > old.last_at, new.last_at), else_=func.coalesce(old.last_at, new.last_at))
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["name", "labels"],
                set_={"value": Tally.value + new.value, "last_at": newer},
            )
        )
