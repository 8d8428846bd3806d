"""The simulation itself: time, schedules, shrinking, and that a seed is the same run every time."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.simulation.disk import Disk, disk
from tests.simulation.evidence import Evidence
from tests.simulation.hours import BEGINNING, Deadlock, spend
from tests.simulation.promises import broken
from tests.simulation.run import run
from tests.simulation.schedule import EDITS, TROUBLES, Schedule, draw
from tests.simulation.shrinking import shrunk

LENGTH = 12


@pytest.fixture(scope="module")
def place() -> Iterator[Disk]:
    with disk() as made:
        yield made


def test_an_hour_passes_in_a_moment_and_everybody_is_told_the_same() -> None:
    async def main() -> tuple[datetime, float]:
        began = time.monotonic()
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(60))
        return datetime.now(UTC), time.monotonic() - began

    began = time.perf_counter()
    now, passed_s = spend(main)
    assert now == BEGINNING + timedelta(hours=1)
    assert passed_s == pytest.approx(3600)
    assert time.perf_counter() - began < 5


def test_waiting_for_nothing_is_an_error() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        spend(main)


def test_a_seed_always_draws_the_same_and_every_kind_is_drawn() -> None:
    assert draw(7) == draw(7) != draw(8)
    drawn = {event.kind for seed in range(60) for event in draw(seed).events}
    assert drawn == EDITS.keys() | TROUBLES.keys()


def test_a_schedule_shrinks_to_what_is_needed() -> None:
    whole = draw(3, 40)
    needed = {5, 31}
    small = shrunk(whole, lambda some: needed <= {event.number for event in some.events})
    assert {event.number for event in small.events} == needed


@pytest.mark.parametrize(
    ("seed", "tool"),
    [(5, "github"), *(pytest.param(6, tool, marks=pytest.mark.chaos) for tool in ("github", "slack"))],
)
def test_the_same_seed_writes_the_same(place: Disk, seed: int, tool: str) -> None:
    first, second = (run(draw(seed, LENGTH, tool), place) for _ in range(2))
    assert broken(first) == []
    assert written(first) == written(second)
    assert first.story == second.story
    assert [link["reason"] for link in first.links] == [link["reason"] for link in second.links]


@pytest.mark.chaos
def test_it_does_not_matter_how_webhooks_come(place: Disk) -> None:
    """One side is edited, each object by one person: repeated and reordered calls change nothing."""
    schedule = _calm(draw(11, 10))
    plain = run(schedule, place)
    shuffled = run(schedule, place, duplicate=4, reorder=True)
    assert broken(plain) == broken(shuffled) == []
    assert ends(plain) == ends(shuffled)


def written(evidence: Evidence) -> list[str]:
    """Every write in order, less what is random on purpose: keys of objects, what parts files."""
    return [
        re.sub(
            r"-(?:[0-9a-f]{8}|[0-9a-f]{32})\b",
            "-key",
            f"{exchange.at} {exchange.method} {exchange.path} {exchange.body}",
        )
        for simulator in evidence.town.sides.values()
        for exchange in simulator.journal
        if exchange.method != "GET" and "hooks" not in exchange.path
    ]


def ends(evidence: Evidence) -> list[tuple[str, str, list[str]]]:
    """How everything on both sides stands."""
    return sorted(
        (view["title"], view["state"], sorted(view["labels"]))
        for side, simulator in evidence.town.sides.items()
        for id in simulator.objects(evidence.town.containers[side])
        if (view := simulator.view(id)) is not None
    )


def _calm(schedule: Schedule) -> Schedule:
    """The edits alone, with time to be carried over between two of them."""
    edits = [event for event in schedule.events if event.kind in EDITS]
    apart = [replace(event, at_s=30.0 * at) for at, event in enumerate(edits)]
    return replace(schedule, events=apart, hooks=True, skew_s={}, old=0, conflict="last_modified")
