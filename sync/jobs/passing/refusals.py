"""What an error of a provider means: for one object, for the mapping, for the connection."""

from __future__ import annotations

import structlog

from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    ParkClass,
    PauseConnection,
    PauseMapping,
    ReplanNeeded,
    RetryLater,
)
from sync.jobs.connecting import connections
from sync.jobs.engine import Engine
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import DONE, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.store import links, marks, parking
from sync.store.cursors import cursors_on
from sync.store.tables import Link, Mapping

log = structlog.get_logger()

_CONFIRMED = 3
"""A container is given up after so many refusals, not after one bad answer."""


async def after(desk: Desk, unit: Unit, error: ConnectorError) -> Outcome:
    """What an error of the connector means for the unit."""
    engine = desk.engine
    if isinstance(error, Park):
        await _park(desk, unit, error)
        return DONE
    if isinstance(error, RetryLater) and error.limited:
        return Later(error.after or 60, error.reason, attempt=False)
    if isinstance(error, RetryLater | OutcomeUnknown | ReplanNeeded):
        if unit.attempts + 1 >= engine.settings.max_attempts and await _others_go_through(desk):
            await _park(
                desk,
                unit,
                Park(
                    f"It failed {unit.attempts + 1} times: {error.reason}",
                    park_class=ParkClass.REJECTED,
                    provider_message=error.provider_message,
                    fix="Look at it in the provider, then retry.",
                ),
            )
            return DONE
        wait = engine.back_off(unit.attempts)
        if isinstance(error, RetryLater):
            return Later(error.after or wait, error.reason)
        quick = unit.attempts < _CONFIRMED
        return Later(min(1.0, wait) if quick else wait, error.reason)
    if isinstance(error, PauseMapping) and unit.attempts < _CONFIRMED:
        return Later(engine.back_off(unit.attempts), error.reason)
    await of_all(engine, desk.route.mapping.id, error)
    return Later(1, error.reason, attempt=False)


async def _others_go_through(desk: Desk) -> bool:
    """Whether the providers answer otherwise: then it is this object, and no outage."""
    places = [(end.connection.id, end.container) for end in desk.route.ends.values()]
    async with desk.engine.database.read() as session:
        rows = await cursors_on(session, places)
    return bool(rows) and all(row.attempts == 0 and row.read_at is not None for row in rows)


async def of_all(engine: Engine, mapping_id: int, error: ConnectorError) -> None:
    """Errors that concern more than one object: stop the mapping, or the connection."""
    if isinstance(error, PauseConnection):
        await connections.examine(engine, mapping_id)
    elif isinstance(error, PauseMapping):
        async with engine.database.write() as session:
            mapping = await session.get(Mapping, mapping_id)
            if mapping is not None:
                stop(mapping, error.reason)
    else:
        log.warning("pass.done", reason=error.reason)
        wait = error.after if isinstance(error, RetryLater) else None
        async with engine.database.write() as session:
            until = engine.in_s(wait or min(1.0, engine.settings.backoff_max_seconds))
            await marks.put_off(session, mapping_id, engine.now(), until)


def stop(mapping: Mapping, reason: str) -> None:
    """Until a person resumes it. Told when it is news: an archived project is found at each poll."""
    if (mapping.state, mapping.reason) != ("stopped", reason):
        mapping.state, mapping.reason = "stopped", reason
        log.warning("mapping.paused", mapping=mapping.name, reason=reason)


async def _park(desk: Desk, unit: Unit, error: Park) -> None:
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        link = unit.link
        if link is not None:
            stored = await session.get(Link, link.id)
            if stored is not None and stored.state != links.UNLINKED:
                stored.state, stored.reason = links.PARKED, error.reason
                session.add(stored)
        ref = f"link:{link.id}" if link else str(next(iter(unit.refs.values())))
        await parking.park(
            session,
            mapping_id=desk.route.mapping.id,
            link=link,
            what="link",
            ref=ref,
            error=error,
            now=now,
            values=None if link else next(iter(unit.refs.values())).address,
        )


async def poisonous(desk: Desk, unit: Unit, error: Exception) -> Outcome:
    """Nobody knows this error: the object is tried some times, and then waits for a person."""
    log.exception("pass.done", ref=str(next(iter(unit.refs.values()))), reason=repr(error))
    if unit.attempts < 3:
        return Later(desk.engine.back_off(unit.attempts), f"failed: {type(error).__name__}")
    await _park(
        desk,
        unit,
        Park(
            f"Working on it failed with {type(error).__name__}: {error}",
            park_class=ParkClass.NOT_SUPPORTED,
            fix="This is a fault of asana-sync: please report it with the log, then retry.",
        ),
    )
    return DONE
