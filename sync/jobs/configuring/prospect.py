"""A mapping as a file would have it, beside the one that is in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass

from sync.configuration import Configuration, MappingConfig
from sync.jobs.configuring.in_force import InForce, mapping_values, new_mapping, same_mapping
from sync.jobs.engine import Engine
from sync.jobs.routing.people import people_of
from sync.jobs.routing.route import Route, make_route
from sync.store.tables import Connection, Mapping

_CREATING = ("direction", "create", "filter", "asana", "since", "match", "container", "connection")
"""Parts of a mapping that decide what is created."""

_UPDATING = ("direction", "filter", "asana", "fields", "conflict", "people", "time_zone", "comments")
"""Parts of a mapping that decide what is written to objects in step."""


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

    @property
    def may_match(self) -> bool:
        """Whether objects that stand on both sides already may be paired by their titles."""
        return self.living is None and self.config.match.mode != "create"

    @property
    def talks(self) -> bool:
        """Whether comments may be copied that were written before.

        Of a mapping that goes already those, too, that were written since its start and left alone.
        """
        if self.living is None:
            return self.config.comments.history
        return _differs(self.config, self.living, ("comments", "direction"))

    async def route(self, engine: Engine) -> Route:
        """Ready to work as it would be."""
        mapping = new_mapping(self.config, self.hub, self.external, engine.now())
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
