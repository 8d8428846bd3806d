"""One seed: a schedule happens in a town, then fair weather until nothing is left to do, then questions."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from datetime import UTC, datetime

from structlog.testing import capture_logs

from sync.configuration import ConfigurationInvalid
from sync.reconcile.model import Side
from tests.simulation.disk import Disk
from tests.simulation.evidence import Evidence, collect
from tests.simulation.hours import BEGINNING, spend
from tests.simulation.memory import Memory
from tests.simulation.people import People
from tests.simulation.promises import comments_once, converged
from tests.simulation.rest import Restless, Written, come_to_rest, compare
from tests.simulation.schedule import EDITS, Event, Kind, Schedule
from tests.simulation.town import Town
from tests.simulation.weather import Weather


class _Run:
    def __init__(self, schedule: Schedule, disk: Disk, *, duplicate: int, reorder: bool) -> None:
        chance = random.Random(schedule.seed + 1)
        self.schedule = schedule
        patience = {"stale_seconds": 60.0 if schedule.late else 0.0, "delete_delay_seconds": 120.0}
        self.town = Town(
            disk, chance, hooks=schedule.hooks, tool=schedule.tool, oauth=schedule.oauth, settings=patience
        )
        for simulator in self.town.sides.values():
            simulator.outbox.duplicate, simulator.outbox.reorder = duplicate, reorder
        self.memory = Memory()
        self.people = People(self.town.tools, self.town.containers, self.memory)
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
            "limits": {"deletes": self.schedule.deletes, "deletes_percent": 100},
        }
        if self.schedule.old:
            town.mapping["since"] = "all"
            for number in range(self.schedule.old):
                side = list(Side)[number % 2]
                self.people.act(Event(900 + number, 0.0, Kind.NEW, side, number, number))
        asyncio.get_running_loop().set_exception_handler(evidence.note_error)
        async with town.open():
            town.begin()
            await town.apply()
            assert town.program is not None
            town.program.start()
            await asyncio.sleep(20)
            await self._happen()
            await asyncio.sleep(self.schedule.linger_s)
            await self.weather.clear()
            try:
                await self._rest()
            except Restless as restless:
                evidence.problems.append(f"1: {restless}")
            await collect(evidence)
        return evidence

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
        """Until nothing is left to do, first by webhooks and polling alone."""
        town = self.town
        if town.program is None or town.program.life.over:
            await town.kill()
            town.begin().start()
        self.tell("admin", "fair weather; every pause is over, every token renewed")
        await town.switch(paused=False)
        await town.renew()
        with suppress(ConfigurationInvalid):  # of what is refused just now nobody knows yet: later, then
            await town.apply()
        self.evidence.rest_s = await come_to_rest(town)
        await collect(self.evidence)
        self.evidence.early = [*converged(self.evidence), *comments_once(self.evidence)]
        await compare(town)
        written = Written(town)
        await compare(town)
        self.evidence.late_writes = [
            f"{side}: {exchange.method} {exchange.path} {exchange.body}" for side, exchange in written()
        ]


def run(schedule: Schedule, disk: Disk, *, duplicate: int = 0, reorder: bool = False) -> Evidence:
    """Let the schedule happen, and collect what there is to ask.

    Args:
        duplicate, reorder: how webhook calls come all the time.
    """
    began = time.process_time()
    with capture_logs() as told:
        evidence = spend(lambda: _Run(schedule, disk, duplicate=duplicate, reorder=reorder).go())
    evidence.cpu_s = time.process_time() - began
    evidence.problems += [
        f"18: unexpected error: {entry.get('reason')}" for entry in told if entry.get("log_level") == "error"
    ]
    return evidence
