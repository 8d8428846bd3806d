"""A crash at every boundary: one deed, ended before and after each call and each commit.

The town is prepared once. Each crash then happens in a fork of it: a town of its own, with its own disk.
``python -m tests.simulation.crashes`` walks through all of them, ``--at N --way W`` tells of one.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from structlog.testing import capture_logs

from sync.reconcile.model import Side
from tests.simulation.disk import Disk, disk
from tests.simulation.evidence import Evidence, collect
from tests.simulation.forks import told_by
from tests.simulation.hours import BEGINNING, repeatable, spend
from tests.simulation.memory import Memory
from tests.simulation.people import People
from tests.simulation.promises import broken
from tests.simulation.rest import Restless, Written, come_to_rest, compare
from tests.simulation.schedule import Event, Kind, Schedule
from tests.simulation.town import Town

Way = Literal["killed", "cancelled"]
WAYS: tuple[Way, ...] = ("killed", "cancelled")
"""A ``BaseException`` out of every task at once, and what is not committed is gone; ``CancelledError``."""

Deed = tuple[Kind, Side]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What people do, all at once, in a town with one pair of objects in step, and what they did ``before``.

    ``hooks``: whether the providers call us, where no listing shows what was done.
    """

    deeds: Sequence[Deed]
    tool: str = "github"
    before: Sequence[Deed] = ()
    hooks: bool = False


HUB, EXTERNAL = Side.HUB, Side.EXTERNAL
SCENARIOS: Mapping[str, Scenario] = {
    "create": Scenario([(Kind.NEW, HUB), (Kind.NEW, EXTERNAL)]),
    "update both sides": Scenario([(Kind.TITLE, HUB), (Kind.NOTES, EXTERNAL), (Kind.LABEL, HUB)]),
    "comment": Scenario([(Kind.COMMENT, HUB), (Kind.COMMENT, EXTERNAL)]),
    "attachment": Scenario([(Kind.ATTACH, EXTERNAL), (Kind.ATTACH, HUB)]),
    "delete": Scenario([(Kind.REMOVE, HUB)]),
    "slack capture": Scenario([(Kind.NEW, EXTERNAL)], "slack"),
    "slack reply": Scenario([(Kind.COMMENT, EXTERNAL), (Kind.COMMENT, HUB)], "slack"),
    "slack edited reply": Scenario(
        [(Kind.REWORD, EXTERNAL)], "slack", [(Kind.COMMENT, EXTERNAL)], hooks=True
    ),
    "slack deleted reply": Scenario(
        [(Kind.WITHDRAW, EXTERNAL)], "slack", [(Kind.COMMENT, EXTERNAL)], hooks=True
    ),
    "slack file": Scenario([(Kind.ATTACH, EXTERNAL), (Kind.ATTACH, HUB)], "slack"),
    "slack card": Scenario([(Kind.TITLE, HUB), (Kind.STATE, EXTERNAL)], "slack"),
}

_PATIENCE = {"stale_seconds": 0.0, "delete_delay_seconds": 30.0, "poll_seconds": 30.0}
_NOTHING = Schedule(seed=0, events=(), hooks=False, late=False, skew_s={}, old=0, conflict="last_modified")


