"""What becomes of a town if it goes on like that: another process lives it, this one stands still."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulation.disk import MEMORY
from tests.simulation.town import Town

Told = dict[str, Any]
Future = Callable[[], Awaitable[Told]]


@dataclass(frozen=True, slots=True)
class _Fork:
    """``answers``: where it says what became of it."""

    process: int
    answers: int

    def told(self) -> Told:
        with os.fdopen(self.answers) as pipe:
            told: Told = json.load(pipe)
        os.waitpid(self.process, 0)
        return told


async def told_by(futures: Iterable[Future], town: Town, *, jobs: int) -> AsyncIterator[Told]:
    """What each of these futures of the town tells, in their order; so many are lived side by side.

    A future that raises tells so as what is ``broken`` in it.
    """
    town.disk.pull_the_plug()
    under_way: deque[_Fork] = deque()
    for future in futures:
        if len(under_way) == jobs:
            yield under_way.popleft().told()
        under_way.append(await _forked(town, future))
    while under_way:
        yield under_way.popleft().told()


async def _forked(town: Town, future: Future) -> _Fork:
    answers, answer = os.pipe()
    loop = asyncio.get_running_loop()
    process = os.fork()
    if process:
        os.close(answer)
        return _Fork(process, answers)
    asyncio._set_running_loop(loop)  # which a loop asks its process for
    try:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            town.disk.move(Path(folder))
            told = await future()
    except BaseException as error:  # noqa: BLE001  # nothing of the fork may go on in the caller's code
        told = {"crossings": [], "story": [], "broken": [f"raised {error!r}"]}
    with os.fdopen(answer, "w") as pipe:
        json.dump(told, pipe)
    os._exit(0)
