"""One pass over a mapping's marks: claim, read, plan, write, settle, until nothing is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial

import structlog
from structlog.contextvars import bound_contextvars

from connectors.errors import (
    ConnectorError,
)
from sync import tracing
from sync.jobs import connections, occasion, refusals, unit_work
from sync.jobs.desk import Desk
from sync.jobs.engine import Engine
from sync.jobs.lease import leased
from sync.jobs.ledger import Entry
from sync.jobs.outcome import Done, Halted, Later, Outcome, TooOld
from sync.jobs.past import pasts_of
from sync.jobs.reading import read
from sync.jobs.route import open_route
from sync.jobs.unit import Unit, units_of
from sync.store import deliveries, leases, links, marks, writes
from sync.store.errors import StoreError
from sync.store.tables import Mark

log = structlog.get_logger()

BATCH = 400
"""The most that are claimed and read at once."""

_MARGIN = 0.7
"""Of the time between read and write; the rest is for what goes slower than the batch before."""
_AT_A_TIME_S = 30.0
"""A pass ends after that; the ticker rings again for what is left."""

FEW = 15
"""The first batch, and the least: as many as the connections let be written at once."""


async def sync_mapping(engine: Engine, mapping_id: int) -> None:
    """Act on a mapping's due marks; at once over where another worker has it."""
    started, looked_at, size = time.perf_counter(), 0, FEW
    async with leased(engine, mapping_id) as lease:
        if lease is None:
            return
        while not (lease.lost or engine.ending.is_set()) and time.perf_counter() - started < _AT_A_TIME_S:
            route = await open_route(engine, mapping_id)
            if route is None or route.rests(engine.now()):
                return
            with bound_contextvars(mapping=route.mapping.name):
                began = time.perf_counter()
                done = await _batch(Desk(engine, route, lease), size)
            if not done:
                break
            looked_at += done
            size = _fitting(done, time.perf_counter() - began, engine.settings.write_window_seconds)
    if looked_at:
        duration = round((time.perf_counter() - started) * 1000)
        name = route.mapping.name if route else str(mapping_id)
        log.info("pass.done", mapping=name, links=looked_at, duration_ms=duration)


def _fitting(done: int, took_s: float, window_s: float) -> int:
    """As many as can be written, at this rate, before what was read of them is too old."""
    return min(BATCH, max(FEW, int(done / max(took_s, 0.001) * window_s * _MARGIN)))


async def _batch(desk: Desk, size: int) -> int:
    """Work on the marks that are due, some at a time; how many there were."""
    engine, mapping_id = desk.engine, desk.route.mapping.id
    try:
        async with engine.database.read() as session:
            batch = list(await marks.due(session, mapping_id, engine.now(), size))
        if batch and not await connections.meet_people(
            engine, (end.connection for end in desk.route.ends.values())
        ):
            await _work(desk, batch)
        return len(batch)
    except ConnectorError as error:
        await refusals.of_all(engine, mapping_id, error)
    except Halted as halt:
        log.info("pass.done", reason=halt.reason)
    return 0


async def _work(desk: Desk, batch: Sequence[Mark]) -> None:
    engine, mapping_id = desk.engine, desk.route.mapping.id
    async with engine.database.read() as session:
        by_ref = await links.by_refs(session, mapping_id, [mark.ref for mark in batch])
        open_writes = await writes.unresolved(session, [link.id for link in by_ref.values()])
        traces = await deliveries.traces_of(session, batch) if tracing.is_on() else {}
    units = units_of(desk, batch, by_ref, traces)
    mine: list[Unit] = []
    busy: list[Unit] = []
    async with engine.database.write() as session:
        wanted = [[str(ref) for ref in unit.refs.values()] for unit in units]
        granted = await leases.claim_each(
            session, wanted, desk.lease.hold, now=engine.now(), until=desk.lease.until
        )
        for unit, taken in zip(units, granted, strict=True):
            if unit.link is not None:
                unit.open_writes = open_writes.get(unit.link.id, [])
            (mine if taken else busy).append(unit)
        for unit in busy:
            await marks.postpone(
                session, unit.marks, engine.in_s(0.5), "another mapping works on the object", attempt=False
            )
    linked = [unit.link for unit in mine if unit.link is not None]
    async with engine.database.read() as session:
        pasts = await pasts_of(session, engine, linked)
    for unit in mine:
        unit.past = pasts.get(unit.link.id) if unit.link is not None else None
    try:
        await read(desk, mine)
    except ConnectorError as error:
        for unit in mine:
            await _finish(desk, unit, await refusals.after(desk, unit, error))
        return
    except Exception as error:  # each is read by itself then, and the poison one found out
        log.exception("pass.done", reason=repr(error))

    creating = asyncio.Semaphore(FEW)  # so few have to be looked for if this process is killed

    async def one(unit: Unit) -> None:
        async with nullcontext() if len(unit.refs) == 2 else creating:
            if engine.ending.is_set():
                return  # the mark stays due, the claim goes with the lease
            outcome = await _attempt(desk, unit)
            try:
                await _finish(desk, unit, outcome)
            except (Halted, StoreError):
                raise
            except Exception as error:  # noqa: BLE001  (logged there; what came back cannot be stored)
                unit.told = Entry()
                await _finish(desk, unit, await refusals.poisonous(desk, unit, error))

    # every unit gets to its end before a store error is raised: its calls are under way
    ends = await asyncio.gather(*(one(unit) for unit in mine), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end


async def _attempt(desk: Desk, unit: Unit) -> Outcome:
    """Work on one unit; whatever goes wrong there stays there."""
    about = {
        "mapping": desk.route.mapping.name,
        "link": unit.link.id if unit.link else None,
        "ref": str(next(iter(unit.refs.values()))),
    }
    try:
        with (
            tracing.span("pass", about, parent=unit.trace),
            occasion.of(desk.route, unit.marks) as behind,
        ):
            outcome = await unit_work.work(desk, unit)
        if isinstance(outcome, Done):
            behind.over()
        return outcome
    except Halted as halt:
        wait = 0 if desk.engine.ending.is_set() else 1
        return Later(wait, halt.reason, attempt=isinstance(halt, TooOld), held_by=halt.held_by)
    except ConnectorError as error:
        return await refusals.after(desk, unit, error)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  (logged there; it must not stop the others)
        return await refusals.poisonous(desk, unit, error)


async def _finish(desk: Desk, unit: Unit, outcome: Outcome) -> None:
    """What was done and is not committed yet; clear or postpone the marks; give the claims back."""
    entry = unit.told
    if isinstance(outcome, Later):
        occasion.held_back(unit.marks, outcome)
        entry.steps.append(
            partial(
                marks.postpone,
                marks=unit.marks,
                due_at=desk.engine.in_s(outcome.seconds),
                reason=outcome.reason,
                attempt=outcome.attempt,
                recheck=outcome.recheck,
            )
        )
    else:
        entry.cleared += unit.marks
    entry.released += [str(ref) for ref in unit.refs.values()]
    await desk.ledger.enter(entry)
