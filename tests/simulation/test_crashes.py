"""The program ends at every boundary of five deeds, killed and cancelled: every promise holds afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.simulation.crashes import SCENARIOS, WAYS, walk
from tests.simulation.disk import Disk, disk

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def place() -> Iterator[Disk]:
    with disk() as made:
        yield made


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_end_at_every_boundary(place: Disk, scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capture_logs():
        walked = walk(scenario, place)
    with capsys.disabled():
        print(f"\n{scenario}: {len(walked.crossings)} boundaries, {walked.ends} ends")
    assert walked.ends == len(walked.crossings) * len(WAYS) > 0
    assert walked.failures == []