@dataclass(frozen=True, slots=True)
class Walk:
    """``crossings``: what each boundary was; ``failures``: what was broken by an end at one of them."""

    scenario: str
    crossings: Sequence[str]
    ends: int
    failures: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A town with one pair of objects in step, where the program does not run."""

    town: Town
    memory: Memory
    people: People


def walk(
    scenario: str, place: Disk, *, ways: Sequence[Way] = WAYS, stride: int = 1, jobs: int | None = None
) -> Walk:
    """End the program at every ``stride``-th boundary, in each of these ways, so many side by side."""
    tell(scenario, place)  # whoever is forked after that knows every statement already
    return spend(lambda: _walk(scenario, place, ways, stride, jobs or os.cpu_count() or 1))


def tell(scenario: str, place: Disk, *, at: int | None = None, way: Way = "killed") -> dict[str, Any]:
    """One end, here: what was crossed until then, every request, and what was broken."""
    return spend(lambda: _told(scenario, place, at, way))


async def _told(scenario: str, place: Disk, at: int | None, way: Way) -> dict[str, Any]:
    async with _prepared(SCENARIOS[scenario], place) as ready:
        return await _live(SCENARIOS[scenario], ready, at, way)


async def _walk(scenario: str, place: Disk, ways: Sequence[Way], stride: int, jobs: int) -> Walk:
    async with _prepared(SCENARIOS[scenario], place) as ready:
        gc.freeze()  # what is not touched in a fork is not copied for it
        live = partial(_live, SCENARIOS[scenario], ready)
        (whole,) = [told async for told in told_by([partial(live, None, "killed")], ready.town, jobs=1)]
        crossings, failures = whole["crossings"], list(whole["broken"])
        ends = [(at, way) for at in range(1, len(crossings) + 1, stride) for way in ways]
        lives = told_by([partial(live, at, way) for at, way in ends], ready.town, jobs=jobs)
        number = 0
        async for told in lives:
            at, way = ends[number]
            failures += [f"{way} at {at} ({crossings[at - 1]}): {said}" for said in told["broken"]]
            number += 1
    return Walk(scenario, crossings, number, failures)


@asynccontextmanager
async def _prepared(scenario: Scenario, place: Disk) -> AsyncIterator[_Ready]:
    town = Town(place, random.Random(7), hooks=scenario.hooks, tool=scenario.tool, settings=_PATIENCE)
    memory = Memory()
    town.mapping["limits"] = {"deletes": 50, "deletes_percent": 100}
    people = People(town.tools, town.containers, memory)
    async with town.open():
        town.begin()
        await town.apply()
        assert town.program is not None
        town.program.start()
        people.act(_event(1, Kind.NEW, EXTERNAL))
        for number, (kind, side) in enumerate(scenario.before, 101):
            people.act(_event(number, kind, side))
        await come_to_rest(town, look_s=20)
        await town.stop()
        yield _Ready(town, memory, people)


async def _live(scenario: Scenario, ready: _Ready, at: int | None, way: Way) -> dict[str, Any]:
    """The deed, with the end of one life of the program in the middle of it."""
    town = ready.town
    evidence = Evidence(_NOTHING, town, ready.memory)
    asyncio.get_running_loop().set_exception_handler(evidence.note_error)
    program = town.begin()
    life, work = program.life, program.start()
    life.crossings, life.ends_at = [], at

    def end() -> None:
        """The program ends here, and is started again."""
        if way == "killed":
            life.kill()
        asyncio.get_running_loop().call_soon(work.cancel)
        rising.append(asyncio.create_task(_again(town, killed=life.over)))

    rising: list[asyncio.Task[None]] = []
    life.end = end
    for number, (kind, side) in enumerate(scenario.deeds, 2):
        ready.people.act(_event(number, kind, side))
    try:
        await come_to_rest(town, look_s=20)
        crossings = list(life.crossings)
        written = Written(town)
        await compare(town)
        evidence.late_writes = [f"{side}: {exchange.method} {exchange.path}" for side, exchange in written()]
    except Restless as restless:
        evidence.problems.append(f"1: {restless}")
        crossings = list(life.crossings)
    await collect(evidence)
    return {"crossings": crossings, "story": _story(town), "broken": broken(evidence)}


async def _again(town: Town, *, killed: bool) -> None:
    await (town.kill() if killed else town.stop())
    town.begin().start()


def _story(town: Town) -> list[str]:
    """Every request, in order."""
    asked = [(exchange.at, side, exchange) for side in Side for exchange in town.sides[side].journal]
    return [
        f"{(at - BEGINNING).total_seconds():9.2f}  {side:<9} {each.method} {each.path} {each.status}"
        for at, side, each in sorted(asked, key=lambda entry: entry[0])
    ]


def _event(number: int, kind: Kind, side: Side) -> Event:
    return Event(number, 0.0, kind, side, 0, number)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.crashes", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=", ".join(SCENARIOS))
    parser.add_argument("--stride", type=int, default=1, help="only every so-manieth boundary")
    parser.add_argument("--jobs", type=int, default=None, help="side by side; as many as there are cores")
    parser.add_argument("--at", type=int, help="tell what happens when it ends at this one")
    parser.add_argument("--way", choices=WAYS, default="killed")
    given = parser.parse_args()
    chosen = given.scenarios or list(SCENARIOS)
    if unknown := set(chosen) - SCENARIOS.keys():
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    failed = 0
    with disk() as place, capture_logs():
        for scenario in chosen:
            if given.at is not None:
                told = tell(scenario, place, at=given.at, way=given.way)
                crossed = [f"{number} {what}" for number, what in enumerate(told["crossings"], 1)]
                print(*crossed, *told["story"], *told["broken"], sep="\n")
                failed += len(told["broken"])
                continue
            walked = walk(scenario, place, stride=given.stride, jobs=given.jobs)
            failed += len(walked.failures)
            print(f"{scenario}: {len(walked.crossings)} boundaries, {walked.ends} ends", flush=True)
            for said in walked.failures:
                print(f"    {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    repeatable()
    sys.exit(main())
