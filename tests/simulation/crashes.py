"""A crash at every boundary: one deed, ended before and after each call and each commit, one after the other.

The town is prepared once. Each crash then happens in a fork of it: a town of its own, with its own disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sync.reconcile.model import Side
from tests.simulation.disk import MEMORY, Disk
from tests.simulation.evidence import Evidence, collect
from tests.simulation.hours import spend
from tests.simulation.memory import Memory
from tests.simulation.people import People
from tests.simulation.promises import broken
from tests.simulation.rest import Restless, Written, come_to_rest, compare
from tests.simulation.schedule import Event, Kind, Schedule
from tests.simulation.town import Town

Way = Literal["killed", "cancelled"]
WAYS: tuple[Way, ...] = ("killed", "cancelled")

SCENARIOS: Mapping[str, Sequence[tuple[Kind, Side]]] = {
    "create": ((Kind.NEW, Side.HUB), (Kind.NEW, Side.EXTERNAL)),
    "update both sides": ((Kind.TITLE, Side.HUB), (Kind.NOTES, Side.EXTERNAL), (Kind.LABEL, Side.HUB)),
    "comment": ((Kind.COMMENT, Side.HUB), (Kind.COMMENT, Side.EXTERNAL)),
    "attachment": ((Kind.ATTACH, Side.EXTERNAL), (Kind.ATTACH, Side.HUB)),
    "delete": ((Kind.REMOVE, Side.HUB),),
}
"""What people do, all at once, in a town with one pair of objects in step."""


@dataclass(frozen=True, slots=True)
class Walk:
    """``crossings``: what each boundary was; ``failures``: what was broken by an end at one of them."""

    scenario: str
    crossings: Sequence[str]
    ends: int
    failures: Sequence[str]


def walk(scenario: str, disk: Disk, *, ways: Sequence[Way] = WAYS, stride: int = 1) -> Walk:
    """End the program at every ``stride``-th boundary, in each of these ways."""
    return spend(lambda: _walk(scenario, disk, ways, stride))


async def _walk(scenario: str, disk: Disk, ways: Sequence[Way], stride: int) -> Walk:
    town, memory = Town(disk, random.Random(7), hooks=False, settings=_PATIENCE), Memory()
    town.mapping["limits"] = {"deletes": 50, "deletes_percent": 100}
    people = People(town.sides, town.containers, memory)
    async with town.open():
        town.begin()
        await town.apply()
        assert town.program is not None
        town.program.start()
        people.act(_event(1, Kind.NEW, Side.EXTERNAL))
        await come_to_rest(town, look_s=20)
        await town.stop()
        first = await _forked(town, partial(_live, scenario, town, memory, people, None, "killed"))
        crossings, failures, ends = first["crossings"], list(first["broken"]), 0
        for at in range(1, len(crossings) + 1, stride):
            for way in ways:
                ends += 1
                told = await _forked(town, partial(_live, scenario, town, memory, people, at, way))
                failures += [f"{way} at {at} ({crossings[at - 1]}): {said}" for said in told["broken"]]
    return Walk(scenario, crossings, ends, failures)


async def _live(
    scenario: str, town: Town, memory: Memory, people: People, at: int | None, way: Way
) -> dict[str, Any]:
    """The deed, with the end of one life of the program in the middle of it."""
    evidence = Evidence(_NOTHING, town, memory)
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
    for number, (kind, side) in enumerate(SCENARIOS[scenario], 2):
        people.act(_event(number, kind, side))
    try:
        await come_to_rest(town, look_s=20)
        crossings = list(life.crossings)
        written = Written(town)
        await compare(town)
        evidence.late_writes = [f"{side}: {exchange.method} {exchange.path}" for side, exchange in written()]
    except Restless as restless:
        evidence.problems.append(f"1: {restless}")
    await collect(evidence)
    return {"crossings": crossings, "broken": broken(evidence)}


async def _again(town: Town, *, killed: bool) -> None:
    await (town.kill() if killed else town.stop())
    town.begin().start()


async def _forked(town: Town, live: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """What becomes of the town if it goes on like that; this one stands still."""
    town.disk.pull_the_plug()
    answers, answer = os.pipe()
    loop = asyncio.get_running_loop()
    child = os.fork()
    if child == 0:
        asyncio._set_running_loop(loop)  # which a loop asks its process for
        try:
            with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
                town.disk.move(Path(folder))
                told = await live()
        except BaseException as error:  # noqa: BLE001  # nothing of the fork may go on in the caller's code
            told = {"crossings": [], "broken": [f"raised {error!r}"]}
        with os.fdopen(answer, "w") as pipe:
            json.dump(told, pipe)
        os._exit(0)
    os.close(answer)
    with os.fdopen(answers) as pipe:
        told = json.load(pipe)
    os.waitpid(child, 0)  # noqa: ASYNC222  # everything waits for it, time too
    return dict(told)


def _event(number: int, kind: Kind, side: Side) -> Event:
    return Event(number, 0.0, kind, side, 0, number)


_PATIENCE = {"stale_seconds": 0.0, "delete_delay_seconds": 30.0, "poll_seconds": 30.0}
_NOTHING = Schedule(seed=0, events=(), hooks=False, late=False, skew_s={}, old=0, conflict="last_modified")
