"""What people call a container: asked for rarely, and never waited for twice."""

from __future__ import annotations

from datetime import timedelta

from connectors.errors import ConnectorError
from sync.jobs.engine import Engine
from sync.store.tables import Connection

_FRESH = timedelta(hours=1)
_AGAIN = timedelta(minutes=1)
"""Where the provider did not answer."""


async def name_of(engine: Engine, connection: Connection, container: str, fallback: str) -> str:
    """Its name at the provider, as it was within the last hour; ``fallback`` while that is not known."""
    key, now = (connection.id, container), engine.now()
    known = engine.container_names.get(key)
    if known is not None and now < known[0]:
        return known[1]
    try:
        name = (await (await engine.sessions.get(connection)).container(container)).name
        until = now + _FRESH
    except ConnectorError:
        name, until = known[1] if known is not None else fallback, now + _AGAIN
    engine.container_names[key] = until, name
    return name
