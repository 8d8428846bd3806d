"""One pass over a mapping's marks, batch by batch, until nothing is due."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import structlog
from structlog.contextvars import bound_contextvars

from connectors.errors import ConnectorError
from sync.jobs.engine import Engine
from sync.jobs.passing.batch import FEW, take, work
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.lease import Lease, leased
from sync.jobs.routing.route import open_route

log = structlog.get_logger()

BATCH = 400
"""The most that are claimed and read at once."""

_SHIFTS = 2
"""Batches at a time: one is read while the other one is written."""
_MARGIN = 0.7
"""Of the time between read and write; the rest is for what goes slower than the batch before."""
_AT_A_TIME_S = 30.0
"""A pass ends after that; the ticker rings again for what is left."""


@dataclass(slots=True)
class _Pass:
    """``turn``: who takes the next batch. ``at_work``: marks that a shift has."""

    engine: Engine
    lease: Lease
    started: float = field(default_factory=time.perf_counter)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    at_work: set[int] = field(default_factory=set)
    looked_at: int = 0
    name: str = ""

    @property
    def is_over(self) -> bool:
        late = time.perf_counter() - self.started > _AT_A_TIME_S
        return late or self.lease.lost or self.engine.ending.is_set()


async def sync_mapping(engine: Engine, mapping_id: int) -> None:
    """Act on a mapping's due marks; at once over where another worker has it."""
    async with leased(engine, mapping_id) as lease:
        if lease is None:
            return
        this = _Pass(engine, lease)
        # both get to their ends before an error of one is raised: calls are under way
        ends = await asyncio.gather(*(_shift(this) for _ in range(_SHIFTS)), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end
    if this.looked_at:
        duration = round((time.perf_counter() - this.started) * 1000)
        log.info("pass.done", mapping=this.name, links=this.looked_at, duration_ms=duration)


async def _shift(this: _Pass) -> None:
    """Take one batch after the other until nothing is due."""
    size = FEW
    while not this.is_over:
        async with this.turn:
            began = time.perf_counter()
            try:
                route = await open_route(this.engine, this.lease.mapping_id)
            except ConnectorError as error:  # the marks stay due
                log.warning("pass.done", reason=f"not begun: {error.reason}")
                return
            if route is None or route.rests(this.engine.now()):
                return
            this.name = route.mapping.name
            with bound_contextvars(mapping=this.name):
                desk = Desk(this.engine, route, this.lease)
                marks, units = await take(desk, size, this.at_work)
        try:
            with bound_contextvars(mapping=this.name):
                await work(desk, units)
        finally:
            this.at_work.difference_update(mark.id for mark in marks)
        if not marks:
            return
        this.looked_at += len(marks)
        size = _fitting(len(marks), time.perf_counter() - began, this.engine.settings.write_window_seconds)


def _fitting(done: int, took_s: float, window_s: float) -> int:
    """As many as can be written, at this rate, before what was read of them is too old."""
    return min(BATCH, max(FEW, int(done / max(took_s, 0.001) * window_s * _MARGIN)))
