"""Limits of one connection: how much may be in flight, and silence when the provider asks for it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from connectors.errors import RetryLater

_WINDOW_S = 60.0
_PATIENCE_S = 1.0
"""A shorter hold is waited out; a longer one is the caller's to plan with."""


class Gate(Protocol):
    """Limits of one connection, shared by everybody who uses it."""

    def slot(self, *, write: bool) -> AbstractAsyncContextManager[None]:
        """Room for one request; waits shortly, raises RetryLater(limited=True) while all are held."""

    async def hold(self, seconds: float) -> None:
        """The provider asked for silence: nobody sends before that."""


class OpenGate:
    """A gate without limits: for ``check`` and for tests."""

    @asynccontextmanager
    async def slot(self, *, write: bool) -> AsyncIterator[None]:
        yield

    async def hold(self, seconds: float) -> None:
        """Nobody else is there to be held."""


class LocalGate:
    """A gate for one process.

    Args:
        reads, writes: requests in flight.
        per_minute: requests started in any 60 seconds, both sorts together; None for no such limit.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        reads: int,
        writes: int,
        per_minute: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reads = asyncio.Semaphore(reads)
        self._writes = asyncio.Semaphore(writes)
        self._per_minute = per_minute
        self._started: deque[float] = deque(maxlen=per_minute)
        self._clock = clock
        self._held_until = clock()

    @asynccontextmanager
    async def slot(self, *, write: bool) -> AsyncIterator[None]:
        async with self._writes if write else self._reads:
            while (wait := self._wait()) > 0:
                if wait > _PATIENCE_S:
                    raise RetryLater("the provider's limit is reached", after=wait, limited=True)
                await asyncio.sleep(wait)
            self._started.append(self._clock())
            yield

    async def hold(self, seconds: float) -> None:
        self._held_until = max(self._held_until, self._clock() + seconds)

    def _wait(self) -> float:
        """Seconds until one more request may start; zero or less is now."""
        free_at = self._held_until
        if self._per_minute is not None and len(self._started) == self._per_minute:
            free_at = max(free_at, self._started[0] + _WINDOW_S)
        return free_at - self._clock()
