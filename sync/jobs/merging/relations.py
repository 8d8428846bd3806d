"""Objects that name other objects, a part its whole, a task those it waits for: through the links of these.

What is named may get its link later, or never. Until then it is waited for, and the link that names it
remembers that, so that it is looked at again as soon as the other one is linked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as Map

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import Record, Ref
from sync.jobs.engine import Engine
from sync.jobs.passing.past import Past
from sync.jobs.routing.route import Route
from sync.jobs.watching.looking import look_again
from sync.reconcile.elements import NAMING, words
from sync.reconcile.model import Pair, Side, Unmatched
from sync.store import links
from sync.store.tables import Link, Mapping
from sync.store.values import parse


async def counterparts(
    engine: Engine, route: Route, records: Map[Side, Record], past: Past
) -> dict[Side, dict[str, Ref]]:
    """The counterparts of what fields that are not settled name, and values that are to be put back."""
    named = _named(route, records, past)
    found: dict[Side, dict[str, Ref]] = {side: {} for side in Side}
    if not any(named.values()):
        return found
    async with engine.database.read() as session:
        for side, ids in named.items():
            for link in await _links(session, route, side, ids):
                ends = {each: links.end(link, each, route.end(each).connection) for each in Side}
                hub, external = ends[Side.HUB], ends[Side.EXTERNAL]
                if hub is not None and external is not None:
                    found[Side.HUB][external.id] = hub
                    found[Side.EXTERNAL][hub.id] = external
    return found


def _named(route: Route, records: Map[Side, Record], past: Past) -> Map[Side, Collection[str]]:
    """Ids of the objects that are named on each side."""
    named: dict[Side, set[str]] = {side: set() for side in Side}
    settled = links.pairs(past.seen)
    for rule in (rule for rule in route.rules if rule.hub_kind in NAMING):
        now = Pair(*(records[side].fields.get(rule.field(side)) for side in Side))
        seen = settled.get(rule.name)
        if seen != now:
            for side in Side:
                named[side].update(words(now.of(side)), words(seen.of(side)) if seen is not None else ())
        for conflict in past.to_restore:
            if conflict.field in (rule.name, rule.hub, rule.external):
                named[Side.HUB].update(words(parse(conflict.hub["value"])))
                named[Side.EXTERNAL].update(words(parse(conflict.external["value"])))
        for revert in past.to_revert:
            if revert.rule == rule.name:
                named[Side(revert.side)].update(words(parse(revert.back)))
    return named


async def _links(session: AsyncSession, route: Route, side: Side, ids: Collection[str]) -> Sequence[Link]:
    """Living links of these objects between the same two accounts; those of this mapping come last."""
    end, mapping = route.end(side), route.mapping
    refs = [str(end.ref(kind, id)) for kind in end.connector.capabilities.kinds for id in ids]
    query = (
        select(Link)
        .join(Mapping, col(Link.mapping_id) == col(Mapping.id))
        .where(
            (col(Link.hub_ref) if side is Side.HUB else col(Link.external_ref)).in_(refs),
            col(Link.kind) == links.TASK,
            col(Link.state) != links.UNLINKED,
            col(Mapping.hub_connection_id) == mapping.hub_connection_id,
            col(Mapping.external_connection_id) == mapping.external_connection_id,
        )
        .order_by(col(Link.mapping_id) == mapping.id, col(Link.id).desc())
    )
    return (await session.execute(query)).scalars().all()


def awaited(objects: Iterable[Unmatched]) -> str:
    """What a link keeps of the objects that it waits for."""
    return "".join(sorted({_key(each.side, each.word) for each in objects}))


async def tell_waiting(session: AsyncSession, *made: Link) -> None:
    """Look again at the links that wait for an object of these, which have just got both of theirs."""
    keys = [_key(side, getattr(link, f"{side}_id")) for link in made for side in Side]
    linked_at = max(link.looked_at or link.created_at for link in made)
    query = select(Link).where(
        col(Link.awaits) > "",  # few do: the index finds them
        or_(*(col(Link.awaits).contains(key, autoescape=True) for key in keys)),
        col(Link.state) != links.UNLINKED,
    )
    for waiting in (await session.execute(query)).scalars().all():
        await look_again(session, waiting, "what it names is linked now", linked_at)


def _key(side: Side, id: str) -> str:
    """Bounded on both ends, so that it is found among others."""
    return f" {side}:{id} "
