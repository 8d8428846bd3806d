"""A mapping made ready to work: both ends open, its rules and its people at hand."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from connectors import discover
from connectors.base import Connector, Session
from connectors.discussions import Discussion
from connectors.records import SECTION, FieldSpec, Record, Ref
from sync.configuration import MappingConfig
from sync.jobs.connecting import states
from sync.jobs.engine import Engine
from sync.jobs.routing.field_lists import fields_of
from sync.jobs.routing.ruling import DIRECTIONS, rules
from sync.jobs.routing.scoping import meant, scopes, unresolved
from sync.reconcile import Scope
from sync.reconcile.model import People, Rule, Side, Translation
from sync.store import field_lists
from sync.store.tables import Connection, Mapping, Setting
from sync.store.times import parse_time

TOLD_LATE = timedelta(seconds=1)
"""Between the time that an object shows for a change and the one that its event tells."""


@dataclass(frozen=True, slots=True)
class End:
    """One side of a mapping, open."""

    side: Side
    connection: Connection
    connector: Connector
    session: Session
    container: str

    def holds(self, record: Record) -> bool:
        """Whether the object still is in the mapped container."""
        return any(place.casefold() == self.container.casefold() for place in record.places)

    def contains(self, read: datetime, change: datetime) -> bool:
        """Whether a record of that time certainly shows a change of that time, by the provider's clock."""
        return read > change or (read == change and self.connector.capabilities.clock_resolution_s < 1)

    @property
    def offset(self) -> timedelta:
        """As :func:`clock_offset`."""
        return clock_offset(self.connection)

    def ref(self, kind: str, object_id: str, address: str = "") -> Ref:
        return Ref(self.connector.name, self.connection.site, kind, object_id, address)


def clock_offset(connection: Connection) -> timedelta:
    """The provider's clock minus ours; below a second it cannot be told from the resolution of Date."""
    seconds = connection.clock_offset_s
    return timedelta(seconds=seconds if abs(seconds) > 1 else 0)


