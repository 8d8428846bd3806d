"""The program ends at boundaries of what people do, killed and cancelled: every promise holds afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.simulation.crashes import SCENARIOS, WAYS, tell, walk
from tests.simulation.disk import Disk, disk

SOME = 80
"""Every how-manieth boundary with all tests; "make walk" and "make chaos" take all of them."""


@pytest.fixture(scope="module")
def place() -> Iterator[Disk]:
    with disk() as made, capture_logs():
        yield made


@pytest.mark.parametrize("scenario", ["comment"])
def test_an_end_at_some_boundaries(place: Disk, scenario: str) -> None:
    walked = walk(scenario, place, stride=SOME, jobs=1)
    assert walked.ends >= len(WAYS)
    assert walked.failures == []


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_end_at_every_boundary(place: Disk, scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    walked = walk(scenario, place)
    with capsys.disabled():
        print(f"\n{scenario}: {len(walked.crossings)} boundaries, {walked.ends} ends")
    assert walked.ends == len(walked.crossings) * len(WAYS) > 0
    assert walked.failures == []


def test_the_walk_goes_through_calls_and_commits(place: Disk) -> None:
    crossed = tell("comment", place)["crossings"]
    for boundary in ("POST ", "GET ", "commit"):
        for end in ("before", "after"):
            assert any(each.startswith(boundary) and each.endswith(end) for each in crossed)
