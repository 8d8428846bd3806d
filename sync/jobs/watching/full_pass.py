"""The full pass: complete listings of both containers against the links.

Listings never show everything (deletions, moves, objects that left a filter), so every so often, and
after a lost position, everything is compared. It only marks; passes do the work. It counts only if
every page came and it is at least half of the last one: absence is never deletion.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from structlog.contextvars import bound_contextvars

from connectors.errors import ConnectorError, PauseConnection
from sync.jobs.connecting import connections
from sync.jobs.engine import Engine
from sync.jobs.pairing import matching
from sync.jobs.passing.outcome import Halted
from sync.jobs.routing.route import Route, open_route
from sync.jobs.watching.listing import Listed, by_title, list_both
from sync.metrics import FULL_PASS
from sync.reconcile.model import Side
from sync.store import leases, links, marks
from sync.store.errors import StoreError
from sync.store.settled import expected
from sync.store.tables import Link
from sync.store.tables import Mapping as MappingRow

log = structlog.get_logger()

_DAY_S = 86400
_PAUSE_S = 30.0
"""After one that could not be completed."""
_AT_ONCE = 200
"""Marks of one transaction: whoever else wants to write has not long to wait."""


async def full_pass(engine: Engine, mapping_id: int, *, all_comments: bool = False) -> bool:
    """Compare everything; False where it could not be completed."""
    turn, hold = f"full-pass:{mapping_id}", leases.Hold(engine.owner, mapping_id, lease_no=0)
    async with engine.database.write() as session:
        taken = await leases.claim(
            session,
            [turn],
            hold,
            now=engine.now(),
            until=engine.in_s(engine.settings.lease_seconds),
        )
    if not taken:
        return False
    completed = False
    keeping = asyncio.create_task(_keep(engine, turn))
    try:
        route = await open_route(engine, mapping_id)
        if route is not None and not route.is_cut(engine.now()):
            with bound_contextvars(mapping=route.mapping.name):
                started = time.perf_counter()
                completed = await _compare(engine, route, all_comments=all_comments)
                if completed:
                    FULL_PASS.observe(time.perf_counter() - started)
    except PauseConnection:
        await connections.examine(engine, mapping_id)
    except ConnectorError as error:
        log.warning("pass.done", reason=f"full pass not completed: {error.reason}")
    except Halted as halt:
        log.info("pass.done", reason=f"full pass not completed: {halt.reason}")
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        async with engine.database.write() as session:
            if completed or engine.ending.is_set():
                await leases.release(session, [turn], hold)
            else:
                pause = min(_PAUSE_S, engine.settings.poll_seconds)
                await leases.keep_until(session, turn, engine.owner, engine.in_s(pause))
    return completed


async def _keep(engine: Engine, turn: str) -> None:
    """Keep the turn for as long as the listings take; of a killed worker it ends with its lease."""
    lease_s = engine.settings.lease_seconds
    while True:
        await asyncio.sleep(lease_s / 4)
        with suppress(StoreError):
            async with engine.database.write() as session:
                await leases.keep_until(session, turn, engine.owner, engine.in_s(lease_s))


async def _compare(engine: Engine, route: Route, *, all_comments: bool) -> bool:
    listed = await list_both(engine, route)
    if not await _credible(engine, route, listed):
        return False
    await matching.keep(engine, route, matching.match(route, listed))
    for side, missing in (await _absent(engine, route, listed)).items():
        await _mark(engine, route, side, missing, "not in the complete listing")
    due = await _comments_due(engine, route, everything=all_comments)
    await _mark(engine, route, Side.HUB, due, "a regular look at its comments", comments=True)
    async with engine.database.write() as session:
        await _finished(session, engine, route, listed)
    await engine.wake(route.mapping.id, 0)
    return True


async def _credible(engine: Engine, route: Route, listed: Mapping[Side, Listed]) -> bool:
    """Whether the listings can be everything: at least half of what the last ones showed."""
    for side in Side:
        before = route.mapping.full_pass_counts.get(side.value, 0)
        now = len(listed[side])
        if now * 2 < before:
            title = route.end(side).connector.title
            reason = f"the listing of {title} shrank from {before} to {now} objects: it does not count"
            log.warning("pass.done", mapping=route.mapping.name, reason=reason)
            counts = {**route.mapping.full_pass_counts, side.value: now}
            async with engine.database.write() as session:
                await session.execute(
                    update(MappingRow)
                    .where(col(MappingRow.id) == route.mapping.id)
                    .values(full_pass_counts=counts, reason=reason)
                )
            return False
    return True


async def _absent(
    engine: Engine, route: Route, listed: Mapping[Side, Listed]
) -> Mapping[Side, Sequence[int]]:
    """Links with an end that no listing showed: each is looked at by itself."""
    found: dict[Side, list[int]] = {side: [] for side in Side}
    async with engine.database.read() as session:
        async for link_id, *refs in expected(session, route.mapping.id):
            for side, ref in zip(Side, refs, strict=True):
                seen = listed[side]
                if ref is not None and link_id not in seen.links and ref not in seen.refs:
                    found[side].append(link_id)
    return found


async def _comments_due(engine: Engine, route: Route, *, everything: bool) -> Sequence[int]:
    """Comments of quiet objects, spread over a day; all of them where that is asked for."""
    if not route.copies_comments():
        return []
    horizon = engine.now() - timedelta(seconds=0 if everything else _DAY_S)
    due = select(col(Link.id)).where(
        col(Link.mapping_id) == route.mapping.id,
        col(Link.kind) == links.TASK,
        col(Link.state) == links.ACTIVE,
        (col(Link.comments_at).is_(None)) | (col(Link.comments_at) < horizon),
    )
    async with engine.database.read() as session:
        number = (await session.execute(select(func.count()).select_from(due.subquery()))).scalar_one()
        share = int(number * engine.settings.full_pass_seconds / _DAY_S)
        limit = number if everything else max(10, share)
        rows = await session.execute(due.order_by(col(Link.comments_at)).limit(limit))
        return rows.scalars().all()


async def _mark(
    engine: Engine, route: Route, side: Side, ids: Sequence[int], reason: str, *, comments: bool = False
) -> None:
    """Mark that end of these links, a few in each transaction."""
    for at in range(0, len(ids), _AT_ONCE):
        query = select(Link).where(col(Link.id).in_(ids[at : at + _AT_ONCE]))
        async with engine.database.write() as session:
            rows = (await session.execute(query)).scalars()
            refs = [links.end(link, side, route.end(side).connection) for link in rows]
            found = [
                marks.NewMark(
                    mapping_id=route.mapping.id,
                    side=side,
                    ref=ref,
                    lane=marks.BACKFILL,
                    comments=comments,
                    reason=reason,
                )
                for ref in refs
                if ref is not None
            ]
            await marks.put(session, found, engine.now())


async def _finished(
    session: AsyncSession, engine: Engine, route: Route, listed: Mapping[Side, Listed]
) -> None:
    mapping = await session.get(MappingRow, route.mapping.id)
    if mapping is None:
        return
    if mapping.state == "first_sync":
        mapping.state = "active"
        mapping.first_sync = {
            "total": sum(len(each.loose) for each in listed.values()),
            "started_at": engine.now().isoformat(),
        }
        if by_title(route):
            mapping.full_pass_due = True  # the next one creates what could not be matched
            session.add(mapping)
            return
    mapping.full_pass_at, mapping.full_pass_due = engine.now(), False
    mapping.full_pass_counts = {side.value: len(listed[side]) for side in Side}
    if mapping.state == "active":
        mapping.reason = ""
    session.add(mapping)
