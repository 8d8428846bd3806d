"""The timeline of a link tells each try to write, and how it ended."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.simulation import Fault
from sync.store import listings
from tests.jobs.world import World


async def tries(world: World, **asked: Any) -> list[tuple[str | None, str | None]]:
    """(field, outcome) of all tries to write, oldest first."""
    async with world.engine.database.read() as session:
        told = await listings.history_page(session, **asked)
    return [(line["field"], line["outcome"]) for line in told["items"] if line["event"] == "write"]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("timeout_before", "unknown"), ("422", "refused"), ("429", "not_done")],
)
async def test_a_try_that_fails_is_a_line_of_its_own(world: World, fault: Any, outcome: str) -> None:
    item, _ = await world.paired(title="Start")
    link = await world.link()
    begun = await tries(world, link_id=link.id)
    world.set_now(http_timeout_seconds=0.5)
    world.hub.faults.add(Fault(kind=fault, method="PUT", path="/tasks/", retry_after=0.1))
    world.external.edit(item, title="Renamed")
    await world.look()
    told = (await tries(world, mapping="web"))[len(begun) :]
    assert told[0] == ("title", outcome)
    if outcome != "refused":
        await world.settle()
        assert world.task()["title"] == "Renamed"
        assert (await tries(world, link_id=link.id))[-1] == ("title", "done")
