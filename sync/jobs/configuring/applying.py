"""Make a configuration the one in force: everything is checked first, nothing is applied by half."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.configuration import Configuration, ConfigurationInvalid, MappingConfig, rule_names
from sync.jobs.asked.preview import Tell, silent
from sync.jobs.configuring.checking import ask_providers
from sync.jobs.configuring.foresight import Foreseen, foresee
from sync.jobs.configuring.in_force import (
    InForce,
    changes_to,
    connection_row,
    in_force,
    new_mapping,
    same_connection,
    same_mapping,
)
from sync.jobs.configuring.publicity import kept_private
from sync.jobs.engine import Engine
from sync.store import links, marks
from sync.store.audit import note
from sync.store.tables import Connection, Link, Mapping, Mark, Seen, Setting

WRITES_WITHOUT_ASKING = 50


@dataclass(slots=True)
class Applied:
    """What an ``apply`` did, or would do."""

    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    foreseen: dict[str, Foreseen] = field(default_factory=dict)
    """By mapping, for those that bring writes of their own."""

    @property
    def writes(self) -> int:
        return sum(each.writes for each in self.foreseen.values())


class NeedsConsent(Exception):
    """More writes would follow than are made without asking."""

    def __init__(self, applied: Applied, uncounted: Sequence[str] = ()) -> None:
        unknown = f", and what {', '.join(uncounted)} would write could not be counted" if uncounted else ""
        super().__init__(f"{applied.writes} writes would follow{unknown}")
        self.applied = applied


async def apply(
    engine: Engine,
    configuration: Configuration,
    *,
    dry_run: bool = False,
    consent: bool = False,
    other_accounts: Collection[str] = (),
    tell: Tell = silent,
) -> Applied:
    """Check the configuration against the providers, then store it in one transaction.

    Args:
        consent: more than fifty writes may follow.
        other_accounts: connections whose new credentials may belong to another account than before.
        tell: how far the counting is.

    Raises:
        ConfigurationInvalid: with all that was wrong in the file and everything the providers refuse.
        NeedsConsent: more than fifty writes would follow and ``consent`` is False.
    """
    present = await in_force(engine)
    rows = {
        config.name: connection_row(engine, config, present) for config in configuration.connections.values()
    }
    configuration, kept = await kept_private(engine, configuration, rows, present)
    found = await ask_providers(engine, configuration, rows, present, other_accounts)
    found.warnings += kept
    if configuration.problems or found.problems:
        raise ConfigurationInvalid([*configuration.problems, *found.problems])
    foreseen = await foresee(engine, configuration, rows, present, found, tell)
    applied = Applied(changes_to(configuration, rows, present), found.warnings, foreseen)
    if dry_run:
        return applied
    if (applied.writes > WRITES_WITHOUT_ASKING or found.uncounted) and not consent:
        raise NeedsConsent(applied, found.uncounted)
    if applied.changes:
        await _store(engine, configuration, rows, present, applied)
    return applied


async def _store(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: InForce,
    applied: Applied,
) -> None:
    now = engine.now()
    async with engine.database.write() as session:
        ids = {name: await _store_connection(session, row, present, now) for name, row in rows.items()}
        for config in configuration.mappings.values():
            await _store_mapping(session, config, rows, ids, present, now)
        names = {config.name for config in configuration.mappings.values()}
        for name, mapping in present.mappings.items():
            if name not in names and mapping.removed_at is None:
                await session.execute(
                    update(Mapping)
                    .where(col(Mapping.id) == mapping.id)
                    .values(removed_at=now, version=mapping.version + 1)
                )
                await session.execute(delete(Mark).where(col(Mark.mapping_id) == mapping.id))
        for name, connection in present.connections.items():
            if name not in rows and connection.removed_at is None:
                await session.execute(
                    update(Connection).where(col(Connection.id) == connection.id).values(removed_at=now)
                )
        await session.execute(delete(Setting).where(col(Setting.key) == "people"))
        session.add(Setting(key="people", value=[dict(person) for person in configuration.people]))
        note(session, "apply", changes=applied.changes)
        living = (
            await session.execute(select(col(Mapping.id)).where(col(Mapping.removed_at).is_(None)))
        ).scalars()
        await marks.hurry(session, list(living), now)


async def _store_connection(session: AsyncSession, row: Connection, present: InForce, now: datetime) -> int:
    known = present.connections.get(row.name)
    if known is None:
        row.checked_at = None  # the worker checks it at once, and learns its people
        session.add(row)
        await session.flush()
        return row.id
    if not same_connection(row, known):
        stored = await session.get(Connection, known.id)
        assert stored is not None
        stored.settings, stored.credentials, stored.site = row.settings, row.credentials, row.site
        stored.account_id, stored.account_name = row.account_id, row.account_name
        stored.missing, stored.clock_offset_s = row.missing, row.clock_offset_s
        stored.state, stored.reason = "ok", ""
        if stored.removed_at is not None:
            stored.removed_at, stored.paused = None, False
        session.add(stored)
    return known.id


async def _store_mapping(
    session: AsyncSession,
    config: MappingConfig,
    rows: Map[str, Connection],
    ids: Map[str, int],
    present: InForce,
    now: datetime,
) -> None:
    known = present.mappings.get(config.name)
    fresh = new_mapping(config, rows[config.asana.connection], rows[config.connection], now)
    hub_id, external_id = ids[config.asana.connection], ids[config.connection]
    if not same_mapping(config, known):
        # a new container may have people of its own
        statement = update(Connection).where(col(Connection.id).in_([hub_id, external_id]))
        await session.execute(statement.values(people_at=None))
    if known is None:
        fresh.id = None  # type: ignore[assignment]  # the database gives it
        fresh.hub_connection_id, fresh.external_connection_id = hub_id, external_id
        session.add(fresh)
        return
    if same_mapping(config, known) and (known.hub_connection_id, known.external_connection_id) == (
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
        stored.paused, stored.paused_directions = False, []
    elif stored.state == "stopped":
        stored.state = "active"
    if stored.config.get("comments") != fresh.config["comments"]:
        # comments that were left alone may be copied now: the full pass takes them for unknown
        await session.execute(
            update(Link)
            .where(col(Link.mapping_id) == stored.id, col(Link.kind) == links.TASK)
            .values(hub_comments_version="", external_comments_version="")
        )
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
    names = rule_names(config.fields)
    below = select(col(Link.id)).where(col(Link.mapping_id) == mapping_id, col(Link.kind) == links.TASK)
    await session.execute(delete(Seen).where(col(Seen.link_id).in_(below), col(Seen.field).not_in(names)))


async def exported(engine: Engine) -> dict[str, Any]:
    """What is in force, in the shape of the configuration file; credentials are named, never shown."""
    present = await in_force(engine)
    return {
        "connections": [
            {
                "name": row.name,
                "connector": row.connector,
                "settings": row.settings,
                "credentials": {
                    key: f"${{{_variable(row.name, key)}}}" for key in engine.vault.open(row.credentials)
                },
            }
            for row in present.connections.values()
            if row.removed_at is None
        ],
        "people": present.people,
        "mappings": [row.config for row in present.mappings.values() if row.removed_at is None],
    }


def _variable(connection: str, key: str) -> str:
    """``ACME_GITHUB_TOKEN``: the environment variable that the exported file names."""
    name = re.sub(r"[^A-Z0-9]", "_", f"{connection}_{key}".upper())
    return f"_{name}" if name[0].isdigit() else name
