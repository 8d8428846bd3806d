"""Deliveries, as those who act on them later ask for them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.store.tables import Delivery, Mark


async def traces_of(session: AsyncSession, marks: Iterable[Mark]) -> dict[int, str]:
    """Delivery id -> ``traceparent``, of the traced deliveries behind these marks."""
    ids = {mark.delivery_id for mark in marks if mark.delivery_id is not None}
    query = select(col(Delivery.id), col(Delivery.trace)).where(
        col(Delivery.id).in_(ids), col(Delivery.trace) != ""
    )
    return {row[0]: row[1] for row in await session.execute(query)}
