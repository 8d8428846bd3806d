"""Who works on what: one worker a mapping (lease), one pass an object (claim). Both are fenced.

A lease is taken by one conditional UPDATE, so it holds on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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


async def is_current(session: AsyncSession, mapping_id: int, lease_no: int) -> bool:
    """Whether nobody took the mapping over since."""
    query = select(col(Mapping.lease_no)).where(col(Mapping.id) == mapping_id)
    return (await session.execute(query)).scalar_one_or_none() == lease_no


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


@dataclass(frozen=True, slots=True)
class Hold:
    """Whose a claim is: this worker's, for this mapping, under this very lease."""

    owner: str
    mapping_id: int
    lease_no: int

    @property
    def columns(self) -> dict[str, Any]:
        return {"owner": self.owner, "mapping_id": self.mapping_id, "lease_no": self.lease_no}


async def claim(
    session: AsyncSession, refs: Collection[str], hold: Hold, *, now: datetime, until: datetime
) -> bool:
    """Claim all these objects or none."""
    (granted,) = await claim_each(session, [refs], hold, now=now, until=until)
    return granted


async def claim_each(
    session: AsyncSession, groups: Sequence[Collection[str]], hold: Hold, *, now: datetime, until: datetime
) -> list[bool]:
    """Claim all objects of a group or none of them, for each group; the first one gets what two want.

    In ref order, so that two passes cannot block each other.
    """
    wanted_by: dict[str, int] = {}
    for number, refs in enumerate(groups):
        for ref in refs:
            wanted_by.setdefault(ref, number)
    if not wanted_by:
        return [True] * len(groups)
    statement = insert_into(session, Claim)
    ours = hold.columns | {"until": until}
    statement = statement.on_conflict_do_update(
        index_elements=["ref"],
        set_={name: statement.excluded[name] for name in ours},
        where=or_(
            col(Claim.until) < now,
            (col(Claim.owner) == hold.owner)
            & (col(Claim.mapping_id) == hold.mapping_id)
            & (col(Claim.lease_no) < hold.lease_no),
        ),
    ).returning(col(Claim.ref))
    rows = [{"ref": ref, **ours} for ref in sorted(wanted_by)]
    got = set((await session.execute(statement, rows)).scalars())
    granted = [
        all(ref in got and wanted_by[ref] == number for ref in refs) for number, refs in enumerate(groups)
    ]
    await release(session, [ref for ref in got if not granted[wanted_by[ref]]], hold)
    return granted


async def keep_until(session: AsyncSession, ref: str, owner: str, until: datetime) -> None:
    """Let a claim of ours end at that time: nobody tries again before."""
    await session.execute(
        update(Claim).where(col(Claim.ref) == ref, col(Claim.owner) == owner).values(until=until)
    )


async def release(session: AsyncSession, refs: Iterable[str], hold: Hold) -> None:
    """Give back what was claimed under this very lease."""
    refs = list(refs)
    if refs:
        await session.execute(
            delete(Claim).where(
                col(Claim.ref).in_(refs),
                col(Claim.owner) == hold.owner,
                col(Claim.mapping_id) == hold.mapping_id,
                col(Claim.lease_no) == hold.lease_no,
            )
        )
