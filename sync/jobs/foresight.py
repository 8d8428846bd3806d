"""What a configuration would write: counted before it is applied, written by nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from connectors.errors import ConnectorError
from connectors.records import Record
from sync.configuration import Configuration, MappingConfig
from sync.jobs.admission import left, wanted
from sync.jobs.checking import Findings
from sync.jobs.engine import Engine
from sync.jobs.in_force import InForce, mapping_values, new_mapping, same_mapping
from sync.jobs.people import people_of
from sync.jobs.route import End, Route, make_route
from sync.reconcile import plan_link
from sync.reconcile.model import LinkView, Pair, Side
from sync.store import links
from sync.store.tables import Connection, Link, Mapping

_CREATING = ("direction", "create", "filter", "asana", "since", "match", "container", "connection")
"""Parts of a mapping that decide what is created."""

_UPDATING = ("direction", "filter", "asana", "fields", "conflict", "people", "time_zone")
"""Parts of a mapping that decide what is written to objects in step."""


@dataclass(slots=True)
class Foreseen:
    """Writes that a mapping would bring: objects created, objects updated."""

    creations: int = 0
    updates: int = 0


async def foresee(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: InForce,
    found: Findings,
) -> dict[str, Foreseen]:
    """By mapping, for those whose change can bring writes; from what stands at the providers now."""
    told: dict[str, Foreseen] = {}
    for config in configuration.mappings.values():
        hub, external = rows[config.asana.connection], rows[config.connection]
        known = present.mappings.get(config.name)
        if known is not None and not _same_place(config, known, hub, external):
            known = None  # its links end, and it starts anew
        living = known if known is not None and known.removed_at is None else None
        updating = living is not None and _differs(config, living, _UPDATING)
        if not updating and not _may_create(config, living):
            continue
        mapping = new_mapping(config, engine.now())
        if living is not None:
            mapping.started, mapping.paused_directions = living.started, living.paused_directions
        try:
            async with engine.database.read() as session:
                fallback = config.people.fallback
                now = await people_of(session, hub, external, fallback)
                then = await people_of(session, hub, external, fallback, listed=configuration.people)
            route = await make_route(engine, mapping, hub, external, then)
            before = await make_route(engine, living, hub, external, now) if living and updating else None
            told[config.name] = await _count(engine, route, before, known)
        except ConnectorError as error:
            found.warnings.append(f"{config.name}: what it would write could not be counted: {error.reason}")
            found.uncounted.append(config.name)
    return told


def _same_place(config: MappingConfig, known: Mapping, hub: Connection, external: Connection) -> bool:
    return (
        known.hub_connection_id,
        known.hub_container,
        known.external_connection_id,
        known.external_container,
    ) == (hub.id, config.asana.project, external.id, config.container)


def _may_create(config: MappingConfig, living: Mapping | None) -> bool:
    if config.match.mode == "match_only" or same_mapping(config, living):
        return False
    if living is None:
        return config.since != "now"  # it starts now: nothing is that new
    return _differs(config, living, _CREATING)


def _differs(config: MappingConfig, living: Mapping, parts: Iterable[str]) -> bool:
    values = mapping_values(config)
    return any(living.config.get(part) != values[part] for part in parts)


async def _count(engine: Engine, route: Route, before: Route | None, known: Mapping | None) -> Foreseen:
    """By complete listings of both sides. Objects that a match would pair are counted as created."""
    linked = await _linked(engine, known)
    told, halves = Foreseen(), dict[int, Record]()
    for side in Side:
        async for records in _pages(route.end(side)):
            pairs: dict[int, dict[Side, Record]] = {}
            for record in records:
                link_id = linked.get(str(record.ref))
                if link_id is None:
                    ours = record.created_by_us and record.keys
                    told.creations += not ours and wanted(route, side, record)
                elif before is not None and side is Side.HUB:
                    halves[link_id] = record
                elif before is not None and link_id in halves:
                    pairs[link_id] = {Side.HUB: halves.pop(link_id), side: record}
            if before is not None and pairs:
                told.updates += await _updated(engine, route, before, pairs)
    return told


async def _pages(end: End) -> AsyncIterator[Sequence[Record]]:
    cursor, more = None, True
    while more:
        page = await end.session.listing(end.container, cursor)
        yield [change.record for change in page.changes if change.record]
        cursor, more = page.cursor, page.more


async def _linked(engine: Engine, mapping: Mapping | None) -> dict[str, int]:
    """Ids of the mapping's links, by both Refs. An ended one counts, too: nothing is created for it again."""
    if mapping is None:
        return {}
    async with engine.database.read() as session:
        query = select(col(Link.id), col(Link.hub_ref), col(Link.external_ref)).where(
            col(Link.mapping_id) == mapping.id,
            col(Link.kind) == links.TASK,
        )
        return {ref: id for id, *refs in await session.execute(query) for ref in refs if ref}


async def _updated(engine: Engine, route: Route, before: Route, pairs: Map[int, Map[Side, Record]]) -> int:
    """Updates that follow from the new rules and would not from the present ones."""
    async with engine.database.read() as session:
        seen = await links.seen_of(session, pairs)
    count = 0
    for link_id, records in pairs.items():
        known = links.pairs(seen.get(link_id, {}))
        fresh = _written(route, records, known) - _written(before, records, known)
        count += len({side for side, _ in fresh})
    return count


def _written(route: Route, records: Map[Side, Record], seen: Map[str, Pair]) -> set[tuple[Side | None, str]]:
    """(side, rule) that would be written; the side is None where only the time of an edit tells it."""
    if left(route, records):
        return set()
    plan = plan_link(
        LinkView(
            hub=route.placed(Side.HUB, records[Side.HUB]),
            external=route.placed(Side.EXTERNAL, records[Side.EXTERNAL]),
            rules=route.rules,
            seen=seen,
            translation=route.translation,
            into=route.into,
        )
    )
    return {(write.side, write.rule) for write in plan.writes} | {(None, name) for _, name in plan.undated}
