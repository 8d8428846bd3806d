"""One run of the program: until it ends, is told to end, is killed, or sleeps for a while, at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Killed(BaseException):
    """As after SIGKILL: this life does nothing any more, neither to the database nor to a provider."""


class Life:
    """Everything that leaves the process crosses a boundary here, before it and after it.

    ``ends_at`` is the number of the crossing at which ``end`` is called; None: it lives.
    """

    def __init__(self) -> None:
        self.crossed = 0
        self.ends_at: int | None = None
        self.end: Callable[[], None] = self.kill
        self.over = False
        self.crossings: list[str] | None = None
        """What each of them was, where somebody wants to know."""

        self._awake = asyncio.Event()
        self._awake.set()

    def kill(self) -> None:
        self.over = True
        self._awake.set()

    def fall_asleep(self) -> None:
        """As after SIGSTOP: time passes, and nothing happens here until somebody wakes it."""
        self._awake.clear()

    @property
    def sleeps(self) -> bool:
        return not self._awake.is_set()

    def wake(self) -> None:
        self._awake.set()

    async def awake(self) -> None:
        """Whoever is about to begin something, or to read an answer, waits here while it sleeps."""
        await self._awake.wait()

    def cross(self, what: str) -> None:
        """Raises Killed: this life is over."""
        if not self.over:
            self.crossed += 1
            if self.crossings is not None:
                self.crossings.append(what)
            if self.crossed == self.ends_at:
                self.end()
        self.check()

    def check(self) -> None:
        """Raises Killed: this life is over."""
        if self.over:
            raise Killed
