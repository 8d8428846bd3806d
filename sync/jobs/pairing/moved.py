"""Objects that live on under another identity: the link of one that moved goes with it.

A read of the old place tells where an object went. The listing of the new place does not tell where it
came from: it shows an object like any new one. So before that gets a counterpart, links of other containers
are asked whose object had the same title, and one of which moved to just here is the one that it has.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import Moved, Record, Ref
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.reconcile.model import Side
from sync.store import links, marks
from sync.store.history import tell
from sync.store.tables import Link, Mapping

_ASKED = 5
"""Of so many objects with the same title it is asked whether they moved."""


async def follow(desk: Desk, link: Link, side: Side, to: Ref) -> None:
    """The link leads to where its object is now."""
    async with desk.engine.database.write() as session:
        stored = await session.get(Link, link.id)
        if stored is not None:
            links.set_end(stored, side, to)
            setattr(stored, f"{side}_version", "")
            session.add(stored)
            tell(session, stored, "in", f"moved to {to.address or to.id}", desk.engine.now())
    links.set_end(link, side, to)


async def came_from(desk: Desk, unit: Unit, side: Side, record: Record) -> Outcome | None:
    """Let the link of an object that came here from another container follow; None if it did not.

    What was not touched since it was made did not move, and a first sync finds what stands where it stands.
    """
    if record.modified_at == record.created_at or all(mark.lane == marks.BACKFILL for mark in unit.marks):
        return None
    async with desk.engine.database.read() as session:
        candidates = await _of_the_same_title(session, desk, side, record)
    refs = {
        ref: link
        for link in candidates
        if (ref := links.end(link, side, desk.route.end(side).connection)) is not None
    }
    found = await desk.route.end(side).session.fetch_many(list(refs)) if refs else {}
    for ref, answer in found.items():
        if isinstance(answer, Moved) and answer.to == record.ref:
            link = refs[ref]
            await follow(desk, link, side, record.ref)
            mark = marks.NewMark(
                mapping_id=link.mapping_id, side=side, ref=record.ref, reason="moved to another container"
            )
            async with desk.engine.database.write() as session:
                await marks.put(session, [mark], desk.engine.now())
            return Later(0.1, "it moved here, and its link with it", attempt=False)
    return None


async def _of_the_same_title(session: AsyncSession, desk: Desk, side: Side, record: Record) -> list[Link]:
    """The newest living links of other containers of this account whose object had this title."""
    of_account, container, title = (
        (Mapping.hub_connection_id, Mapping.hub_container, Link.hub_title)
        if side is Side.HUB
        else (Mapping.external_connection_id, Mapping.external_container, Link.external_title)
    )
    query = (
        select(Link)
        .join(Mapping, col(Link.mapping_id) == col(Mapping.id))
        .where(
            col(of_account) == desk.route.end(side).connection.id,
            col(container) != desk.route.end(side).container,
            col(Mapping.removed_at).is_(None),
            col(Link.kind) == links.TASK,
            col(Link.state) != links.UNLINKED,
            col(title) == str(record.fields.get("title", "")),
        )
        .order_by(col(Link.id).desc())
        .limit(_ASKED)
    )
    return list((await session.execute(query)).scalars())
