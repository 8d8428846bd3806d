"""Which worker holds which stream: one at a time, and the hold of one who died ends by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.store.tables import Stream
from sync.store.upsert import insert_into


async def hold(session: AsyncSession, connection_id: int, owner: str, now: datetime, until: datetime) -> bool:
    """Whether the owner has it now: it had it, or nobody has it any more."""
    insert = insert_into(session, Stream).values(connection_id=connection_id, owner=owner, until=until)
    statement = insert.on_conflict_do_update(
        index_elements=["connection_id"],
        set_={"owner": owner, "until": until},
        where=or_(col(Stream.owner) == owner, col(Stream.until) < now),
    ).returning(col(Stream.connection_id))
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def release(session: AsyncSession, connection_id: int, owner: str) -> None:
    """Give it back."""
    await session.execute(
        delete(Stream).where(col(Stream.connection_id) == connection_id, col(Stream.owner) == owner)
    )
