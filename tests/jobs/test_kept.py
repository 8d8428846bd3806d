"""What was found is kept for a moment, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from sync.jobs.kept import MOMENT, Kept
from sync.store.errors import StoreUnreachable


class Shelf:
    """What can be found, by key, and every look at it."""

    def __init__(self, **things: str) -> None:
        self.things = things
        self.looks: list[list[str]] = []
        self.error: Exception | None = None
        self.now = datetime(2026, 5, 1, tzinfo=UTC)

    async def __call__(self, keys: Sequence[str]) -> dict[str, str]:
        self.looks.append(list(keys))
        if self.error is not None:
            raise self.error
        return {key: self.things[key] for key in keys if key in self.things}

    def kept(self) -> Kept[str, str]:
        return Kept(self, lambda: self.now, lasts=lambda found: not found.startswith("unsettled"))


async def test_what_was_found_is_kept_for_a_moment() -> None:
    shelf = Shelf(a="one")
    kept = shelf.kept()
    assert await kept.get("a") == "one"
    shelf.things["a"] = "two"
    shelf.now += MOMENT * 0.9
    assert await kept.get("a") == "one"
    shelf.now += MOMENT * 0.2
    assert await kept.get("a") == "two"
    assert shelf.looks == [["a"], ["a"]]


async def test_a_clock_that_is_put_back_keeps_nothing_for_ever() -> None:
    shelf = Shelf(a="one")
    kept = shelf.kept()
    await kept.get("a")
    shelf.now -= MOMENT * 100
    shelf.things["a"] = "two"
    assert await kept.get("a") == "two"


async def test_what_is_not_there_or_not_settled_is_looked_for_again() -> None:
    shelf = Shelf(a="unsettled")
    kept = shelf.kept()
    assert [await kept.get("a"), await kept.get("b")] == ["unsettled", None]
    shelf.things |= {"a": "settled", "b": "new"}
    assert [await kept.get("a"), await kept.get("b")] == ["settled", "new"]


async def test_who_asks_at_once_shares_a_look() -> None:
    shelf = Shelf(a="one", b="two")
    kept = shelf.kept()
    assert await asyncio.gather(*map(kept.get, "aabc")) == ["one", "one", "two", None]
    assert shelf.looks == [["a", "b", "c"]]


async def test_a_failed_look_is_told_and_not_kept() -> None:
    shelf = Shelf(a="one")
    kept = shelf.kept()
    shelf.error = StoreUnreachable("away")
    told = await asyncio.gather(*map(kept.get, "ab"), return_exceptions=True)
    assert told == [shelf.error] * 2
    assert len(shelf.looks) == 1, "a store that is away is not asked for each key"
    shelf.error = None
    assert await kept.get("a") == "one"


async def test_after_the_end_nothing_is_kept_or_looked_for() -> None:
    kept = Shelf(a="one").kept()
    await kept.get("a")
    await kept.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await kept.get("a")
