"""The timeline of a link: what came in, what was decided and why, what was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.records import Value
from sync.store import writes
from sync.store.tables import Event, Link, Write, table_of
from sync.store.values import dump

_SAID = {
    writes.NOT_DONE: "not done, to be tried again",
    writes.REFUSED: "refused",
    writes.UNKNOWN: "no answer, to be looked up",
    writes.DONE: "done",
}


def line(
    link: Link,
    event: str,
    text: str,
    now: datetime,
    *,
    field: str | None = None,
    before: Value = None,
    after: Value = None,
    write_id: int | None = None,
    delivery_id: int | None = None,
    outcome: str | None = None,
    version: int | None = None,
) -> dict[str, Any]:
    """One line's columns. ``event``: in | plan | write | settle | conflict | park."""
    return {
        "at": now,
        "mapping_id": link.mapping_id,
        "mapping_version": version or link.mapping_version,
        "link_id": link.id,
        "event": event,
        "text": text,
        "field": field,
        "before": dump(before),
        "after": dump(after),
        "write_id": write_id,
        "delivery_id": delivery_id,
        "outcome": outcome,
    }


def tell(session: AsyncSession, link: Link, event: str, text: str, now: datetime, **more: Any) -> None:
    """Add one line; ``more`` as in :func:`line`."""
    session.add(Event(**line(link, event, text, now, **more)))


def attempt(write: Write, outcome: str, reason: str, now: datetime) -> Event:
    """The line of a write that was sent, and not done as far as is known."""
    what = ", ".join(write.fields) or write.op.replace("_", " ")
    return Event(
        at=now,
        mapping_id=write.mapping_id,
        mapping_version=write.mapping_version,
        link_id=write.link_id,
        event="write",
        text=f"{what}: {_SAID[outcome]}" + (f" ({reason})" if reason else ""),
        field=next(iter(write.fields)) if len(write.fields) == 1 else None,
        before=write.before,
        after=write.fields,
        write_id=write.id,
        outcome=outcome,
    )


_TELLING = insert(table_of(Event))


async def tell_all(session: AsyncSession, lines: Sequence[dict[str, Any]]) -> None:
    """Add these lines at once."""
    if lines:
        await session.execute(_TELLING, lines)
