"""Who works on what: one worker a mapping (lease), one pass an object (claim). Both are fenced.

A lease is taken by one conditional UPDATE, so it holds on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.store.tables import Claim, Mapping
from sync.store.upsert import insert_into


async def take_lease(
    session: AsyncSession, mapping_id: int, owner: str, now: datetime, until: datetime
) -> int | None:
    """The new fencing number, or None while another worker holds the mapping."""
    statement = (
        update(Mapping)
        .where(
            col(Mapping.id) == mapping_id,
            or_(col(Mapping.lease_until).is_(None), col(Mapping.lease_until) < now),
        )
        .values(lease_owner=owner, lease_no=Mapping.lease_no + 1, lease_until=until)
        .returning(col(Mapping.lease_no))
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def free_after(session: AsyncSession, is_dead: Callable[[str], bool]) -> None:
    """Take leases and claims from holders that are known to have ended."""
    holders = set((await session.execute(select(col(Mapping.lease_owner)).distinct())).scalars())
    holders |= set((await session.execute(select(col(Claim.owner)).distinct())).scalars())
    dead = [owner for owner in holders if owner and is_dead(owner)]
    if dead:
        await session.execute(
            update(Mapping)
            .where(col(Mapping.lease_owner).in_(dead))
            .values(lease_until=None, lease_owner=None)
        )
        await session.execute(delete(Claim).where(col(Claim.owner).in_(dead)))


async def renew_lease(
    session: AsyncSession, mapping_id: int, owner: str, lease_no: int, now: datetime, until: datetime
) -> bool:
    """Hold on to the mapping and its claims; False when it ran out, whoever has it now."""
    statement = (
        update(Mapping)
        .where(
            col(Mapping.id) == mapping_id,
            col(Mapping.lease_owner) == owner,
            col(Mapping.lease_no) == lease_no,
            col(Mapping.lease_until) >= now,
        )
        .values(lease_until=until)
        .returning(col(Mapping.id))
    )
    held = (await session.execute(statement)).scalar_one_or_none() is not None
    if held:
        await session.execute(
            update(Claim)
            .where(
                col(Claim.owner) == owner,
                col(Claim.lease_no) == lease_no,
                col(Claim.mapping_id) == mapping_id,
            )
            .values(until=until)
        )
    return held


async def release_lease(session: AsyncSession, mapping_id: int, owner: str, lease_no: int) -> None:
    """Let go of the mapping and of everything claimed under it."""
    await session.execute(
        update(Mapping)
        .where(
            col(Mapping.id) == mapping_id,
            col(Mapping.lease_owner) == owner,
            col(Mapping.lease_no) == lease_no,
        )
        .values(lease_until=None, lease_owner=None)
    )
    await session.execute(
        delete(Claim).where(
            col(Claim.owner) == owner, col(Claim.lease_no) == lease_no, col(Claim.mapping_id) == mapping_id
        )
    )


async def claim(
    session: AsyncSession,
    refs: Iterable[str],
    *,
    owner: str,
    mapping_id: int,
    lease_no: int,
    now: datetime,
    until: datetime,
) -> bool:
    """Claim all these objects or none, in ref order so that two passes cannot block each other."""
    ours = {"owner": owner, "mapping_id": mapping_id, "lease_no": lease_no, "until": until}
    wanted = sorted(set(refs))
    statement = (
        insert_into(session, Claim)
        .values([{"ref": ref, **ours} for ref in wanted])
        .on_conflict_do_update(
            index_elements=["ref"],
            set_=ours,
            where=or_(
                col(Claim.until) < now,
                (col(Claim.owner) == owner)
                & (col(Claim.mapping_id) == mapping_id)
                & (col(Claim.lease_no) < lease_no),
            ),
        )
        .returning(col(Claim.ref))
    )
    got = list((await session.execute(statement)).scalars())
    if len(got) == len(wanted):
        return True
    await release(session, got, owner=owner, mapping_id=mapping_id, lease_no=lease_no)
    return False


async def keep_until(session: AsyncSession, ref: str, owner: str, until: datetime) -> None:
    """Let a claim of ours end at that time: nobody tries again before."""
    await session.execute(
        update(Claim).where(col(Claim.ref) == ref, col(Claim.owner) == owner).values(until=until)
    )


async def release(
    session: AsyncSession, refs: Iterable[str], *, owner: str, mapping_id: int, lease_no: int
) -> None:
    """Give back what was claimed under this very lease."""
    refs = list(refs)
    if refs:
        await session.execute(
            delete(Claim).where(
                col(Claim.ref).in_(refs),
                col(Claim.owner) == owner,
                col(Claim.mapping_id) == mapping_id,
                col(Claim.lease_no) == lease_no,
            )
        )
