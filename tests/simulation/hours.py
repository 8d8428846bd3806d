"""Time that passes only while everybody waits: an hour of a town takes a moment of the machine.

Nothing here waits for the world outside: providers, network and database are in this process. So as soon
as no task can go on, the clock goes to the next moment for which somebody waits, and everything that asks
for the time (``datetime.now``, ``time.monotonic``, the loop) is told the same.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import sys
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import time_machine

T = TypeVar("T")

BEGINNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Deadlock(Exception):
    """Everybody waits for somebody, and nobody for a time: nothing can ever happen again."""


def repeatable() -> None:
    """Begin this program anew where it would go another way each time: by the order that sets have."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, sys.orig_argv, {**os.environ, "PYTHONHASHSEED": "0"})


class _Leap(selectors.DefaultSelector):  # type: ignore[misc,valid-type]  # which class it is depends on the system
    """Where the loop would wait for the network, time passes."""

    def __init__(self, passes: Callable[[float], None]) -> None:
        super().__init__()
        self._passes = passes

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock
        if timeout > 0:
            self._passes(timeout)
        return []


class ThreadUsed(Exception):
    """Something was done beside the loop, in time of its own: this run cannot be repeated."""


class _Hours(asyncio.SelectorEventLoop):
    """``threaded``: what a thread asked the loop to do."""

    def __init__(self, traveller: time_machine.Coordinates) -> None:
        self._traveller, self._passed_s = traveller, 0.0
        self._here, self.threaded = threading.get_ident(), list[str]()
        super().__init__(_Leap(self._pass))

    def call_soon_threadsafe(self, callback: Any, *args: Any, **options: Any) -> asyncio.Handle:
        if threading.get_ident() != self._here:
            self.threaded.append(repr(callback))
        return super().call_soon_threadsafe(callback, *args, **options)

    def time(self) -> float:
        return self._passed_s

    def _pass(self, seconds: float) -> None:
        self._passed_s += seconds
        self._traveller.move_to(BEGINNING + timedelta(seconds=self._passed_s))


def spend(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it to its end, beginning on a Monday morning.

    Raises:
        Deadlock: it can have none.
        ThreadUsed: it did something in a thread.
    """
    with (
        time_machine.travel(BEGINNING, tick=False) as traveller,
        asyncio.Runner(loop_factory=lambda: _Hours(traveller)) as runner,
    ):
        result = runner.run(main())
        if threaded := cast(_Hours, runner.get_loop()).threaded:
            raise ThreadUsed(threaded[0])
        return result