@dataclass(frozen=True, slots=True)
class Route:
    """One mapping, as it stood when the pass began."""

    mapping: Mapping
    config: MappingConfig
    ends: Map[Side, End]
    rules: tuple[Rule, ...]
    people: People
    fields: Map[Side, Sequence[FieldSpec]]
    """What there is to pair in either container."""
    scopes: Map[Side, Scope]
    """Which objects are let in on either side."""
    paused: bool = False
    """Whether everything is paused, not only this mapping."""
    blind: bool = False
    """Whether nobody knows yet which fields there are: no rules, and everything is news."""

    def end(self, side: Side) -> End:
        return self.ends[side]

    @property
    def stamp(self) -> str:
        """``name@version``, for the User-Agent of writes."""
        return f"{self.mapping.name}@{self.mapping.version}"

    @property
    def into(self) -> frozenset[Side]:
        """Sides that may be written: the direction less what is paused."""
        return DIRECTIONS[self.config.direction] - self.held

    @property
    def held(self) -> frozenset[Side]:
        """Sides that nothing at all is written to now, also where no field goes there: no card."""
        return frozenset(side for word in self.mapping.paused_directions for side in DIRECTIONS[word])

    @property
    def translation(self) -> Translation:
        return Translation(
            people=self.people,
            through={side: end.session.through for side, end in self.ends.items()},
            same={side: end.session.same for side, end in self.ends.items()},
            zone=ZoneInfo(self.config.time_zone),
        )

    def placed(self, side: Side, record: Record) -> Record:
        """The record with the section that it has in the mapped container among its fields."""
        if not any(rule.field(side) == SECTION for rule in self.rules):
            return record
        container = self.end(side).container.casefold()
        for place, section in record.places.items():
            if place.casefold() == container:
                return replace(record, fields={**record.fields, SECTION: section})
        return record

    @property
    def landing(self) -> str | None:
        """The section where new tasks go if no rule and no filter says otherwise."""
        chosen = self.config.asana.section
        sections = next((spec for spec in self.fields[Side.HUB] if spec.name == SECTION), None)
        return meant(chosen, sections) if chosen is not None else None

    def since(self, side: Side) -> datetime | None:
        """Objects created before this time, by the provider's clock, stay out; None lets all in."""
        if self.config.since == "all":
            return None
        return self.started(side) if self.config.since == "now" else _midnight(self.config.since)

    def started(self, side: Side) -> datetime:
        """The mapping's start by that provider's clock: as it went then, or goes now if that is earlier.

        A clock that was put back dates what is new before the start, and must not keep it out.
        """
        told = self.mapping.started
        times = [parse_time(told[side])] if side in told else []
        if "at" in told:
            times.append(parse_time(told["at"]) + self.end(side).offset)
        return min(times)

    def creates(self, into: Side) -> bool:
        """Whether new objects are made on that side."""
        if self.config.match.mode == "match_only":
            return False
        word = "to_asana" if into is Side.HUB else "from_asana"
        return into in DIRECTIONS[self.config.direction] and bool(getattr(self.config.create, word))

    def is_cut(self, now: datetime) -> bool:
        """Whether nothing may be asked at one end, or the mapping is stopped."""
        return self.mapping.state == "stopped" or any(
            states.rests(end.connection, now) for end in self.ends.values()
        )

    def rests(self, now: datetime) -> bool:
        """Whether nothing may be written now: paused, or cut."""
        return self.paused or self.mapping.paused or self.is_cut(now)

    def own_names(self, side: Side) -> frozenset[str]:
        """What changes call our own account there: its id, or its login."""
        connection = self.end(side).connection
        return frozenset({connection.account_id, connection.account_name}) - {""}

    def copies_comments(self) -> frozenset[Side]:
        """Sides that comments are copied to."""
        allowed = {
            side
            for side, word in ((Side.HUB, "to_asana"), (Side.EXTERNAL, "from_asana"))
            if getattr(self.config.comments, word)
        }
        return self.into & allowed

    def copies_attachments(self) -> frozenset[Side]:
        """Sides that files are copied to: both providers must know files."""
        allowed = {
            side
            for side, word in ((Side.HUB, "to_asana"), (Side.EXTERNAL, "from_asana"))
            if getattr(self.config.attachments, word)
        }
        has_files = all(end.connector.capabilities.attachments != "none" for end in self.ends.values())
        return self.into & allowed if has_files else frozenset()

    @property
    def comments_since(self) -> Map[Side, datetime] | None:
        """Comments from before stay where they are, by their provider's clock; None copies all."""
        return None if self.config.comments.history else {side: self.started(side) for side in Side}

    def copied_part(
        self, side: Side, discussion: Discussion, from_then: Map[Side, datetime] | None
    ) -> Discussion:
        """A discussion with those comments alone that are copied: what is in others stays where it is."""
        if side.other not in self.copies_comments():
            return replace(discussion, comments=())
        since = None if from_then is None else from_then[side]
        return replace(
            discussion,
            comments=tuple(
                comment
                for comment in discussion.comments
                if not comment.private and (since is None or comment.created_at >= since)
            ),
        )


def _midnight(since: date | datetime | str) -> datetime:
    if isinstance(since, datetime):
        return since if since.tzinfo else since.replace(tzinfo=UTC)
    if isinstance(since, date):
        return datetime.combine(since, time(), UTC)
    return parse_time(since)


_hub_row, _external_row = aliased(Connection), aliased(Connection)
_paused, _people = aliased(Setting), aliased(Setting)
_ROWS = (  # made once: every batch of every pass asks it
    select(Mapping, _hub_row, _external_row, col(_paused.value), col(_people.value))
    .join(_hub_row, col(_hub_row.id) == col(Mapping.hub_connection_id))
    .join(_external_row, col(_external_row.id) == col(Mapping.external_connection_id))
    .outerjoin(_paused, col(_paused.key) == "paused")
    .outerjoin(_people, col(_people.key) == "people")
    .where(col(Mapping.id) == bindparam("mapping_id"), col(Mapping.removed_at).is_(None))
)


