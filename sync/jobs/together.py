"""What comes while a run is under way is the next run's: many callers share one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import copy_context
from typing import Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Run: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[Run[Item, Result]]]
_Group: TypeAlias = list[tuple[Item, asyncio.Future[Result]]]


def at_once(run: Run[Item, Result]) -> Begin[Item, Result]:
    """A run that waits for nothing before it begins."""
    return lambda: nullcontext(run)


class Together(Generic[Item, Result]):
    """Call it with one item and get that item's result; a run is given all items that wait, in order.

    One run at a time, with at most ``limit`` items. ``begin`` is entered for a run and gives what does all
    of them or none, and returns one result for each. What comes while it is being entered shares the run:
    who waits for a lock there waits for one transaction of others, not for two.

    Where it raises, halves are tried, down to the item that is to blame: its caller alone gets the error.
    An error ``for_all`` is nobody's fault and goes to the whole group at once.

    A caller that is cancelled takes its item along, unless that is in a run already: a run always comes
    to its end, for nobody could tell what an interrupted commit did. ``unclaimed`` is then given the
    items whose callers are gone.
    """

    def __init__(
        self,
        begin: Begin[Item, Result],
        *,
        limit: int = 200,
        for_all: tuple[type[Exception], ...] = (),
        unclaimed: Callable[[Sequence[Item]], Awaitable[object]] | None = None,
    ) -> None:
        self._begin = begin
        self._limit = limit
        self._for_all = for_all
        self._unclaimed = unclaimed
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._closed = False
        self._context = copy_context()  # a run is for all: what it logs is no single caller's

    async def __call__(self, item: Item) -> Result:
        """The result of this item.

        Raises:
            RuntimeError: closed already.
            Exception: whatever the run raised because of this item.
        """
        if self._closed:
            raise RuntimeError("closed: nothing is taken in any more")
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._running is None:
            self._running = asyncio.create_task(self._run_all(), context=self._context)
        return await result

    async def aclose(self) -> None:
        """Take nothing more, finish what waits. Comes before closing what runs work with."""
        self._closed = True
        if self._running is not None:
            await asyncio.wait([self._running])

    async def _run_all(self) -> None:
        group: _Group[Item, Result] = []
        try:
            while self._waiting:
                group = []
                await self._settle(group)
        finally:
            self._running = None
            for _, result in (*group, *self._waiting):  # left where the program ends in the middle of a run
                result.cancel()

    def _next_group(self) -> _Group[Item, Result]:
        group: _Group[Item, Result] = []
        while self._waiting and len(group) < self._limit:
            item, result = self._waiting.popleft()
            if not result.done():  # its caller is still there
                group.append((item, result))
        return group

    async def _settle(self, group: _Group[Item, Result]) -> None:
        """Run this group; an empty one is filled with those who wait once the run has begun."""
        try:
            async with self._begin() as run:
                group += () if group else self._next_group()
                results = await run([item for item, _ in group]) if group else ()
        except Exception as error:  # noqa: BLE001  (passed on to the callers)
            group += () if group else self._next_group()  # it could not begin
            if len(group) > 1 and not isinstance(error, self._for_all):
                await self._settle(group[: len(group) // 2])
                await self._settle(group[len(group) // 2 :])
                return
            for _, awaited in group:
                if not awaited.done():
                    awaited.set_exception(error)
        else:
            left = [item for item, awaited in group if awaited.done()]
            for (_, awaited), result in zip(group, results, strict=True):
                if not awaited.done():
                    awaited.set_result(result)
            if left and self._unclaimed is not None:
                await self._unclaimed(left)
