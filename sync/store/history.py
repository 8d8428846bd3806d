"""The timeline of a link: what came in, what was decided and why, what was written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from connectors.records import Value
from sync.store.tables import Event, Link
from sync.store.values import dump


def tell(
    session: AsyncSession,
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
) -> None:
    """Add one line. ``event``: in | plan | write | settle | conflict | park."""
    extra: dict[str, Any] = {"before": dump(before), "after": dump(after)}
    session.add(
        Event(
            at=now,
            mapping_id=link.mapping_id,
            mapping_version=version or link.mapping_version,
            link_id=link.id,
            event=event,
            text=text,
            field=field,
            write_id=write_id,
            delivery_id=delivery_id,
            outcome=outcome,
            **extra,
        )
    )


async def came_in(
    session: AsyncSession, links: Iterable[tuple[Link, int | None]], text: str, now: datetime
) -> None:
    """One line ``in`` for each of these links, with the delivery that it came with."""
    rows = [
        {
            "at": now,
            "mapping_id": link.mapping_id,
            "mapping_version": link.mapping_version,
            "link_id": link.id,
            "event": "in",
            "text": text,
            "delivery_id": delivery_id,
        }
        for link, delivery_id in links
    ]
    if rows:
        await session.execute(insert(SQLModel.metadata.tables[str(Event.__tablename__)]), rows)
