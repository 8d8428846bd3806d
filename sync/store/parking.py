"""What waits for a person, with a reason that a person understands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.errors import Park, ParkClass
from sync.store.history import tell
from sync.store.tables import Link, Parked
from sync.store.upsert import insert_into

log = structlog.get_logger()

OPEN = "open"
IGNORED = "ignored"

_FIXES = {
    ParkClass.REJECTED: "Change the value to one that both sides accept, then retry.",
    ParkClass.NOT_SUPPORTED: "It cannot be synced: leave it, or take it out of the mapping.",
    ParkClass.AMBIGUOUS: "Decide which object is meant, and link it by hand.",
    ParkClass.PERMISSION: "Give the account the right to do it, then retry.",
    ParkClass.LOOP: "Find out what else changes it and switch that off, then retry.",
}
"""What a person can do where the connector says nothing better."""


async def park(
    session: AsyncSession,
    *,
    mapping_id: int,
    link: Link | None,
    what: str,
    ref: str,
    error: Park,
    now: datetime,
    field: str = "",
    values: Any = None,
) -> None:
    """Park a link, field, comment, delivery or write; the same thing twice is one entry with a count."""
    fix = error.fix or _FIXES[error.park_class]
    changing = {
        "link_id": link.id if link else None,
        "park_class": error.park_class.value,
        "reason": error.reason,
        "provider_message": error.provider_message,
        "fix": fix,
        "values": values,
        "last_at": now,
    }
    insert = insert_into(session, Parked).values(
        mapping_id=mapping_id,
        what=what,
        ref=ref,
        field=field,
        state=OPEN,
        attempts=1,
        first_at=now,
        **changing,
    )
    await session.execute(
        insert.on_conflict_do_update(
            index_elements=["mapping_id", "what", "ref", "field"],
            set_={**changing, "attempts": Parked.attempts + 1},
        )
    )
    log.warning(
        "link.parked", link=link.id if link else None, ref=ref, field=field or None, reason=error.reason
    )
    if link is not None:
        tell(session, link, "park", f"{error.reason} {fix}", now, field=field or None)


_FIELDS_OF = select(Parked).where(
    col(Parked.link_id).in_(bindparam("link_ids", expanding=True)), col(Parked.what) == "field"
)


async def fields_parked(session: AsyncSession, link_ids: Sequence[int]) -> dict[int, list[Parked]]:
    """Parked fields of these links, ignored ones included."""
    found: dict[int, list[Parked]] = {}
    for entry in (await session.execute(_FIELDS_OF, {"link_ids": link_ids})).scalars():
        found.setdefault(entry.link_id or 0, []).append(entry)
    return found


async def links_waiting(session: AsyncSession, link_ids: Sequence[int]) -> frozenset[int]:
    """Those of these links that have a parked field: what is undone there is no edit, and yet news."""
    query = select(col(Parked.link_id)).where(col(Parked.link_id).in_(link_ids), col(Parked.what) == "field")
    return frozenset(link_id for link_id in (await session.execute(query)).scalars() if link_id is not None)


_UNREAD = select(col(Parked.ref)).where(
    col(Parked.mapping_id) == bindparam("mapping_id"),
    col(Parked.ref).in_(bindparam("refs", expanding=True)),
    col(Parked.what) == "link",
    col(Parked.link_id).is_(None),
    col(Parked.state) == OPEN,
    col(Parked.park_class) != ParkClass.AMBIGUOUS.value,
)


async def unread(session: AsyncSession, mapping_id: int, refs: Sequence[str]) -> frozenset[str]:
    """Those of these objects without a link that wait because they could not be read or worked on."""
    found = await session.execute(_UNREAD, {"mapping_id": mapping_id, "refs": refs})
    return frozenset(found.scalars())


async def unpark(session: AsyncSession, mapping_id: int, what: str, *refs: str, field: str = "") -> None:
    """What was parked works now: its entry goes."""
    await session.execute(
        delete(Parked).where(
            col(Parked.mapping_id) == mapping_id,
            col(Parked.what) == what,
            col(Parked.ref).in_(refs),
            col(Parked.field) == field,
        )
    )


async def ignore(session: AsyncSession, parked_id: int) -> bool:
    """Stop asking about it; False where there is no such entry."""
    statement = (
        update(Parked).where(col(Parked.id) == parked_id).values(state=IGNORED).returning(col(Parked.id))
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def found(session: AsyncSession, mapping_id: int, what: str, ref: str) -> Parked | None:
    """The entry of this very thing, open or ignored."""
    query = select(Parked).where(
        col(Parked.mapping_id) == mapping_id, col(Parked.what) == what, col(Parked.ref) == ref
    )
    return (await session.execute(query)).scalars().first()


async def undecided(session: AsyncSession, mapping_id: int, ref: str) -> bool:
    """Whether a person has to say what the object belongs to; one that is ignored stays alone."""
    query = select(col(Parked.id)).where(
        col(Parked.mapping_id) == mapping_id,
        col(Parked.what) == "link",
        col(Parked.ref) == ref,
        col(Parked.link_id).is_(None),
        col(Parked.park_class) == ParkClass.AMBIGUOUS.value,
    )
    return (await session.execute(query)).first() is not None
