"""What configuration is in force now, and whether a new one asks for anything else."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors import discover
from sync.configuration import Configuration, ConnectionConfig, MappingConfig, plain_credentials
from sync.jobs.engine import Engine
from sync.jobs.routing.route import clock_offset
from sync.reconcile.model import Side
from sync.store.errors import SecretKeyError
from sync.store.tables import Connection, Mapping, Setting
from sync.store.times import rfc3339


@dataclass(frozen=True, slots=True)
class InForce:
    """By name; removed rows included: their links, sites and accounts stay known."""

    connections: dict[str, Connection]
    mappings: dict[str, Mapping]
    people: list[dict[str, str]]


async def in_force(engine: Engine) -> InForce:
    async with engine.database.read() as session:
        people = await session.get(Setting, "people")
        return InForce(
            {row.name: row for row in (await session.execute(select(Connection))).scalars()},
            {row.name: row for row in (await session.execute(select(Mapping))).scalars()},
            list(people.value) if people else [],
        )


def connection_row(engine: Engine, config: ConnectionConfig, present: InForce) -> Connection:
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
        with suppress(SecretKeyError):  # sealed with a key that is gone: these take their place
            if engine.vault.open(known.credentials) == credentials:
                row.credentials = known.credentials
    row.credentials = row.credentials or engine.vault.seal(credentials)
    return row


def same_connection(row: Connection, known: Connection | None) -> bool:
    return (
        known is not None
        and known.removed_at is None
        and (known.connector, known.site, known.settings, known.credentials)
        == (row.connector, row.site, row.settings, row.credentials)
    )


def mapping_values(config: MappingConfig) -> dict[str, Any]:
    """The mapping as it is stored."""
    return config.model_dump(mode="json")


def same_mapping(config: MappingConfig, known: Mapping | None) -> bool:
    return known is not None and known.removed_at is None and known.config == mapping_values(config)


def new_mapping(config: MappingConfig, hub: Connection, external: Connection, now: datetime) -> Mapping:
    """A row that is in no database yet."""
    ends = {Side.HUB: hub, Side.EXTERNAL: external}
    # by our clock and by theirs; in whole seconds: some count no finer
    starts = {"at": now} | {side.value: now + clock_offset(end) for side, end in ends.items()}
    return Mapping(
        id=0,
        name=config.name,
        hub_connection_id=0,
        external_connection_id=0,
        hub_container=config.asana.project,
        external_container=config.container,
        config=mapping_values(config),
        started={name: rfc3339(at.replace(microsecond=0)) or "" for name, at in starts.items()},
    )


def changes_to(configuration: Configuration, rows: dict[str, Connection], present: InForce) -> list[str]:
    """What applying it would change, a sentence each."""
    changes: list[str] = []
    for name, row in rows.items():
        known = present.connections.get(name)
        if known is None or known.removed_at is not None:
            changes.append(f"connection {name}: added")
        elif not same_connection(row, known):
            what = "credentials" if known.settings == row.settings else "settings"
            changes.append(f"connection {name}: {what} changed")
    mappings = {config.name: config for config in configuration.mappings.values()}
    for name, config in mappings.items():
        before = present.mappings.get(name)
        if before is None or before.removed_at is not None:
            changes.append(f"mapping {name}: added")
        elif not same_mapping(config, before):
            keys = [key for key, value in mapping_values(config).items() if before.config.get(key) != value]
            changes.append(f"mapping {name}: {', '.join(keys)} changed")
    changes += [
        f"mapping {name}: removed (nothing changes at the providers)"
        for name, gone in present.mappings.items()
        if gone.removed_at is None and name not in mappings
    ]
    changes += [
        f"connection {name}: removed"
        for name, left in present.connections.items()
        if left.removed_at is None and name not in rows
    ]
    if [dict(person) for person in configuration.people] != present.people:
        changes.append("people: changed")
    return changes
