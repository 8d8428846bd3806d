"""Which fields there are to pair, and their options: asked for rarely, and kept for when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.errors import ConnectorError
from connectors.records import FieldSpec
from sync.store import field_lists
from sync.store.tables import Connection

if TYPE_CHECKING:
    from sync.jobs.engine import Engine

_FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Known:
    """The fields of a container, and when its provider told them, by our clock."""

    specs: Sequence[FieldSpec]
    read_at: datetime


async def fields_of(
    engine: Engine, connection: Connection, container: str, *, fresh: timedelta = _FRESH
) -> Sequence[FieldSpec]:
    """The fields that the container's objects have, told no longer ago than ``fresh``.

    Older ones have to do where the provider does not answer.

    Raises:
        ConnectorError: it does not, and never did before.
    """
    if not connection.id:  # only being checked: nothing is kept about it
        return await (await engine.sessions.get(connection)).fields(container)
    key, oldest = (connection.id, container), engine.now() - fresh
    known = engine.field_lists.get(key)
    if known is None or known.read_at < oldest:
        known = await _stored(engine, key) or known
    if known is None or known.read_at < oldest:
        try:
            known = await _ask(engine, connection, container)
        except ConnectorError:
            if known is None:
                raise
    engine.field_lists[key] = known
    return known.specs


async def _stored(engine: Engine, key: tuple[int, str]) -> Known | None:
    async with engine.database.read() as session:
        found = await field_lists.told(session, *key)
    return Known(*found) if found is not None else None


async def _ask(engine: Engine, connection: Connection, container: str) -> Known:
    asked_at = engine.now()
    specs = await (await engine.sessions.get(connection)).fields(container)
    async with engine.database.write() as session:
        await field_lists.keep(session, connection.id, container, specs, asked_at)
    return Known(specs, asked_at)
