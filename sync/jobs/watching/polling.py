"""Polling: what the listings of a container say has changed. Alone enough for every promise."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlmodel import col

from connectors.changes import Page
from connectors.errors import ConnectorError, Park, PauseConnection, PauseMapping, RetryLater
from sync.jobs.connecting import connections, states
from sync.jobs.engine import Engine
from sync.jobs.merging.overwritten import look_back
from sync.jobs.passing.occasion import learnt
from sync.jobs.passing.refusals import stop
from sync.jobs.routing.route import Route, mappings_on, open_route
from sync.jobs.watching.news import marks_for
from sync.reconcile.model import Side
from sync.store import marks
from sync.store.tables import Connection, Cursor, Mapping

log = structlog.get_logger()

_PAGES_AT_ONCE = 50
_KEPT_LATE = timedelta(seconds=1)
"""So long after its time a write may come to be known as done."""

_CONFIRMED = 2
"""A container is given up when it was refused that often before, not after one bad answer."""


async def poll(engine: Engine, cursor_id: int, *, even_if_early: bool = False) -> bool:
    """Read what changed in one container since last time; False where it could not be read now."""
    cursor = await _take(engine, cursor_id, even_if_early=even_if_early)
    if cursor is None:
        return False
    async with engine.database.read() as session:
        connection = await session.get(Connection, cursor.connection_id)
    if connection is None or states.rests(connection, engine.now()):
        await _next(engine, cursor, engine.settings.poll_seconds, "the connection rests")
        return False
    try:
        changes = await _read(engine, connection, cursor)
    except ConnectorError as error:
        await _failed(engine, connection, cursor, error)
        return False
    if connection.state == states.UNREACHABLE:
        await connections.note(engine, connection, states.OK, "")
    log.info("poll.done", connection=connection.name, container=cursor.container, changes=changes)
    return True


async def _take(engine: Engine, cursor_id: int, *, even_if_early: bool) -> Cursor | None:
    """Take the turn to read a container; another worker's turn ends by itself."""
    now = engine.now()
    turn = now + timedelta(seconds=engine.settings.lease_seconds)
    statement = update(Cursor).where(col(Cursor.id) == cursor_id)
    if not even_if_early:
        statement = statement.where(col(Cursor.next_at) <= now)
    async with engine.database.write() as session:
        row = (await session.execute(statement.values(next_at=turn).returning(Cursor))).scalar_one_or_none()
    return row


async def _read(engine: Engine, connection: Connection, cursor: Cursor) -> int:
    session = await engine.sessions.get(connection)
    began, count = engine.now(), 0
    for left in reversed(range(_PAGES_AT_ONCE)):
        asked_at = engine.now()
        page = await session.changes(cursor.container, cursor.value)
        engine.snapshots.keep(
            connection.id, (change.record for change in page.changes if change.record), asked_at
        )
        if page.edits or not page.more:
            await _look_back(engine, connection, cursor, page)
        ends = not (page.more and left) or engine.ending.is_set()
        if not await _store(engine, connection, cursor, page, began, ends=ends):
            break  # another worker went on from here meanwhile
        count += len(page.changes)
        if ends:
            break
    return count


async def _look_back(engine: Engine, connection: Connection, cursor: Cursor, page: Page) -> None:
    """Before the page is stored: nothing is passed over. What cannot be asked holds it up twice only."""
    since = (cursor.read_at or engine.now()) - _KEPT_LATE
    try:
        await look_back(engine, connection, cursor.container, page.edits, since)
    except RetryLater as error:
        if error.limited or cursor.attempts < _CONFIRMED:
            raise
        log.warning("poll.done", connection=connection.name, reason=error.reason)


async def _store(
    engine: Engine, connection: Connection, cursor: Cursor, page: Page, began: datetime, *, ends: bool
) -> bool:
    """One transaction: marks, the cursor by compare-and-set, and with the last page the end of the turn.

    Only a poll that came to its end has read the container: all that changed until it began is marked.
    """
    now = engine.now()
    routes = await _listening(engine, connection, cursor.container) if page.changes or page.lost else []
    pause = 0 if page.more else engine.settings.poll_seconds
    turn = {"next_at": engine.in_s(pause)} if ends else {}
    turn |= {} if page.more else {"read_at": began}
    async with engine.database.write() as session:
        moved = await session.execute(
            update(Cursor)
            .where(col(Cursor.id) == cursor.id, col(Cursor.version) == cursor.version)
            .values(value=page.cursor, version=cursor.version + 1, attempts=0, reason="", **turn)
            .returning(col(Cursor.id))
        )
        if moved.scalar_one_or_none() is None:
            return False
        woken = []
        for route, side in routes:
            found = await marks_for(session, route, side, page.changes, join_s=engine.settings.join_seconds)
            if await marks.put(session, found, now):
                learnt(route, side, found, now)
                woken.append(route.mapping.id)
            if page.lost:
                await session.execute(
                    update(Mapping).where(col(Mapping.id) == route.mapping.id).values(full_pass_due=True)
                )
    cursor.value, cursor.version = page.cursor, cursor.version + 1
    for mapping_id in woken:
        await engine.wake(mapping_id, 0)
    return True


async def _listening(engine: Engine, connection: Connection, container: str) -> list[tuple[Route, Side]]:
    """Mappings that want to know what changes there."""
    async with engine.database.read() as session:
        on = await mappings_on(session, connection.id, container)
    opened = [(await open_route(engine, mapping.id), side) for mapping, side in on]
    return [(route, side) for route, side in opened if route is not None]


async def _next(engine: Engine, cursor: Cursor, seconds: float, reason: str, *, failed: bool = False) -> None:
    async with engine.database.write() as session:
        await session.execute(
            update(Cursor)
            .where(col(Cursor.id) == cursor.id)
            .values(
                next_at=engine.in_s(seconds),
                reason=reason,
                attempts=Cursor.attempts + 1 if failed else 0,
            )
        )


async def _failed(engine: Engine, connection: Connection, cursor: Cursor, error: ConnectorError) -> None:
    wait = max(engine.back_off(cursor.attempts), min(engine.settings.poll_seconds, 1.0))
    if isinstance(error, PauseConnection):
        await connections.check(engine, connection)
    elif isinstance(error, PauseMapping | Park) and cursor.attempts >= _CONFIRMED:
        fix = getattr(error, "fix", "")
        async with engine.database.write() as session:
            for mapping, _ in await mappings_on(session, connection.id, cursor.container):
                stop(mapping, f"{error.reason}: {fix}" if fix else error.reason)
    elif isinstance(error, RetryLater):
        wait = error.after or wait
        if not error.limited:
            await connections.note(engine, connection, states.UNREACHABLE, error.reason)
    log.warning("poll.done", connection=connection.name, container=cursor.container, reason=error.reason)
    await _next(engine, cursor, wait, error.reason, failed=True)
