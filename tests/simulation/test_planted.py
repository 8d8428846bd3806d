"""The suite's own test: each planted mistake breaks its promise, and without it none is broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.disk import Disk, disk
from tests.simulation.planted import PLANTED, Planted
from tests.simulation.promises import broken
from tests.simulation.run import run

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def place() -> Iterator[Disk]:
    with disk() as made:
        yield made


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.number}-{planted.name}")
def test_a_planted_mistake_is_caught(place: Disk, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(run(planted.schedule, place)) == []
    planted.plant(monkeypatch)
    numbers = {problem.partition(":")[0] for problem in broken(run(planted.schedule, place))}
    assert numbers & planted.caught_by, f"caught by nothing, or by the wrong check: {numbers}"
