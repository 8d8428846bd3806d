"""What complete listings are compared with: one end of many links and what was settled there.

Columns instead of entities: a full pass looks at every link there is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from sync.reconcile.model import Pair, Side
from sync.store.links import ACTIVE, PARKED, TASK, UNLINKED, settled_pairs
from sync.store.tables import Link

_LINK = SQLModel.metadata.tables["link"].c
_AT_ONCE = 400
_STREAMED = 2_000


@dataclass(frozen=True, slots=True)
class SettledEnd:
    """``calm``: the link is active and no deletion waits. ``seen``: the settled pairs, by rule."""

    link_id: int
    calm: bool
    comments_version: str
    seen: dict[str, Pair] = field(default_factory=dict)


async def ends_of(
    session: AsyncSession, mapping_id: int, side: Side, refs: Iterable[str]
) -> Mapping[str, SettledEnd]:
    """The ends of a mapping's living task links that are these objects: two statements for a page."""
    connection = await session.connection()
    ref = _LINK[f"{side}_ref"]
    columns = ref, _LINK["id"], _LINK["state"], _LINK["gone"], _LINK[f"{side}_comments_version"]
    found: dict[str, SettledEnd] = {}
    ordered = sorted(set(refs))
    for at in range(0, len(ordered), _AT_ONCE):
        query = select(*columns).where(
            _LINK["mapping_id"] == mapping_id,
            _LINK["kind"] == TASK,
            _LINK["state"] != UNLINKED,
            ref.in_(ordered[at : at + _AT_ONCE]),
        )
        by_id: dict[int, SettledEnd] = {}
        for name, link_id, state, gone, comments_version in await connection.execute(query):
            end = SettledEnd(link_id, state == ACTIVE and not gone, comments_version)
            found[str(name)] = by_id[link_id] = end
        for link_id, pairs in (await settled_pairs(session, by_id)).items():
            by_id[link_id].seen.update(pairs)
    return found


async def expected(
    session: AsyncSession, mapping_id: int
) -> AsyncIterator[tuple[int, str | None, str | None]]:
    """Every link that listings should show both ends of: its id and its Refs, streamed."""
    query = select(col(Link.id), col(Link.hub_ref), col(Link.external_ref)).where(
        col(Link.mapping_id) == mapping_id,
        col(Link.kind) == TASK,
        col(Link.state).in_([ACTIVE, PARKED]),
    )
    async for row in await session.stream(query, execution_options={"yield_per": _STREAMED}):
        yield row[0], row[1], row[2]
