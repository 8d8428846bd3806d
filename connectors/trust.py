"""How many calls may be under way with credentials that may have died since they were accepted last.

Calls that are sent cannot be taken back when the first of them is refused. So no more are under way
than the provider's pace makes worthwhile: where it answers in a few milliseconds a few keep it busy,
and more would only wait over there. Whoever waits here when one is refused is refused with it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from connectors.errors import PauseConnection

FEW = 3
"""With the next look at an object, and the one call that then asks why, five meet dead credentials."""

_RATE = 150.0
"""About as many calls a second as one process makes: the longer they take, the more are under way."""

_FORGOTTEN_S = 10.0
"""After so long without an answer one call goes first, and the others wait for it ``_FIRST_S`` at most."""
_FIRST_S = 1.0

_ANSWERS = 10
"""Of so many the fastest tells what the provider takes; the others may have waited for one another.

Of reads and writes apart: a provider that says at once that nothing is new may take long for a write.
"""

_LOOK_S = 0.1
"""Between two looks whether calls that hang leave room for more."""


class Trust:
    """In the credentials of one connection, shared by all who send with them in this process.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[object, float] = {}
        """When each call that is under way began, the oldest first."""
        self._took_s = {write: deque([0.0], maxlen=_ANSWERS) for write in (False, True)}
        self._accepted_at = float("-inf")
        self._waiting: dict[asyncio.Future[PauseConnection | None], None] = {}

    @asynccontextmanager
    async def call(self, *, write: bool) -> AsyncIterator[None]:
        """Room for one call.

        Raises:
            PauseConnection: another call was refused while this one waited.
        """
        while len(self._begun) >= self._allowed():
            await self._turn()
        me = object()
        self._begun[me] = started = self._clock()
        try:
            yield
        except PauseConnection as refusal:
            self._accepted_at = float("-inf")
            for turn in self._waiting:
                if not turn.done():
                    turn.set_result(refusal)
            raise
        else:
            self._accepted_at = self._clock()
            self._took_s[write].append(self._accepted_at - started)
        finally:
            del self._begun[me]
            self._call_up()

    async def _turn(self) -> None:
        turn: asyncio.Future[PauseConnection | None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = None
        try:
            await asyncio.wait([turn], timeout=_LOOK_S)
            if turn.done() and (refusal := turn.result()) is not None:
                raise PauseConnection(refusal.reason, status=refusal.status)
        finally:
            del self._waiting[turn]

    def _allowed(self) -> int:
        now = self._clock()
        oldest_s = now - next(iter(self._begun.values()), now)
        if now - self._accepted_at > _FORGOTTEN_S and oldest_s < _FIRST_S:
            return 1
        takes_s = max(min(took_s) for took_s in self._took_s.values())
        return max(FEW, round(_RATE * max(takes_s, oldest_s - _FIRST_S)))

    def _call_up(self) -> None:
        room = self._allowed() - len(self._begun)
        for turn in [each for each in self._waiting if not each.done()][: max(0, room)]:
            turn.set_result(None)