async def open_route(engine: Engine, mapping_id: int, *, asking: bool = True) -> Route | None:
    """Load a mapping and open both ends; None where it was removed.

    Args:
        asking: whether the providers may be asked for their fields. If not, the route may be ``blind``.

    Raises:
        ConnectorError: a provider has never told yet which fields there are, and does not now.
    """
    async with engine.database.read() as session:
        row = (await session.execute(_ROWS, {"mapping_id": mapping_id})).first()
        if row is None:
            return None
        mapping, hub, external, paused, listed = row
        fallback = MappingConfig.model_validate(mapping.config).people.fallback
        people = await engine.people.of(session, hub, external, fallback, listed or [])
    return await make_route(engine, mapping, hub, external, people, paused=bool(paused), asking=asking)


async def make_route(
    engine: Engine,
    mapping: Mapping,
    hub: Connection,
    external: Connection,
    people: People,
    *,
    paused: bool = False,
    asking: bool = True,
) -> Route:
    """A route over these rows, stored or not."""
    config = MappingConfig.model_validate(mapping.config)
    ends = {
        Side.HUB: await _end(engine, Side.HUB, hub, mapping.hub_container),
        Side.EXTERNAL: await _end(engine, Side.EXTERNAL, external, mapping.external_container),
    }
    told = await (_asked(engine, mapping, config, ends) if asking else _told(engine, ends))
    fields = told or dict.fromkeys(Side, ())
    return Route(
        mapping=mapping,
        config=config,
        ends=ends,
        rules=rules(config, fields[Side.HUB], fields[Side.EXTERNAL]),
        fields=fields,
        scopes=scopes(config, fields),
        people=people,
        paused=paused,
        blind=told is None,
    )


_Fields = Map[Side, Sequence[FieldSpec]]


async def _asked(engine: Engine, mapping: Mapping, config: MappingConfig, ends: Map[Side, End]) -> _Fields:
    fields = {side: await fields_of(engine, end.connection, end.container) for side, end in ends.items()}
    applied_anew = engine.fields_asked_for.get(mapping.id) != mapping.version
    engine.fields_asked_for[mapping.id] = mapping.version
    if not unresolved(config, fields) and not (applied_anew and _is_younger(config, fields)):
        return fields
    now = timedelta()  # an option that somebody is making is let in with the first object that has it
    return {
        side: await fields_of(engine, end.connection, end.container, fresh=now) for side, end in ends.items()
    }


def _is_younger(config: MappingConfig, fields: _Fields) -> bool:
    """Whether a rule names a field that was not told of: made just before the rule, perhaps."""
    if config.fields == "default":
        return False
    names = {side: {spec.name for spec in specs} for side, specs in fields.items()}
    return any(
        rule.asana not in names[Side.HUB] or rule.external not in names[Side.EXTERNAL]
        for rule in config.fields
    )


async def _told(engine: Engine, ends: Map[Side, End]) -> _Fields | None:
    """None while the fields of one side were never told."""
    fields: dict[Side, Sequence[FieldSpec]] = {}
    async with engine.database.read() as session:
        for side, end in ends.items():
            specs = await field_lists.told(session, end.connection.id, end.container)
            if specs is None:
                return None
            fields[side] = specs
    return fields


async def _end(engine: Engine, side: Side, connection: Connection, container: str) -> End:
    connector = discover()[connection.connector]
    return End(side, connection, connector, await engine.sessions.get(connection), container)


async def mappings_on(
    session: AsyncSession, connection_id: int, container: str
) -> list[tuple[Mapping, Side]]:
    """Living mappings that have this container on one of their sides."""
    query = select(Mapping).where(
        col(Mapping.removed_at).is_(None),
        (col(Mapping.hub_connection_id) == connection_id)
        | (col(Mapping.external_connection_id) == connection_id),
    )
    found: list[tuple[Mapping, Side]] = []
    for mapping in (await session.execute(query)).scalars():
        if mapping.hub_connection_id == connection_id and mapping.hub_container == container:
            found.append((mapping, Side.HUB))
        if mapping.external_connection_id == connection_id and mapping.external_container == container:
            found.append((mapping, Side.EXTERNAL))
    return found
