"""How many objects a configuration would create: counted before it is applied, written by nobody."""

from __future__ import annotations

from collections.abc import Mapping as Map

from sqlalchemy import select
from sqlmodel import col

from connectors.errors import ConnectorError
from sync.configuration import Configuration, MappingConfig
from sync.jobs.checking import Findings
from sync.jobs.engine import Engine
from sync.jobs.in_force import InForce, mapping_values, new_mapping, same_mapping
from sync.jobs.newcomers import wanted
from sync.jobs.people import people_of
from sync.jobs.route import Route, make_route
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Connection, Link, Mapping

_WIDENING = ("direction", "create", "filter", "asana", "since", "match", "container", "connection")
"""Parts of a mapping that decide what is created."""


async def count_creations(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: InForce,
    found: Findings,
) -> dict[str, int]:
    """Objects by mapping that would be created from what stands there now."""
    counts: dict[str, int] = {}
    for config in configuration.mappings.values():
        known = present.mappings.get(config.name)
        if not _may_create(config, known):
            continue
        mapping = new_mapping(config, engine.now())
        if known is not None and known.removed_at is None:
            mapping.started = known.started
        hub, external = rows[config.asana.connection], rows[config.connection]
        try:
            async with engine.database.read() as session:
                people = await people_of(session, hub, external, config.people.fallback)
            route = await make_route(engine, mapping, hub, external, people)
            counts[config.name] = await _count(route, await _linked(engine, known))
        except ConnectorError as error:
            found.warnings.append(f"{config.name}: what it would create could not be counted: {error.reason}")
    return counts


def _may_create(config: MappingConfig, known: Mapping | None) -> bool:
    if config.match.mode == "match_only" or same_mapping(config, known):
        return False
    if known is None or known.removed_at is not None:
        return config.since != "now"  # it starts now: nothing is that new
    values = mapping_values(config)
    return any(known.config.get(key) != values[key] for key in _WIDENING)


async def _linked(engine: Engine, mapping: Mapping | None) -> set[str]:
    if mapping is None:
        return set()
    async with engine.database.read() as session:
        query = select(col(Link.hub_ref), col(Link.external_ref)).where(
            col(Link.mapping_id) == mapping.id, col(Link.state) != links.UNLINKED
        )
        return {ref for row in await session.execute(query) for ref in row if ref}


async def _count(route: Route, linked: set[str]) -> int:
    """By complete listings of both sides. Objects that a match would pair are counted, too."""
    count = 0
    for side in Side:
        cursor, end = None, route.end(side)
        while True:
            page = await end.session.listing(end.container, cursor)
            count += sum(
                1
                for change in page.changes
                if change.record
                and str(change.ref) not in linked
                and not change.record.created_by_us
                and wanted(route, side, change.record)
            )
            cursor = page.cursor
            if not page.more:
                break
    return count
