"""One run of the program: from its start until it ends, is told to end, or is killed at any moment."""

from __future__ import annotations

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

    def kill(self) -> None:
        self.over = True

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
