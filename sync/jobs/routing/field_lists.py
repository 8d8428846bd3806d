"""Which fields there are to pair, and their options: asked for rarely, and kept for when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.base import Session
from connectors.errors import ConnectorError, RetryLater
from connectors.records import FieldSpec
from sync.jobs.connecting import states
from sync.store import field_lists
from sync.store.tables import Connection

if TYPE_CHECKING:
    from sync.jobs.engine import Engine

_FRESH = timedelta(minutes=5)
_AGAIN = timedelta(minutes=1)
"""So long nobody is asked again who did not tell."""


@dataclass(frozen=True, slots=True)
class Known:
    """The fields of a container, as its provider told them.

    ``since``: when it told them to this session, by our clock; later, where it did not tell them anew.
    """

    specs: Sequence[FieldSpec]
    session: Session
    since: datetime


async def fields_of(
    engine: Engine, connection: Connection, container: str, *, fresh: timedelta = _FRESH
) -> Sequence[FieldSpec]:
    """The fields that the container's objects have, told no longer ago than ``fresh``.

    Older ones have to do where the provider does not answer, or may not be asked.

    Raises:
        ConnectorError: it does not, and never did before.
    """
    session = await engine.sessions.get(connection)
    if not connection.id:  # only being checked: nothing is kept about it
        return await session.fields(container)
    key, asked_at = (connection.id, container), engine.now()
    known = engine.field_lists.get(key)
    if known is not None and known.session is session and known.since >= asked_at - fresh:
        return known.specs
    try:
        if states.rests(connection, asked_at):
            raise RetryLater(f"connection {connection.name} rests")
        specs = await session.fields(container)
    except ConnectorError:
        before = known.specs if known is not None else await fields_told(engine, connection, container)
        if before is None:
            raise
        engine.field_lists[key] = Known(before, session, asked_at + _AGAIN - _FRESH)
        return before
    engine.field_lists[key] = Known(specs, session, asked_at)
    if known is None or list(known.specs) != list(specs):
        async with engine.database.write() as store:
            await field_lists.keep(store, connection.id, container, specs, asked_at)
    return specs


async def fields_told(engine: Engine, connection: Connection, container: str) -> Sequence[FieldSpec] | None:
    """The fields that some process was told of last; nobody is asked. None if nobody was told yet."""
    async with engine.database.read() as store:
        return await field_lists.told(store, connection.id, container)
