"""Where polling of each container goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.store.tables import Cursor


async def cursors_due(session: AsyncSession, now: datetime) -> Sequence[int]:
    """Cursors whose container wants to be read now."""
    return (await session.execute(select(col(Cursor.id)).where(col(Cursor.next_at) <= now))).scalars().all()


async def cursors_on(
    session: AsyncSession, places: Sequence[tuple[int, str]] | None = None
) -> Sequence[Cursor]:
    """All cursors, or those of these (connection id, container) places."""
    rows = (await session.execute(select(Cursor))).scalars().all()
    return [row for row in rows if places is None or (row.connection_id, row.container) in places]
