"""Mark both ends of a link, comments included: somebody or something wants it looked at whole."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sync.reconcile.model import Side
from sync.store import links, marks
from sync.store.tables import Connection, Link, Mapping


async def look_again(
    session: AsyncSession, link: Link, reason: str, now: datetime, *, lane: str = marks.LIVE
) -> None:
    """Nothing happens where the mapping is gone or an end does not exist."""
    mapping = await session.get(Mapping, link.mapping_id)
    if mapping is None:
        return
    for side, connection_id in (
        (Side.HUB, mapping.hub_connection_id),
        (Side.EXTERNAL, mapping.external_connection_id),
    ):
        connection = await session.get(Connection, connection_id)
        ref = links.end(link, side, connection) if connection else None
        if ref is not None:
            mark = marks.NewMark(
                mapping_id=mapping.id, side=side, ref=ref, lane=lane, comments=True, reason=reason, due_at=now
            )
            await marks.put(session, [mark], now)
