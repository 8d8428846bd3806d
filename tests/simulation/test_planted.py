"""The suite's own test: each planted mistake breaks its promise, and without it none is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.simulation.disk import Disk, disk
from tests.simulation.planted import PLANTED, Planted
from tests.simulation.promises import broken
from tests.simulation.run import run

pytestmark = pytest.mark.chaos

SEEDS = range(1, 9)
"""How long each answer takes decides where a fault or an end of the process falls: one of these meets it."""


@pytest.fixture(scope="module")
def place() -> Iterator[Disk]:
    with disk() as made:
        yield made


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.number}-{planted.name}")
def test_a_planted_mistake_is_caught(place: Disk, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(run(planted.schedule, place)) == []
    planted.plant(monkeypatch)
    numbers: set[str] = set()
    for seed in SEEDS:
        problems = broken(run(replace(planted.schedule, seed=seed), place))
        numbers |= {problem.partition(":")[0] for problem in problems}
        if numbers & planted.caught_by:
            return
    pytest.fail(f"caught by nothing, or by the wrong check: {numbers}")
