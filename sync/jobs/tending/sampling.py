"""The audit that never ends: every so often a few pairs of each mapping, all of them in turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlmodel import col

from connectors.errors import ConnectorError, PauseConnection
from sync.jobs.asked.audit import audit_some
from sync.jobs.connecting import connections
from sync.jobs.engine import Engine
from sync.jobs.routing.route import open_route
from sync.store.tables import Mapping, Setting
from sync.store.times import parse_time, rfc3339

log = structlog.get_logger()

_KEY = "audit"
_PAIRS = 5
"""Of each mapping at a time: with the default pause 7,200 a day."""


async def sample(engine: Engine) -> None:
    """Compare the next few pairs of each mapping, if it is time; first of all a pause after the start."""
    pause = engine.settings.audit_seconds
    if not pause:
        return
    async with engine.database.read() as session:
        stored = await session.get(Setting, _KEY)
        query = select(col(Mapping.id)).where(
            col(Mapping.removed_at).is_(None),
            col(Mapping.state) == "active",
            col(Mapping.first_sync).is_(None),
        )
        mapping_ids = list((await session.execute(query)).scalars())
    kept: dict[str, Any] = stored.value if stored else {"at": rfc3339(engine.now()), "after": {}}
    due = parse_time(kept["at"]) + timedelta(seconds=pause) <= engine.now()
    if stored and not due:
        return
    after = dict(kept["after"])
    for mapping_id in mapping_ids if due else ():
        after[str(mapping_id)] = await _some(engine, mapping_id, after.get(str(mapping_id), 0))
    async with engine.database.write() as session:
        await session.merge(Setting(key=_KEY, value={"at": rfc3339(engine.now()), "after": after}))


async def _some(engine: Engine, mapping_id: int, after: int) -> int:
    """Where to go on; the same place again where a provider does not answer."""
    try:
        route = await open_route(engine, mapping_id)
        if route is None or route.rests(engine.now()):
            return after
        found, following = await audit_some(engine, route, after, _PAIRS)
    except PauseConnection:
        await connections.examine(engine, mapping_id)
        return after
    except ConnectorError as error:
        log.warning("audit", reason=error.reason)
        return after
    if found.divergent:
        log.warning("audit", mapping=route.mapping.name, reason=f"{len(found.divergent)} fields diverge")
    return following
