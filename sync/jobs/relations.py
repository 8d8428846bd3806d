"""Objects that name other objects, as a part names its whole: through the links of what they name.

What is named may get its link later, or never. Until then the field waits, and the link that has it
remembers for what, so that it is looked at again as soon as that is linked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Map

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import FieldKind, Record, Ref
from sync.jobs.engine import Engine
from sync.jobs.looking import look_again
from sync.jobs.route import Route
from sync.reconcile.model import Pair, Side, Unmatched
from sync.store import links
from sync.store.tables import Link, Mapping


async def counterparts(
    engine: Engine, route: Route, records: Map[Side, Record], settled: Map[str, Pair]
) -> dict[Side, dict[str, Ref]]:
    """The counterparts of what these records name in fields that are not settled.

    Side -> id of an object of the other side -> its counterpart on that side.
    """
    named = dict(_named(route, records, settled))
    if not named:
        return {}
    async with engine.database.read() as session:
        return {side.other: await _counterparts(session, route, side, ids) for side, ids in named.items()}


def _named(
    route: Route, records: Map[Side, Record], settled: Map[str, Pair]
) -> Iterator[tuple[Side, Collection[str]]]:
    """(side, ids of the objects that its record names)."""
    rules = [
        rule
        for rule in route.rules
        if rule.hub_kind is rule.external_kind is FieldKind.OBJECT
        and settled.get(rule.name) != Pair(*(records[side].fields.get(rule.field(side)) for side in Side))
    ]
    for side in Side:
        values = {records[side].fields.get(rule.field(side)) for rule in rules}
        if ids := {str(value) for value in values if value is not None}:
            yield side, ids


async def _counterparts(
    session: AsyncSession, route: Route, side: Side, ids: Collection[str]
) -> dict[str, Ref]:
    """By living links between the same two accounts; those of this mapping first."""
    end, mapping = route.end(side), route.mapping
    refs = [str(end.ref(kind, id)) for kind in end.connector.capabilities.kinds for id in ids]
    here, there = (col(Link.hub_ref), col(Link.external_ref))
    query = (
        select(Link)
        .join(Mapping, col(Link.mapping_id) == col(Mapping.id))
        .where(
            (here if side is Side.HUB else there).in_(refs),
            (there if side is Side.HUB else here).is_not(None),
            col(Link.kind) == links.TASK,
            col(Link.state) != links.UNLINKED,
            col(Mapping.hub_connection_id) == mapping.hub_connection_id,
            col(Mapping.external_connection_id) == mapping.external_connection_id,
        )
        .order_by(col(Link.mapping_id) == mapping.id, col(Link.id).desc())
    )
    connection = route.end(side.other).connection
    found: dict[str, Ref] = {}
    for row in (await session.execute(query)).scalars():
        ref = links.end(row, side.other, connection)
        if ref is not None:
            found[getattr(row, f"{side}_id")] = ref
    return found


def awaited(objects: Collection[Unmatched]) -> str:
    """What a link keeps of the object that it waits for; one field at most waits for one."""
    return next((_key(each.side, each.word) for each in objects), "")


async def tell_waiting(session: AsyncSession, link: Link) -> None:
    """Look again at the links that wait for one of the objects of this one, which has just got both."""
    keys = [_key(side, getattr(link, f"{side}_id")) for side in Side]
    query = select(Link).where(col(Link.awaits).in_(keys), col(Link.state) != links.UNLINKED)
    for waiting in (await session.execute(query)).scalars().all():
        await look_again(
            session, waiting, "what it is a part of is linked now", link.looked_at or link.created_at
        )


def _key(side: Side, id: str) -> str:
    return f"{side}:{id}"
