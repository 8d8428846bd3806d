"""Everything that ``status`` counts, one query each."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from sync.store import links, writes
from sync.store.tables import Conflict, Link, Mapping, Mark, Parked, Write
from sync.store.totals import DELIVERIES, WRITES, Total, total


class Counts:
    """Everything that is counted, one query each."""

    def __init__(self) -> None:
        self.links: dict[tuple[int, str], int] = {}
        self.pending: dict[int, tuple[int, datetime | None]] = {}
        self.unmet: dict[int, int] = {}
        self.waiting: dict[int, list[tuple[str, int, datetime]]] = {}
        self.in_flight: dict[int, int] = {}
        self.conflicts: dict[int, Counter[str]] = {}
        self.parked: dict[int, int] = {}
        self.writes: dict[tuple[int, str], Total] = {}
        self.deliveries: dict[str, int] = {}
        self.confirming: dict[int, int] = {}

    @classmethod
    async def read(cls, session: AsyncSession, now: datetime) -> Counts:
        found = cls()
        kinds = col(Link.mapping_id), col(Link.kind), col(Link.state)
        for mapping_id, kind, state, number in await session.execute(
            select(*kinds, func.count()).group_by(*kinds)
        ):
            if kind == links.TASK:
                found.links[mapping_id, state] = number
        found.confirming = await _by_mapping(
            session,
            select(col(Link.mapping_id), func.count()).where(
                col(Link.state) == links.CONFIRMING, col(Link.id).not_in(_HIDDEN)
            ),
            Link,
        )
        for mapping_id, number, oldest in await session.execute(
            select(col(Mark.mapping_id), func.count(), func.min(col(Mark.first_at))).group_by(
                col(Mark.mapping_id)
            )
        ):
            found.pending[mapping_id] = (number, oldest)
        found.unmet = await _unmet(session)
        found.waiting = await _waiting(session, now)
        found.in_flight = await _by_mapping(
            session,
            select(col(Write.mapping_id), func.count()).where(
                col(Write.state).in_(writes.OPEN), col(Write.link_id).not_in(_HIDDEN)
            ),
            Write,
        )
        found.conflicts = await _conflicts(session)
        found.parked = await _by_mapping(
            session, select(col(Parked.mapping_id), func.count()).where(col(Parked.state) == "open"), Parked
        )
        for (mapping_id, side, _, state), written in (await total(session, WRITES)).items():
            if state == writes.DONE:
                found.writes[mapping_id, side] = found.writes.get((mapping_id, side), Total()) + written
        for (_, _, state), received in (await total(session, DELIVERIES)).items():
            found.deliveries[state] = found.deliveries.get(state, 0) + received.number
        return found


_hidden = aliased(Link)
_HIDDEN = (
    select(col(Link.id))
    .join(_hidden, or_(col(_hidden.id) == col(Link.id), col(_hidden.id) == col(Link.parent_id)))
    .where(col(_hidden.hidden_since).is_not(None))
)
"""Links whose object cannot be seen now, and what hangs below them: nobody can look what a write did."""


async def _unmet(session: AsyncSession) -> dict[int, int]:
    """Of mappings in their first sync: objects that wait and were not brought in step yet.

    A new counterpart's comments wait, too, but the object is there.
    """
    met = exists().where(
        col(Link.mapping_id) == col(Mark.mapping_id),
        or_(col(Link.hub_ref) == col(Mark.ref), col(Link.external_ref) == col(Mark.ref)),
        col(Link.hub_ref).is_not(None),
        col(Link.external_ref).is_not(None),
        col(Link.looked_at).is_not(None),
    )
    first = exists().where(col(Mapping.id) == col(Mark.mapping_id), col(Mapping.first_sync).is_not(None))
    return await _by_mapping(session, select(col(Mark.mapping_id), func.count()).where(first, ~met), Mark)


async def _conflicts(session: AsyncSession) -> dict[int, Counter[str]]:
    """Open ones by mapping: all, those ``undecided`` in which nobody won, and the ``divergent`` links."""
    kinds = col(Conflict.mapping_id), col(Conflict.kind), col(Conflict.winner).is_(None)
    query = select(*kinds, func.count(), func.count(col(Conflict.link_id).distinct())).where(
        col(Conflict.state) == "open"
    )
    found: dict[int, Counter[str]] = {}
    for mapping_id, kind, undecided, number, of_links in await session.execute(query.group_by(*kinds)):
        counts = found.setdefault(mapping_id, Counter())
        counts["all"] += number
        counts["undecided"] += number if undecided else 0
        counts["divergent"] += of_links if kind == "divergent" else 0
    return found


async def _waiting(session: AsyncSession, now: datetime) -> dict[int, list[tuple[str, int, datetime]]]:
    """Why marks wait, how many for that reason, and until when the last of them; the commonest first."""
    why = col(Mark.mapping_id), col(Mark.reason)
    query = (
        select(*why, func.count(), func.max(col(Mark.due_at)))
        .where(col(Mark.due_at) > now, col(Mark.reason) != "")
        .group_by(*why)
        .order_by(func.count().desc())
    )
    found: dict[int, list[tuple[str, int, datetime]]] = {}
    for mapping_id, reason, number, until in await session.execute(query):
        found.setdefault(mapping_id, []).append((reason, number, until))
    return found


async def _by_mapping(session: AsyncSession, query: Select[int, int], table: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in await session.execute(query.group_by(col(table.mapping_id)))}
