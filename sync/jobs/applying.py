"""Make a configuration the one in force: everything is checked first, nothing is applied by half."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors import discover
from connectors.errors import ConnectorError, PauseConnection, PauseMapping
from connectors.records import Account, Container
from sync.configuration import (
    Configuration,
    ConfigurationInvalid,
    ConnectionConfig,
    MappingConfig,
    Problem,
    plain_credentials,
)
from sync.jobs.engine import Engine
from sync.jobs.newcomers import wanted
from sync.jobs.people import people_of
from sync.jobs.route import make_route
from sync.reconcile.model import Side
from sync.store import links, marks
from sync.store.tables import Audit, Connection, Link, Mapping, Seen, Setting
from sync.store.times import rfc3339

WRITES_WITHOUT_ASKING = 50


@dataclass(slots=True)
class Applied:
    """What an ``apply`` did, or would do."""

    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    creations: dict[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> int:
        return sum(self.creations.values())


class NeedsConsent(Exception):
    """More writes would follow than are made without asking."""

    def __init__(self, applied: Applied) -> None:
        super().__init__(f"{applied.writes} objects would be created")
        self.applied = applied


@dataclass(frozen=True, slots=True)
class _Present:
    """What is in force now, by name; removed rows included."""

    connections: dict[str, Connection]
    mappings: dict[str, Mapping]
    people: list[dict[str, str]]


async def apply(
    engine: Engine, configuration: Configuration, *, dry_run: bool = False, consent: bool = False
) -> Applied:
    """Check the configuration against the providers, then store it in one transaction.

    Raises:
        ConfigurationInvalid: with everything the providers refuse.
        NeedsConsent: more than fifty writes would follow and ``consent`` is False.
    """
    present = await _present(engine)
    rows = {config.name: _connection_row(engine, config, present) for config in configuration.connections}
    applied = Applied()
    await _check(engine, configuration, rows, present, applied)
    await _count_writes(engine, configuration, rows, present, applied)
    _tell_changes(configuration, rows, present, applied)
    if dry_run:
        return applied
    if applied.writes > WRITES_WITHOUT_ASKING and not consent:
        raise NeedsConsent(applied)
    if applied.changes:
        await _store(engine, configuration, rows, present, applied)
    return applied


async def _present(engine: Engine) -> _Present:
    async with engine.database.read() as session:
        people = await session.get(Setting, "people")
        return _Present(
            {row.name: row for row in (await session.execute(select(Connection))).scalars()},
            {row.name: row for row in (await session.execute(select(Mapping))).scalars()},
            list(people.value) if people else [],
        )


def _connection_row(engine: Engine, config: ConnectionConfig, present: _Present) -> Connection:
    """The row as it shall be; the stored ciphertext is kept where the credentials are the same."""
    connector = discover()[config.connector]
    settings = connector.settings.model_validate(config.settings)
    credentials = plain_credentials(connector, config.credentials)
    known = present.connections.get(config.name)
    row = Connection(
        name=config.name,
        connector=config.connector,
        site=connector.site(settings),
        settings=settings.model_dump(mode="json"),
        credentials="",
    )
    if known is not None:
        row.id, row.account_id, row.account_name = known.id, known.account_id, known.account_name
        row.clock_offset_s, row.blocked_until = known.clock_offset_s, known.blocked_until
        if engine.vault.open(known.credentials) == credentials:
            row.credentials = known.credentials
    row.credentials = row.credentials or engine.vault.seal(credentials)
    return row


def _same_connection(row: Connection, known: Connection | None) -> bool:
    return (
        known is not None
        and known.removed_at is None
        and (known.connector, known.site, known.settings, known.credentials)
        == (row.connector, row.site, row.settings, row.credentials)
    )


def _mapping_values(config: MappingConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _same_mapping(config: MappingConfig, known: Mapping | None) -> bool:
    return known is not None and known.removed_at is None and known.config == _mapping_values(config)


async def _check(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: _Present,
    applied: Applied,
) -> None:
    """Ask the providers about everything new or changed; who does not answer now is a warning."""
    problems: list[Problem] = []
    for at, config in enumerate(configuration.connections):
        row, known = rows[config.name], present.connections.get(config.name)
        path = f"connections[{at}]"
        if known is not None and known.removed_at is None:
            if (known.connector, known.site) != (row.connector, row.site):
                problems.append(
                    Problem(
                        f"{path}.settings",
                        f"leads to another place ({row.site}) than before ({known.site}); "
                        "give the new one another name",
                    )
                )
                continue
            if _same_connection(row, known):
                continue
        account = await _account(engine, row, path, problems, applied)
        if account is None:
            continue
        if row.account_id and account.id != row.account_id:
            problems.append(
                Problem(
                    f"{path}.credentials",
                    f"belong to {account.name}, but this connection is {row.account_name}'s; "
                    "give the new one another name",
                )
            )
        row.account_id, row.account_name = account.id, account.name
        row.clock_offset_s, row.missing = account.clock_offset_s, list(account.missing)
        applied.warnings += [f"{config.name}: {sentence}" for sentence in account.missing]
    for at, mapping in enumerate(configuration.mappings):
        if not _same_mapping(mapping, present.mappings.get(mapping.name)):
            await _check_mapping(engine, mapping, f"mappings[{at}]", rows, problems, applied)
    if problems:
        raise ConfigurationInvalid(problems)


async def _account(
    engine: Engine, row: Connection, path: str, problems: list[Problem], applied: Applied
) -> Account | None:
    try:
        return await (await engine.sessions.get(row)).check()
    except PauseConnection as error:
        problems.append(Problem(f"{path}.credentials", f"{row.name} refuses them: {error.reason}"))
    except ConnectorError as error:
        applied.warnings.append(f"{row.name} could not be checked now: {error.reason}")
    return None


async def _check_mapping(
    engine: Engine,
    mapping: MappingConfig,
    path: str,
    rows: Map[str, Connection],
    problems: list[Problem],
    applied: Applied,
) -> None:
    places = (
        (mapping.connection, mapping.container, f"{path}.container"),
        (mapping.asana.connection, mapping.asana.project, f"{path}.asana.project"),
    )
    if any(problem.path.startswith("connections") for problem in problems):
        return
    found: list[Container | None] = []
    for connection, container, where in places:
        try:
            session = await engine.sessions.get(rows[connection])
            found.append(await session.container(container))
        except (PauseMapping, PauseConnection) as error:
            problems.append(Problem(where, f"{connection} cannot see {container!r}: {error.reason}"))
            found.append(None)
        except ConnectorError as error:
            applied.warnings.append(f"{container} could not be checked now: {error.reason}")
            found.append(None)
    external, hub = found
    if hub is not None and hub.sections:
        chosen = {
            f"{path}.asana.section": mapping.asana.section,
            **{
                f"{path}.asana.filter.sections[{n}]": gid
                for n, gid in enumerate(mapping.asana.filter.sections)
            },
        }
        known = ", ".join(f"{name} ({gid})" for gid, name in hub.sections.items())
        problems += [
            Problem(where, f"is no section of {hub.name}; known: {known}")
            for where, gid in chosen.items()
            if gid is not None and gid not in hub.sections
        ]
    if (
        external is not None
        and external.public
        and mapping.comments.from_asana
        and mapping.direction != "to_asana"
    ):
        applied.warnings.append(
            f"{mapping.name}: {external.name} is public: everybody will read the comments copied from Asana"
        )
    await _check_fields(engine, mapping, path, rows, problems)


async def _check_fields(
    engine: Engine, mapping: MappingConfig, path: str, rows: Map[str, Connection], problems: list[Problem]
) -> None:
    if mapping.fields == "default":
        return
    sides = (
        (
            "asana",
            await (await engine.sessions.get(rows[mapping.asana.connection])).fields(mapping.asana.project),
        ),
        ("external", await (await engine.sessions.get(rows[mapping.connection])).fields(mapping.container)),
    )
    for at, rule in enumerate(mapping.fields):
        kinds = []
        for word, specs in sides:
            by_name = {spec.name: spec for spec in specs}
            name = getattr(rule, word)
            if name not in by_name:
                problems.append(
                    Problem(
                        f"{path}.fields[{at}].{word}",
                        f"there is no field {name!r}; known: {', '.join(by_name)}",
                    )
                )
            else:
                kinds.append(by_name[name].kind.value)
        people = {"person", "people"}
        if len(kinds) == 2 and kinds[0] != kinds[1] and not set(kinds) <= people:
            problems.append(
                Problem(
                    f"{path}.fields[{at}]",
                    f"a {kinds[0]} field cannot stand for a {kinds[1]} field; pair like with like",
                )
            )


async def _count_writes(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: _Present,
    applied: Applied,
) -> None:
    """Count what a new or widened mapping would create; ``since: now`` creates nothing old."""
    for config in configuration.mappings:
        known = present.mappings.get(config.name)
        if config.since == "now" or config.match.mode == "match_only" or _same_mapping(config, known):
            continue
        hub, external = rows[config.asana.connection], rows[config.connection]
        mapping = _new_mapping(config, engine.now())
        linked = await _linked(engine, known)
        try:
            async with engine.database.read() as session:
                people = await people_of(session, hub, external, config.people.fallback)
            route = await make_route(engine, mapping, hub, external, people)
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
            applied.creations[config.name] = count
        except ConnectorError as error:
            applied.warnings.append(
                f"{config.name}: what it would create could not be counted: {error.reason}"
            )


async def _linked(engine: Engine, mapping: Mapping | None) -> set[str]:
    if mapping is None:
        return set()
    async with engine.database.read() as session:
        query = select(col(Link.hub_ref), col(Link.external_ref)).where(
            col(Link.mapping_id) == mapping.id, col(Link.state) != links.UNLINKED
        )
        return {ref for row in await session.execute(query) for ref in row if ref}


def _tell_changes(
    configuration: Configuration, rows: Map[str, Connection], present: _Present, applied: Applied
) -> None:
    for name, row in rows.items():
        known = present.connections.get(name)
        if known is None or known.removed_at is not None:
            applied.changes.append(f"connection {name}: added")
        elif not _same_connection(row, known):
            what = "credentials" if known.settings == row.settings else "settings"
            applied.changes.append(f"connection {name}: {what} changed")
    for config in configuration.mappings:
        known_mapping = present.mappings.get(config.name)
        if known_mapping is None or known_mapping.removed_at is not None:
            applied.changes.append(f"mapping {config.name}: added")
        elif not _same_mapping(config, known_mapping):
            keys = [
                key
                for key, value in _mapping_values(config).items()
                if known_mapping.config.get(key) != value
            ]
            applied.changes.append(f"mapping {config.name}: {', '.join(keys)} changed")
    wanted_names = {config.name for config in configuration.mappings}
    applied.changes += [
        f"mapping {name}: removed (nothing changes at the providers)"
        for name, row in present.mappings.items()
        if row.removed_at is None and name not in wanted_names
    ]
    applied.changes += [
        f"connection {name}: removed"
        for name, row in present.connections.items()
        if row.removed_at is None and name not in rows
    ]
    if [dict(person) for person in configuration.people] != present.people:
        applied.changes.append("people: changed")


def _new_mapping(config: MappingConfig, now: datetime) -> Mapping:
    return Mapping(
        id=0,
        name=config.name,
        hub_connection_id=0,
        external_connection_id=0,
        hub_container=config.asana.project,
        external_container=config.container,
        config=_mapping_values(config),
        started={"at": rfc3339(now) or ""},
    )


async def _store(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: _Present,
    applied: Applied,
) -> None:
    now = engine.now()
    async with engine.database.write() as session:
        ids = {name: await _store_connection(session, row, present, now) for name, row in rows.items()}
        for config in configuration.mappings:
            await _store_mapping(session, config, ids, present, now)
        names = {config.name for config in configuration.mappings}
        for name, mapping in present.mappings.items():
            if name not in names and mapping.removed_at is None:
                await session.execute(
                    update(Mapping)
                    .where(col(Mapping.id) == mapping.id)
                    .values(removed_at=now, version=mapping.version + 1)
                )
        for name, connection in present.connections.items():
            if name not in rows and connection.removed_at is None:
                await session.execute(
                    update(Connection).where(col(Connection.id) == connection.id).values(removed_at=now)
                )
        await session.execute(delete(Setting).where(col(Setting.key) == "people"))
        session.add(Setting(key="people", value=[dict(person) for person in configuration.people]))
        session.add(Audit(at=now, action="apply", detail={"changes": applied.changes}))
        living = (
            await session.execute(select(col(Mapping.id)).where(col(Mapping.removed_at).is_(None)))
        ).scalars()
        await marks.hurry(session, list(living), now)


async def _store_connection(session: AsyncSession, row: Connection, present: _Present, now: datetime) -> int:
    known = present.connections.get(row.name)
    if known is None:
        row.checked_at = None  # the worker checks it at once, and learns its people
        session.add(row)
        await session.flush()
        return row.id
    if not _same_connection(row, known):
        stored = await session.get(Connection, known.id)
        assert stored is not None
        stored.settings, stored.credentials, stored.site = row.settings, row.credentials, row.site
        stored.account_id, stored.account_name = row.account_id, row.account_name
        stored.missing, stored.clock_offset_s = row.missing, row.clock_offset_s
        stored.state, stored.reason, stored.removed_at = "ok", "", None
        session.add(stored)
    return known.id


async def _store_mapping(
    session: AsyncSession, config: MappingConfig, ids: Map[str, int], present: _Present, now: datetime
) -> None:
    known = present.mappings.get(config.name)
    fresh = _new_mapping(config, now)
    hub_id, external_id = ids[config.asana.connection], ids[config.connection]
    if known is None:
        fresh.id = None  # type: ignore[assignment]  # the database gives it
        fresh.hub_connection_id, fresh.external_connection_id = hub_id, external_id
        session.add(fresh)
        return
    if _same_mapping(config, known) and (known.hub_connection_id, known.external_connection_id) == (
        hub_id,
        external_id,
    ):
        return
    stored = await session.get(Mapping, known.id)
    assert stored is not None
    places = (
        stored.hub_connection_id,
        stored.hub_container,
        stored.external_connection_id,
        stored.external_container,
    )
    elsewhere = places != (hub_id, config.asana.project, external_id, config.container)
    if elsewhere:
        await session.execute(delete(Link).where(col(Link.mapping_id) == stored.id))
    if elsewhere or stored.removed_at is not None:
        stored.state, stored.started, stored.full_pass_counts = "first_sync", fresh.started, {}
    elif stored.state == "stopped":
        stored.state = "active"
    await _forget_fields(session, stored.id, config)
    stored.hub_connection_id, stored.external_connection_id = hub_id, external_id
    stored.hub_container, stored.external_container = config.asana.project, config.container
    stored.config, stored.version = fresh.config, stored.version + 1
    stored.reason, stored.removed_at, stored.full_pass_due = "", None, True
    stored.approval = None
    session.add(stored)


async def _forget_fields(session: AsyncSession, mapping_id: int, config: MappingConfig) -> None:
    """Fields that are no longer mapped lose their Seen; nothing is blanked anywhere."""
    if config.fields == "default":
        return
    names = [rule.asana for rule in config.fields]
    below = select(col(Link.id)).where(col(Link.mapping_id) == mapping_id, col(Link.kind) == links.TASK)
    await session.execute(delete(Seen).where(col(Seen.link_id).in_(below), col(Seen.field).not_in(names)))


async def exported(engine: Engine) -> dict[str, Any]:
    """What is in force, in the shape of the configuration file; credentials are named, never shown."""
    present = await _present(engine)
    living = [row for row in present.connections.values() if row.removed_at is None]
    return {
        "connections": [
            {
                "name": row.name,
                "connector": row.connector,
                "settings": row.settings,
                "credentials": {
                    key: f"${{{row.name.upper().replace('-', '_').replace('.', '_')}_{key.upper()}}}"
                    for key in engine.vault.open(row.credentials)
                },
            }
            for row in living
        ],
        "people": present.people,
        "mappings": [row.config for row in present.mappings.values() if row.removed_at is None],
    }
