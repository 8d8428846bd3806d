"""Where polling of each container goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from sync.store.tables import Cursor, table_of

_CURSOR = table_of(Cursor).c
_DUE = select(_CURSOR.id).where(_CURSOR.next_at <= bindparam("now"))


async def cursors_due(session: AsyncSession, now: datetime) -> Sequence[int]:
    """Cursors whose container wants to be read now."""
    return (await session.execute(_DUE, {"now": now})).scalars().all()


async def cursors_on(
    session: AsyncSession, places: Sequence[tuple[int, str]] | None = None
) -> Sequence[Cursor]:
    """All cursors, or those of these (connection id, container) places."""
    rows = (await session.execute(select(Cursor))).scalars().all()
    return [row for row in rows if places is None or (row.connection_id, row.container) in places]
