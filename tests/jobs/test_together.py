"""Many callers, one run: who is run with whom, and who gets whose result or error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sync.jobs.together import Run, Together, at_once


class Poison(Exception):
    """One item is to blame."""


class Away(Exception):
    """Nobody is to blame."""


class Runs:
    """A run that waits until it is let go, and remembers what it was given."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.at_once = 0
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.raises: dict[str, Exception] = {}
        self.task: asyncio.Task[Any] | None = None

    async def __call__(self, items: Sequence[str]) -> list[str]:
        self.groups.append(list(items))
        self.at_once += 1
        assert self.at_once == 1, "one run at a time"
        self.task = asyncio.current_task()
        self.begun.set()
        try:
            await self.go.wait()
            for item in items:
                if item in self.raises:
                    raise self.raises[item]
            return [item.upper() for item in items]
        finally:
            self.at_once -= 1


@pytest.fixture
def runs() -> Runs:
    return Runs()


async def begun(runs: Runs, first: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
    """A caller whose item is in a run that waits."""
    task = asyncio.create_task(first)
    await runs.begun.wait()
    return task


async def waiting(together: Together[str, str], *items: str) -> list[asyncio.Task[str]]:
    """Callers that came while the run was under way."""
    tasks = [asyncio.create_task(together(item)) for item in items]
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_during_a_run_is_the_next_one_in_order(runs: Runs) -> None:
    together = Together(at_once(runs))
    first = await begun(runs, together("a"))
    others = await waiting(together, "b", "c", "d")
    runs.go.set()
    assert await asyncio.gather(first, *others) == ["A", "B", "C", "D"]
    assert runs.groups == [["a"], ["b", "c", "d"]]
    assert await together("e") == "E"
    assert runs.groups[2:] == [["e"]]


async def test_those_of_one_moment_share_the_first_run(runs: Runs) -> None:
    runs.go.set()
    assert await asyncio.gather(*map(Together(at_once(runs)), "abc")) == ["A", "B", "C"]
    assert runs.groups == [["a", "b", "c"]]


class Begins:
    """What a run waits for before it begins, such as a lock."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.waits = asyncio.Event()
        self.free = asyncio.Event()
        self.raises: Exception | None = None
        self.ended = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Run[str, str]]:
        self.waits.set()
        await self.free.wait()
        if self.raises:
            raise self.raises
        yield self.runs
        self.ended += 1


async def test_what_comes_before_a_run_begins_shares_it(runs: Runs) -> None:
    begins = Begins(runs)
    together = Together(begins)
    first = asyncio.create_task(together("a"))
    await begins.waits.wait()
    others = await waiting(together, "b", "c")
    runs.go.set()
    begins.free.set()
    assert await asyncio.gather(first, *others) == ["A", "B", "C"]
    assert (runs.groups, begins.ended) == ([["a", "b", "c"]], 1)


async def test_a_run_that_cannot_begin_fails_for_all_who_wait(runs: Runs) -> None:
    begins = Begins(runs)
    begins.raises = Away()
    together = Together(begins, for_all=(Away,))
    first = asyncio.create_task(together("a"))
    await begins.waits.wait()
    (second,) = await waiting(together, "b")
    begins.free.set()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert results == [begins.raises] * 2
    begins.raises = None
    runs.go.set()
    assert await together("c") == "C"


async def test_nothing_is_run_for_nobody(runs: Runs) -> None:
    begins = Begins(runs)
    together = Together(begins)
    first = asyncio.create_task(together("a"))
    await begins.waits.wait()
    first.cancel()
    await asyncio.wait([first])
    begins.free.set()
    await together.aclose()
    assert runs.groups == []


async def test_a_run_has_a_limit(runs: Runs) -> None:
    runs.go.set()
    together = Together(at_once(runs), limit=2)
    assert await asyncio.gather(*map(together, "abcde")) == list("ABCDE")
    assert runs.groups == [["a", "b"], ["c", "d"], ["e"]]


async def test_an_error_goes_to_the_item_that_is_to_blame_alone(runs: Runs) -> None:
    runs.go.set()
    runs.raises = {"c": Poison("c")}
    results = await asyncio.gather(*map(Together(at_once(runs)), "abcdefgh"), return_exceptions=True)
    assert results == [*"AB", runs.raises["c"], *"DEFGH"]
    done = [group for group in runs.groups if "c" not in group]
    assert done == [["a", "b"], ["d"], ["e", "f", "g", "h"]]


async def test_an_error_that_concerns_all_is_not_tried_again(runs: Runs) -> None:
    runs.go.set()
    runs.raises = {"b": Away()}
    together = Together(at_once(runs), for_all=(Away,))
    results = await asyncio.gather(*map(together, "abc"), return_exceptions=True)
    assert results == [runs.raises["b"]] * 3
    assert runs.groups == [["a", "b", "c"]]
    runs.raises = {}
    assert await together("b") == "B", "the next ones are tried again"


async def test_a_cancelled_caller_takes_its_item_along_unless_it_is_in_a_run(runs: Runs) -> None:
    together = Together(at_once(runs))
    first = await begun(runs, together("a"))
    second, third = await waiting(together, "b", "c")
    first.cancel()
    second.cancel()
    await asyncio.wait([first, second])
    assert (first.cancelled(), second.cancelled()) == (True, True)
    runs.go.set()
    assert await third == "C"
    assert runs.groups == [["a"], ["c"]]


async def test_what_was_done_for_those_who_are_gone_is_told(runs: Runs) -> None:
    gone: list[str] = []

    async def unclaimed(items: Sequence[str]) -> None:
        gone.extend(items)

    together = Together(at_once(runs), unclaimed=unclaimed)
    first = await begun(runs, together("a"))
    (second,) = await waiting(together, "b")
    first.cancel()
    await asyncio.wait([first])
    runs.go.set()
    assert await second == "B"
    assert gone == ["a"]


async def test_only_cancelled_callers_make_no_run(runs: Runs) -> None:
    together = Together(at_once(runs))
    first = await begun(runs, together("a"))
    (second,) = await waiting(together, "b")
    second.cancel()
    runs.go.set()
    assert await first == "A"
    await together.aclose()
    assert runs.groups == [["a"]]


async def test_closing_finishes_what_waits_and_takes_nothing_more(runs: Runs) -> None:
    together = Together(at_once(runs))
    first = await begun(runs, together("a"))
    (second,) = await waiting(together, "b")
    closing = asyncio.create_task(together.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    with pytest.raises(RuntimeError, match="closed"):
        await together("c")
    runs.go.set()
    await closing
    assert (await first, await second) == ("A", "B")
    await together.aclose()


async def test_where_the_program_ends_in_a_run_nobody_waits_for_ever(runs: Runs) -> None:
    together = Together(at_once(runs))
    first = await begun(runs, together("a"))
    (second,) = await waiting(together, "b")
    assert runs.task is not None
    runs.task.cancel()
    await asyncio.wait([runs.task, first, second])
    assert (first.cancelled(), second.cancelled()) == (True, True)
