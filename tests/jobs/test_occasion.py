"""Lag, split into the provider's part and ours, and what led to no write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sync.metrics import REGISTRY
from sync.reconcile.model import Side
from sync.store.tables import Connection, Mapping, Mark
from tests.jobs.world import World


class Growth:
    """How much samples have grown since a moment: the process counts for all tests."""

    def __init__(self) -> None:
        self.since_now()

    def since_now(self) -> None:
        self._before = dict(_samples())

    def of(self, name: str, **labels: str) -> float:
        key = name, tuple(sorted(labels.items()))
        return dict(_samples()).get(key, 0.0) - self._before.get(key, 0.0)


def _samples() -> Iterator[tuple[tuple[str, tuple[tuple[str, str], ...]], float]]:
    for family in REGISTRY.collect():
        for sample in family.samples:
            yield (sample.name, tuple(sorted(sample.labels.items()))), sample.value


@pytest.fixture
async def item(world: World) -> str:
    """An external object in step with its task."""
    return (await world.paired())[0]


@pytest.fixture
def growth(item: str) -> Growth:
    return Growth()


async def test_lag_is_split_into_the_providers_part_and_ours(world: World, item: str, growth: Growth) -> None:
    world.clock.stop()
    world.external.edit(item, title="Edited")
    world.clock.advance(100)
    await world.poll()
    assert growth.of("sync_provider_lag_seconds_count") == 1
    theirs = growth.of("sync_provider_lag_seconds_sum")
    assert 90 < theirs <= 100
    world.clock.advance(40)
    await world.work()
    assert world.task()["title"] == "Edited"
    whole = {"service_from": "memory", "service_to": "asana"}
    assert growth.of("sync_event_to_write_seconds_count") == growth.of("sync_lag_seconds_count", **whole) == 1
    assert growth.of("sync_event_to_write_seconds_sum") == pytest.approx(40)
    assert growth.of("sync_lag_seconds_sum", **whole) == pytest.approx(theirs + 40)


async def test_the_providers_clock_is_corrected(world: World, item: str, growth: Growth) -> None:
    world.clock.stop()
    world.external.edit(item, title="Edited")
    await world.change(Connection, {"clock_offset_s": -30.0}, name="other")
    world.clock.advance(100)
    await world.poll()
    assert 60 < growth.of("sync_provider_lag_seconds_sum") <= 70


async def test_what_the_backfill_writes_has_no_lag(world: World, item: str, growth: Growth) -> None:
    world.external.edit(item, title="Found by comparing")
    assert await world.compare()
    assert world.task()["title"] == "Found by comparing"
    assert growth.of("sync_event_to_write_seconds_count") == 0


async def test_our_own_write_that_comes_back_is_an_echo(world: World, item: str, growth: Growth) -> None:
    await world.settle()
    world.external.edit(item, title="Edited")
    await world.look()
    growth.since_now()
    await world.poll()
    assert growth.of("sync_write_suppressed_total", reason="echo") > 0


async def test_a_look_that_finds_everything_equal_is_a_noop(world: World, item: str, growth: Growth) -> None:
    await world.mark(Side.EXTERNAL, item)
    await world.work()
    assert growth.of("sync_write_suppressed_total", reason="noop") == 1
    world.external.edit(item, title="Edited")
    await world.look()
    assert growth.of("sync_write_suppressed_total", reason="noop") == 1


async def test_what_a_pause_holds_back_is_counted_once(world: World, item: str, growth: Growth) -> None:
    await world.change(Mapping, {"paused_directions": ["to_asana"]})
    world.external.edit(item, title="Held")
    await world.poll()
    for _ in range(3):
        await world.work()
        world.clock.advance(3)
    assert world.task()["title"] != "Held"
    assert growth.of("sync_write_suppressed_total", reason="paused") == 1


async def test_what_a_limit_holds_back_is_counted(world: World, item: str, growth: Growth) -> None:
    await world.apply(limits={"creates_per_hour": 2})
    for title in ("One", "Two"):
        world.external.new(world.container, title=title, by="ada")
    await world.look()
    await world.look()
    assert growth.of("sync_write_suppressed_total", reason="budget") == 1
    waiting = await world.the(Mark)
    assert waiting.due_at - world.engine.now() > timedelta(seconds=30)


async def test_requests_are_counted_by_what_came_back(world: World, item: str, growth: Growth) -> None:
    asked = len(world.hub.journal)
    await world.look()
    answered = growth.of("sync_api_requests_total", service="asana", status_class="2xx")
    assert answered == len(world.hub.journal) - asked > 0
    assert growth.of("sync_api_request_duration_seconds_count") >= answered


async def test_a_comparison_that_came_to_its_end_has_a_duration(
    world: World, item: str, growth: Growth
) -> None:
    assert await world.compare()
    assert growth.of("sync_reconcile_duration_seconds_count") == 1
