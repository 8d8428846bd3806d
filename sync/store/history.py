"""The timeline of a link: what came in, what was decided and why, what was written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

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
