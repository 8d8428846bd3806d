"""Many seeds, side by side: each process has a disk of its own."""

from __future__ import annotations

import atexit
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.disk import Disk, disk
from tests.simulation.promises import broken
from tests.simulation.run import run
from tests.simulation.schedule import draw
from tests.simulation.tools import EXTERNAL

_DISK: list[Disk] = []
_AHEAD = 20
"""So many wait for a process, so that none is idle while one seed takes long."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``cpu_s``: what the seed took; ``problems``: the promises that it broke."""

    seed: int
    events: int
    cpu_s: float
    problems: tuple[str, ...]


def judge(seed: int, length: int, tool: str) -> Verdict:
    """Run one seed; what it raises is a problem like any other."""
    schedule = draw(seed, length, tool)
    try:
        evidence = run(schedule, _DISK[0])
    except Exception as error:  # noqa: BLE001  # whatever it is, the other seeds are judged, too
        return Verdict(seed, length, 0.0, (f"raised {error!r}",))
    return Verdict(seed, length, evidence.cpu_s, tuple(broken(evidence)))


def judged(seeds: Sequence[int], length: int, tool: str, *, jobs: int | None = None) -> Iterator[Verdict]:
    """All of them, in order; few are begun before they are asked for."""
    ahead = deque[Future[Verdict]]()
    with ProcessPoolExecutor(jobs or os.cpu_count(), initializer=_open) as pool:
        try:
            for seed in seeds:
                ahead.append(pool.submit(judge, seed, length, tool))
                if len(ahead) > _AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def regressions(tool: str) -> list[int]:
    """Seeds that failed once with this tool."""
    lines = Path(__file__).with_name("seeds.txt").read_text().splitlines()
    told = [line.split() for line in lines if line and not line.startswith("#")]
    if tool == "github":
        return [int(first) for first, *_ in told if first not in EXTERNAL]
    return [int(seed) for name, seed, *_ in told if name == tool]


def _open() -> None:
    stack = ExitStack()
    _DISK.append(stack.enter_context(disk()))
    atexit.register(stack.close)
