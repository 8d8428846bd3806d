"""What was found is kept for a moment; whoever asks meanwhile for the same waits for the same look-up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sync.jobs.together import Together, at_once
from sync.store.errors import StoreError

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

MOMENT = timedelta(seconds=1)
"""Less than the two seconds within which every process works by a changed configuration."""


class Kept(Generic[Key, Found]):
    """``look`` is asked for several keys at once and leaves out what there is not: that is never kept.

    ``lasts``: whether an answer may be kept at all.
    """

    def __init__(
        self,
        look: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Found]]],
        now: Callable[[], datetime],
        *,
        lasts: Callable[[Found], bool] = lambda found: True,
    ) -> None:
        self._look = look
        self._now = now
        self._lasts = lasts
        self._kept: dict[Key, tuple[datetime, Found]] = {}
        self._ask: Together[Key, Found | None] = Together(at_once(self._look_up), for_all=(StoreError,))

    async def get(self, key: Key) -> Found | None:
        """What is known of it, no older than a moment; None where there is nothing."""
        known = self._kept.get(key)
        if known is not None and self._is_fresh(known[0]):
            return known[1]
        return await self._ask(key)

    async def aclose(self) -> None:
        await self._ask.aclose()
        self._kept.clear()

    def _is_fresh(self, at: datetime) -> bool:
        return abs(self._now() - at) < MOMENT  # a clock that was put back keeps nothing for ever

    async def _look_up(self, keys: Sequence[Key]) -> list[Found | None]:
        now = self._now()  # before the look: what changes while it runs is not missed for longer
        found = await self._look(list(dict.fromkeys(keys)))
        fresh = {key: known for key, known in self._kept.items() if self._is_fresh(known[0])}
        self._kept = fresh | {key: (now, value) for key, value in found.items() if self._lasts(value)}
        return [found.get(key) for key in keys]
