"""The story: what people do on both sides, and what must then be seen on both.

Each step acts through the simulators as people act in the providers' own pages, waits until the other
side shows it, and looks at both sides. The providers play side by side, each with the hub.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from connectors.simulation import Exchange, Fault, Simulator
from sync.demo.stage import End, Scene, Stage

PATIENCE_S = 30.0
_LOOK_S = 0.005
_LATER_S = 2.5
"""Between two edits of which one is newer beyond doubt: clocks of providers may show whole seconds."""
_STILL_S = 1.5
"""How long nothing may move at the end: longer than a round of polling."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that held. ``ms`` from the edit on one side to its sight on the other."""

    route: str
    what: str
    ms: float | None = None


class Unmet(Exception):
    """Something did not hold."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.where, self.expected, self.found = where, expected, found


Play: TypeAlias = Callable[[Stage], Awaitable[Sequence[Seen]]]


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    play: Play


def side_by_side(part: Callable[[Stage, Scene], Awaitable[Sequence[Seen]]]) -> Play:
    """Play it in all scenes at once."""

    async def play(stage: Stage) -> Sequence[Seen]:
        async with asyncio.TaskGroup() as group:
            parts = [group.create_task(part(stage, scene)) for scene in stage.scenes]
        return [seen for task in parts for seen in task.result()]

    async def first_failure(stage: Stage) -> Sequence[Seen]:
        try:
            return await play(stage)
        except* Unmet as group:
            raise group.exceptions[0] from None

    return first_failure
