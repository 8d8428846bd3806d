"""One seed: a schedule happens in a town, then fair weather until nothing is left to do, then questions."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update
from structlog.testing import capture_logs

from sync.reconcile.model import Side
from sync.store.listings import conflicts_page, links_page, parked_page
from sync.store.status import status
from sync.store.tables import Mapping
from tests.simulation.disk import Disk
from tests.simulation.hours import BEGINNING, spend
from tests.simulation.life import Killed
from tests.simulation.memory import Memory
from tests.simulation.people import People
from tests.simulation.schedule import EDITS, Event, Kind, Schedule
from tests.simulation.town import Town
from tests.simulation.weather import Weather

PATIENCE_S = 3 * 3600.0
"""After the last trouble everything must be at rest within this time."""


@dataclass(slots=True)
class Evidence:
    """All that can be asked about how it ended."""

    schedule: Schedule
    town: Town
    memory: Memory
    story: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    links: Sequence[dict[str, Any]] = ()
    conflicts: Sequence[dict[str, Any]] = ()
    parked: Sequence[dict[str, Any]] = ()
    late_writes: list[str] = field(default_factory=list)
    """What was written although everything was at rest."""
    rest_s: float = 0.0
    cpu_s: float = 0.0


class _Run:
    def __init__(self, schedule: Schedule, disk: Disk) -> None:
        chance = random.Random(schedule.seed + 1)
        self.schedule = schedule
        patience = {"stale_seconds": 60.0 if schedule.late else 0.0, "delete_delay_seconds": 120.0}
        self.town = Town(disk, chance, hooks=schedule.hooks, settings=patience)
        self.memory = Memory()
        self.people = People(self.town.sides, self.town.containers, self.memory)
        self.weather = Weather(self.town)
        self.evidence = Evidence(schedule, self.town, self.memory)

    def tell(self, who: str, what: str) -> None:
        at = (datetime.now(UTC) - BEGINNING).total_seconds()
        self.evidence.story.append(f"{at:9.2f}  {who:<9} {what}")

    async def go(self) -> Evidence:
        evidence, town = self.evidence, self.town
        for side, skew_s in self.schedule.skew_s.items():
            town.sides[side].clock.advance(skew_s)
        town.mapping |= {
            "conflict": self.schedule.conflict,
            "limits": {"deletes": 50, "deletes_percent": 100},
        }
        if self.schedule.old:
            town.mapping["since"] = "all"
            for number in range(self.schedule.old):
                side = list(Side)[number % 2]
                self.people.act(Event(900 + number, 0.0, Kind.NEW, side, number, number))
        asyncio.get_running_loop().set_exception_handler(self._note_error)
        async with town.open():
            town.begin()
            await town.apply()
            assert town.program is not None
            town.program.start()
            await asyncio.sleep(20)
            await self._happen()
            await self.weather.clear()
            await self._rest()
            await self._look_again()
            await self._collect()
        return evidence

    def _note_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error that nobody waited for; in a killed life that is the end of a task."""
        error = context.get("exception")
        if not isinstance(error, Killed):
            self.evidence.problems.append(f"18: unexpected error: {error or context['message']!r}")

    async def _happen(self) -> None:
        began = asyncio.get_running_loop().time()
        for event in self.schedule.events:
            await asyncio.sleep(max(0.0, began + event.at_s - asyncio.get_running_loop().time()))
            if event.kind in EDITS:
                what = self.people.act(event)
            else:
                what = await self.weather.act(event)
            if what is not None:
                self.tell(str(event.side), f"#{event.number} {what}")

    async def _rest(self) -> None:
        """Until nothing is left to do."""
        town = self.town
        began = asyncio.get_running_loop().time()
        if town.program is None or town.program.life.over:
            await town.kill()
            town.begin().start()
        self.tell("admin", "fair weather; every pause is over, every token renewed")
        await town.switch(paused=False)
        await town.apply()
        await self._compare()
        while asyncio.get_running_loop().time() - began < PATIENCE_S:
            await asyncio.sleep(60)
            assert town.program is not None
            if (broken := town.program.broken) is not None:
                raise broken
            if await self._is_quiet():
                self.evidence.rest_s = asyncio.get_running_loop().time() - began
                return
        self.evidence.problems.append(f"1: not at rest after {PATIENCE_S:g} s: {await self._status()}")

    async def _is_quiet(self) -> bool:
        return bool((await self._status())["quiet"])

    async def _status(self) -> dict[str, Any]:
        assert self.town.program is not None
        engine = self.town.program.engine
        async with engine.database.read() as session:
            return await status(session, version="", now=engine.now(), instance={}, since=None)

    async def _compare(self) -> None:
        """The complete comparison that otherwise comes every six hours."""
        assert self.town.program is not None
        engine = self.town.program.engine
        async with engine.database.write() as session:
            await session.execute(update(Mapping).values(full_pass_due=True))
        await asyncio.sleep(130)

    async def _look_again(self) -> None:
        """Another look at everything must find nothing to write."""
        counts = {side: len(simulator.journal) for side, simulator in self.town.sides.items()}
        await self._compare()
        for side, simulator in self.town.sides.items():
            for exchange in simulator.journal[counts[side] :]:
                if exchange.committed and "hooks" not in exchange.path:
                    self.evidence.late_writes.append(
                        f"{side}: {exchange.method} {exchange.path} {exchange.body}"
                    )

    async def _collect(self) -> None:
        assert self.town.program is not None
        evidence, engine = self.evidence, self.town.program.engine
        evidence.status = await self._status()
        async with engine.database.read() as session:
            evidence.links = (await links_page(session, limit=10_000))["items"]
            evidence.conflicts = (await conflicts_page(session, limit=10_000))["items"]
            evidence.parked = (await parked_page(session, limit=10_000))["items"]


def run(schedule: Schedule, disk: Disk) -> Evidence:
    """Let the schedule happen, and collect what there is to ask."""
    began = time.process_time()
    with capture_logs() as told:
        evidence = spend(lambda: _Run(schedule, disk).go())
    evidence.cpu_s = time.process_time() - began
    evidence.problems += [
        f"18: unexpected error: {entry.get('reason')}" for entry in told if entry.get("log_level") == "error"
    ]
    return evidence
