"""What waits for a person: refused objects, pauses, dead credentials. The rest goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from connectors.simulation import Exchange, Fault, Simulator
from tests.e2e.town import Town

pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

_STOPS = timedelta(seconds=2)
"""After a pause no write starts later than this."""


def _writes(simulator: Simulator, since: datetime) -> list[Exchange]:
    return [each for each in simulator.journal if each.method != "GET" and each.at > since]


async def test_an_object_that_is_always_refused(shared: Town) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    poison = github.new(place.repo, title="Poison")
    healthy = github.new(place.repo, title="Healthy")
    bad, good = await shared.twin(poison), await shared.twin(healthy)
    await shared.quiet()

    number = shared.github.find(poison)[1].number
    refusal = Fault(kind="422", method="PATCH", path=rf"/issues/{number}$", times=None)
    github.faults.add(refusal)
    asana.edit(bad, title="Poison, refused", labels=["arrives"])
    asana.comment(bad, "arrives, too")
    asana.edit(good, title="Healthy and renamed")
    await shared.quiet()
    shared.agree(healthy, good)
    (row,) = await shared.listing("parked")
    assert (row["field"], row["class"]) == ("title", "rejected")
    assert row["reason"]
    assert row["fix"]
    view = github.view(poison)
    assert view is not None
    assert (view["title"], view["labels"], len(view["comments"])) == ("Poison", ["arrives"], 1)
    assert (await shared.cli("sync", "--once", "--timeout", "20", "--json")).code == 1

    github.faults.clear()
    await shared.done("parked", "retry", str(row["id"]))
    await shared.quiet()
    shared.agree(poison, bad)
    assert await shared.listing("parked") == []


async def test_an_object_that_cannot_be_created(shared: Town) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    github.faults.add(Fault(kind="422", method="POST", path="/issues$", times=None))
    task = asana.new(place.project, title="Not wanted there")
    other = github.new(place.repo, title="Flows meanwhile")
    await shared.twin(other)
    await shared.quiet()
    (row,) = await shared.listing("parked")
    assert (row["what"], row["class"]) == ("link", "rejected")
    github.faults.clear()
    await shared.done("parked", "retry", "--class", "rejected")
    shared.agree(await shared.twin(task), task)
    await shared.quiet()
    assert await shared.listing("parked") == []


@pytest.mark.parametrize("switch", [(), ("--mapping", "main"), ("--connection", "github")])
async def test_a_pause_stops_writes_and_resume_brings_them(shared: Town, switch: tuple[str, ...]) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    issue = github.new(place.repo, title="Paused")
    task = await shared.twin(issue)
    await shared.quiet()
    await shared.done("pause", *switch)
    stopped = datetime.now(UTC) + _STOPS
    for turn in range(6):
        github.edit(issue, title=f"Paused {turn}")
        asana.comment(task, f"while paused {turn}")
        await asyncio.sleep(0.5)
    assert _writes(asana, stopped) == []
    assert _writes(github, stopped) == []
    await shared.done("resume", *switch)
    await shared.quiet()
    shared.agree(issue, task)
    assert len((github.view(issue) or {})["comments"]) == 6
