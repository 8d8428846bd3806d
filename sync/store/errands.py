"""What people ask for in other tools: noted once, carried out by a pass, kept with the link it made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.interactions import What
from sync.store.tables import Errand
from sync.store.upsert import insert_into

OPEN = "open"
DONE = "done"
REFUSED = "refused"

_MAKING = (What.CAPTURE, What.ATTACH)


async def note(session: AsyncSession, errand: Errand) -> bool:
    """Store it, once however often the same request comes; False where that asked for another object."""
    insert = insert_into(session, Errand).values(errand.model_dump(exclude={"id"}))
    await session.execute(insert.on_conflict_do_nothing())
    query = select(col(Errand.ref)).where(
        col(Errand.connection_id) == errand.connection_id, col(Errand.key) == errand.key
    )
    return (await session.execute(query)).scalar_one() == errand.ref


async def asking_for(session: AsyncSession, mapping_id: int, ref: str) -> Errand | None:
    """The oldest open errand that wants a link made for this object."""
    query = (
        select(Errand)
        .where(
            col(Errand.ref) == ref,
            col(Errand.mapping_id) == mapping_id,
            col(Errand.state) == OPEN,
            col(Errand.what).in_(_MAKING),
        )
        .order_by(col(Errand.id))
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def is_wanted_otherwise(session: AsyncSession, errand: Errand) -> bool:
    """Whether another open errand wants a link made for the same object of the connection."""
    query = select(col(Errand.id)).where(
        col(Errand.connection_id) == errand.connection_id,
        col(Errand.ref) == errand.ref,
        col(Errand.state) == OPEN,
        col(Errand.what).in_(_MAKING),
        col(Errand.key) != errand.key,
    )
    return (await session.execute(query.limit(1))).first() is not None


async def behind(session: AsyncSession, link_id: int) -> Errand | None:
    """The errand that a link was made for."""
    query = (
        select(Errand)
        .where(col(Errand.link_id) == link_id, col(Errand.what).in_(_MAKING))
        .order_by(col(Errand.id))
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def waiting(session: AsyncSession, link_id: int) -> Sequence[Errand]:
    """What is still to be done to the task of a link, in the order in which it was asked for."""
    query = (
        select(Errand)
        .where(col(Errand.link_id) == link_id, col(Errand.state) == OPEN, col(Errand.what).not_in(_MAKING))
        .order_by(col(Errand.id))
    )
    return (await session.execute(query)).scalars().all()


async def close(session: AsyncSession, errand: Errand, now: datetime, *, refused: str = "") -> None:
    """It is over: done, or refused for that reason."""
    errand.state, errand.reason, errand.done_at = REFUSED if refused else DONE, refused, now
    await session.execute(
        update(Errand)
        .where(col(Errand.id) == errand.id)
        .values(state=errand.state, reason=errand.reason, done_at=now, link_id=errand.link_id)
    )


async def last_used(session: AsyncSession, mapping_ids: Sequence[int]) -> Sequence[int]:
    """Those of these mappings that people asked for, the last one first."""
    query = (
        select(col(Errand.mapping_id))
        .where(col(Errand.mapping_id).in_(mapping_ids), col(Errand.what).in_(_MAKING))
        .order_by(col(Errand.id).desc())
        .limit(200)
    )
    return list(dict.fromkeys((await session.execute(query)).scalars()))


async def clear(session: AsyncSession, before: datetime) -> None:
    """Forget what is over since then, but for what tells how a link came to be."""
    behind_a_link = col(Errand.link_id).is_not(None) & col(Errand.what).in_(_MAKING)
    await session.execute(delete(Errand).where(col(Errand.done_at) < before, ~behind_a_link))
