"""What another mapping has a task for already: if that lies in this project, it is linked, not made again.

Filters of two mappings may overlap, and a task may be in several projects. Nothing is created a second time.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from connectors.records import Record
from sync.jobs.pairing import matching
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import DID, Later, Outcome
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Link, Mapping


async def join(desk: Desk, side: Side, record: Record) -> Outcome | None:
    """Link an external object to the task that another mapping keeps for it here, if there is one."""
    if side is not Side.EXTERNAL:
        return None
    found = await _elsewhere(desk, record)
    if any(
        link.hub_ref is None and container == desk.route.mapping.hub_container for link, container in found
    ):
        return Later(1, "another mapping makes its task in this project now", attempt=False)
    end = desk.route.end(Side.HUB)
    refs = [ref for link, _ in found if (ref := links.end(link, Side.HUB, end.connection)) is not None]
    read = await end.session.fetch_many(refs) if refs else {}
    tasks = [task for task in read.values() if isinstance(task, Record) and end.holds(task)]
    if not tasks:
        return None
    await matching.keep(desk.engine, desk.route, matching.Pairs(sure=[(tasks[0], record, "match")]))
    return DID


async def _elsewhere(desk: Desk, record: Record) -> Sequence[tuple[Link, str]]:
    """(living link, project) of other mappings over the same account of the hub."""
    mapping = desk.route.mapping
    query = (
        select(Link, col(Mapping.hub_container))
        .join(Mapping, col(Link.mapping_id) == col(Mapping.id))
        .where(
            col(Link.external_ref) == str(record.ref),
            col(Link.kind) == links.TASK,
            col(Link.state) != links.UNLINKED,
            col(Mapping.id) != mapping.id,
            col(Mapping.hub_connection_id) == mapping.hub_connection_id,
            col(Mapping.removed_at).is_(None),
        )
    )
    async with desk.engine.database.read() as session:
        return [(link, container) for link, container in await session.execute(query)]
