"""What a configuration would write: counted before it is applied, written by nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from sync.jobs.preview import pages
from sync.jobs.route import Route, make_route
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
        prospect = prospect_of(engine, configuration, config, rows, present)
        if not prospect.updates and not prospect.may_create:
            continue
        try:
            route = await prospect.route(engine)
            before = await prospect.route_before(engine) if prospect.updates else None
            told[config.name] = await _count(engine, route, before, prospect.known)
        except ConnectorError as error:
            found.warnings.append(f"{config.name}: what it would write could not be counted: {error.reason}")
            found.uncounted.append(config.name)
    return told


@dataclass(frozen=True, slots=True)
class Prospect:
    """A mapping as a file would have it.

    ``known``: its row whose links it would go on with. ``living``: that row where it is in force now.
    ``people``: the list that would be in force.
    """

    config: MappingConfig
    hub: Connection
    external: Connection
    known: Mapping | None
    people: Sequence[Map[str, str]]

    @property
    def living(self) -> Mapping | None:
        return self.known if self.known is not None and self.known.removed_at is None else None

    @property
    def updates(self) -> bool:
        """Whether objects that are in step may be written."""
        return self.living is not None and _differs(self.config, self.living, _UPDATING)

    @property
    def may_create(self) -> bool:
        """Whether objects may be created that would not be now."""
        return _may_create(self.config, self.living)

    async def route(self, engine: Engine) -> Route:
        """Ready to work as it would be."""
        mapping = new_mapping(self.config, engine.now())
        if self.living is not None:
            mapping.started, mapping.paused_directions = self.living.started, self.living.paused_directions
            mapping.state, mapping.version = self.living.state, self.living.version + 1
        async with engine.database.read() as session:
            fallback = self.config.people.fallback
            people = await people_of(session, self.hub, self.external, fallback, listed=self.people)
        return await make_route(engine, mapping, self.hub, self.external, people)

    async def route_before(self, engine: Engine) -> Route:
        """Ready to work as it is now."""
        assert self.living is not None
        async with engine.database.read() as session:
            people = await people_of(session, self.hub, self.external, self.config.people.fallback)
        return await make_route(engine, self.living, self.hub, self.external, people)


def prospect_of(
    engine: Engine,
    configuration: Configuration,
    config: MappingConfig,
    rows: Map[str, Connection],
    present: InForce,
) -> Prospect:
    """A mapping of the file beside what is in force; one that leads elsewhere starts anew."""
    hub, external = rows[config.asana.connection], rows[config.connection]
    known = present.mappings.get(config.name)
    if known is not None and not _same_place(config, known, hub, external):
        known = None
    return Prospect(config, hub, external, known, configuration.people)


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
        async for records in pages(route.end(side)):
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
