"""Who works on what: one worker a mapping (lease), one pass an object (claim). Both are fenced.

A lease is taken by one conditional UPDATE, so it holds on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sync.store.tables import Claim, Mapping, table_of
from sync.store.upsert import insert_into

_CLAIMS, _MAPPINGS = table_of(Claim), table_of(Mapping)
_CLAIM, _MAPPING = _CLAIMS.c, _MAPPINGS.c

_OUR_LEASE = (
    _MAPPING.id == bindparam("mapping"),
    _MAPPING.lease_owner == bindparam("holder"),
    _MAPPING.lease_no == bindparam("number"),
)
_OUR_CLAIMS = (
    _CLAIM.owner == bindparam("holder"),
    _CLAIM.lease_no == bindparam("number"),
    _CLAIM.mapping_id == bindparam("mapping"),
)

_TAKE = (
    update(_MAPPINGS)
    .where(
        _MAPPING.id == bindparam("mapping"),
        or_(_MAPPING.lease_until.is_(None), _MAPPING.lease_until < bindparam("now")),
    )
    .values(
        lease_owner=bindparam("holder"), lease_no=_MAPPING.lease_no + 1, lease_until=bindparam("lasts_until")
    )
    .returning(_MAPPING.lease_no)
)


async def take_lease(
    session: AsyncSession, mapping_id: int, owner: str, now: datetime, until: datetime
) -> int | None:
    """The new fencing number, or None while another worker holds the mapping."""
    asked = {"mapping": mapping_id, "holder": owner, "now": now, "lasts_until": until}
    number: int | None = (await session.execute(_TAKE, asked)).scalar_one_or_none()
    return number


async def free_after(session: AsyncSession, is_dead: Callable[[str], bool]) -> None:
    """Take leases and claims from holders that are known to have ended."""
    holders = set((await session.execute(select(_MAPPING.lease_owner).distinct())).scalars())
    holders |= set((await session.execute(select(_CLAIM.owner).distinct())).scalars())
    dead = [owner for owner in holders if owner and is_dead(owner)]
    if dead:
        theirs = update(_MAPPINGS).where(_MAPPING.lease_owner.in_(dead))
        await session.execute(theirs.values(lease_until=None, lease_owner=None))
        await session.execute(delete(_CLAIMS).where(_CLAIM.owner.in_(dead)))


_RENEW = (
    update(_MAPPINGS)
    .where(*_OUR_LEASE, _MAPPING.lease_until >= bindparam("now"))
    .values(lease_until=bindparam("lasts_until"))
    .returning(_MAPPING.id)
)
_RENEW_CLAIMS = update(_CLAIMS).where(*_OUR_CLAIMS).values(until=bindparam("lasts_until"))


async def renew_lease(
    session: AsyncSession, mapping_id: int, owner: str, lease_no: int, now: datetime, until: datetime
) -> bool:
    """Hold on to the mapping and its claims; False when it ran out, whoever has it now."""
    ours = {"mapping": mapping_id, "holder": owner, "number": lease_no, "lasts_until": until}
    held = (await session.execute(_RENEW, ours | {"now": now})).scalar_one_or_none() is not None
    if held:
        await session.execute(_RENEW_CLAIMS, ours)
    return held


_NUMBER = select(_MAPPING.lease_no).where(_MAPPING.id == bindparam("mapping"))


async def is_current(session: AsyncSession, mapping_id: int, lease_no: int) -> bool:
    """Whether nobody took the mapping over since."""
    return (await session.execute(_NUMBER, {"mapping": mapping_id})).scalar_one_or_none() == lease_no


_LET_GO = update(_MAPPINGS).where(*_OUR_LEASE).values(lease_until=None, lease_owner=None)
_LET_GO_CLAIMS = delete(_CLAIMS).where(*_OUR_CLAIMS)


async def release_lease(session: AsyncSession, mapping_id: int, owner: str, lease_no: int) -> None:
    """Let go of the mapping and of everything claimed under it."""
    ours = {"mapping": mapping_id, "holder": owner, "number": lease_no}
    await session.execute(_LET_GO, ours)
    await session.execute(_LET_GO_CLAIMS, ours)


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
            _CLAIM.until < now,
            (_CLAIM.owner == hold.owner)
            & (_CLAIM.mapping_id == hold.mapping_id)
            & (_CLAIM.lease_no < hold.lease_no),
        ),
    ).returning(_CLAIM.ref)
    rows = [{"ref": ref, **ours} for ref in sorted(wanted_by)]
    got = set((await session.execute(statement, rows)).scalars())
    granted = [
        all(ref in got and wanted_by[ref] == number for ref in refs) for number, refs in enumerate(groups)
    ]
    await release(session, [ref for ref in got if not granted[wanted_by[ref]]], hold)
    return granted


async def keep_until(session: AsyncSession, ref: str, owner: str, until: datetime) -> None:
    """Let a claim of ours end at that time: nobody tries again before."""
    ours = _CLAIM.ref == ref, _CLAIM.owner == owner
    await session.execute(update(_CLAIMS).where(*ours).values(until=until))


_GIVE_BACK = delete(_CLAIMS).where(*_OUR_CLAIMS, _CLAIM.ref.in_(bindparam("refs", expanding=True)))


async def release(session: AsyncSession, refs: Iterable[str], hold: Hold) -> None:
    """Give back what was claimed under this very lease."""
    refs = list(refs)
    if refs:
        ours = {"holder": hold.owner, "mapping": hold.mapping_id, "number": hold.lease_no}
        await session.execute(_GIVE_BACK, ours | {"refs": refs})
