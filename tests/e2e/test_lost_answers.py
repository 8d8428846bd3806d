"""The provider did it, or did not, and the product cannot know: it looks before it repeats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.simulation import Fault
from tests.e2e.deeds import KINDS, all_done, prepared
from tests.e2e.town import Town, assert_silence

pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

ALL = [kind for kinds in KINDS.values() for kind in kinds]


@pytest.fixture(autouse=True)
def _afterwards(shared: Town) -> Iterator[None]:
    yield
    for simulator in (shared.asana, shared.github):
        simulator.faults.clear()
        simulator.visible_after_s = 0
    shared.github.labels_bump_updated = False


@pytest.mark.parametrize(
    "kind", ["timeout_before", "timeout_after", "reset_before", "reset_after", "garbage", "500", "503"]
)
async def test_each_write_fails_once(shared: Town, kind: str) -> None:
    deeds = await prepared(shared, shared.places["main"], ALL)
    for deed in deeds:
        deed.fail(kind)
        deed.act()
    await all_done(shared, deeds)


@pytest.mark.parametrize("bump", [False, True])
async def test_writes_are_visible_late(shared: Town, bump: bool) -> None:
    deeds = await prepared(shared, shared.places["main"], ALL)
    shared.github.labels_bump_updated = bump
    for simulator in (shared.asana, shared.github):
        simulator.visible_after_s = 0.8
    for deed in deeds:
        deed.act()
    if not bump:  # a listing by time does not tell of the label then: webhooks do, and the full pass
        await shared.quiet()
        await shared.done("sync", "main", "--once", "--full")
    await all_done(shared, deeds)
    assert [row for row in await shared.listing("conflicts") if row["state"] == "open"] == []


async def test_nobody_calls_before_retry_after(shared: Town) -> None:
    deeds = await prepared(shared, shared.places["main"], ALL)
    for deed in deeds:
        deed.act()
    for simulator in (shared.asana, shared.github):
        simulator.faults.add(Fault(kind="429", method="GET", retry_after=3))
    await all_done(shared, deeds)
    for simulator in (shared.asana, shared.github):
        assert_silence(simulator.journal)


async def test_a_storm_of_503(shared: Town) -> None:
    deeds = await prepared(shared, shared.places["main"], ALL)
    for simulator in (shared.asana, shared.github):
        simulator.faults.add(Fault(kind="503", times=12))
    for deed in deeds:
        deed.act()
    await all_done(shared, deeds)


async def test_slow_answers(shared: Town) -> None:
    deeds = await prepared(shared, shared.places["main"], ALL)
    for simulator in (shared.asana, shared.github):
        simulator.faults.add(Fault(kind="slow", seconds=0.7, times=8))
    for deed in deeds:
        deed.act()
    await all_done(shared, deeds)
