"""The audit compares the sides with each other, whatever the engine believes to have settled."""

from __future__ import annotations

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.memory.simulator import MemorySimulator
from connectors.simulation import Simulator
from sync.jobs.asked import by_hand
from sync.jobs.asked.audit import Audited, audit
from sync.jobs.tending import alerts, sampling
from sync.jobs.watching.looking import look_again
from sync.store.tables import Conflict, Link, Mark, Seen
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World


async def audited(world: World) -> Audited:
    return await audit(world.engine, await world.route())


async def unnoticed(world: World, item: str, **fields: str) -> None:
    """An edit that the engine takes for settled: its memory says that this is what it saw last."""
    world.external.edit(item, **fields)
    link = await world.link()
    for name, value in fields.items():
        await world.change(Seen, {"external": value}, link_id=link.id, field=name)
    record = (await (await world.route()).end("external").session.listing(world.container, None)).changes  # type: ignore[arg-type]
    newest = next(change.record for change in record if change.ref.id == item)
    assert newest is not None
    await world.change(Link, {"external_version": newest.version}, id=link.id)


@pytest.mark.parametrize("external", [MemorySimulator, GitHubSimulator])
async def test_what_is_in_step_diverges_nowhere(build: Build, external: type[Simulator]) -> None:
    world = await build(external, conflict="ask")
    item, task = await world.paired(
        title="Rich",
        notes="# Head\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n- one\n- two\n\nand `code`",
        labels=["ui", "P1"],
        assignee="ada",
    )
    await world.paired(title="Closed", state="closed") if external is MemorySimulator else None
    world.hub.new(world.project, title="From the hub", by="bob", labels=["urgent"], assignee="bob")
    await world.settle()
    world.external.edit(item, title="Outside")
    world.hub.edit(task, title="Inside")
    await world.settle()
    found = await audited(world)
    assert (found.in_step, found.late, found.divergent) == (found.pairs, 0, []), found.told()
    assert [row.kind for row in await world.rows(Conflict)] == ["edit"], "which waits for a person already"


async def test_what_differs_without_a_reason_is_listed_once_and_can_be_restored(world: World) -> None:
    item, _ = await world.paired(title="Agreed")
    await unnoticed(world, item, title="Apart")
    await world.settle(full=True)
    assert world.task()["title"] == "Agreed", "the engine sees nothing to do"
    for _ in range(2):
        found = await audited(world)
        assert [(each[2].name, each[3].external) for each in found.divergent] == [("title", "Apart")]
    entry = await world.the(Conflict)
    assert (entry.kind, entry.winner, entry.hub["value"]) == ("divergent", None, "Agreed")
    seen = (await world.settle())["mappings"][0]
    assert (seen["divergent"], seen["conflicts_undecided"]) == (1, 1)
    assert alerts.attention({"connections": [], "mappings": [seen]})["mappings"][0]["divergent"] == 1
    await by_hand.ask_to_restore(world.engine, entry.id, "external")
    await by_hand.restore(world.engine, entry.id)
    assert world.task()["title"] == "Apart"
    found = await audited(world)
    assert (found.in_step, found.divergent) == (1, [])


async def test_an_edit_that_is_on_its_way_is_marked_and_nothing_more(world: World) -> None:
    item, _ = await world.paired(title="Start")
    world.external.edit(item, title="Not polled yet")
    found = await audited(world)
    assert (found.late, found.divergent) == (1, [])
    assert {row.reason for row in await world.rows(Mark)} == {"found by the audit"}
    await world.work()
    assert world.task()["title"] == "Not polled yet"


async def test_what_somebody_put_right_meanwhile_does_not_diverge(world: World) -> None:
    item, _ = await world.paired(title="Agreed")
    await unnoticed(world, item, title="Apart")
    put_right = Meanwhile("GET", "^/items$", lambda: world.external.edit(item, title="Agreed"))
    world.external.faults = put_right
    found = await audited(world)
    assert put_right.left == 0, "it was read once more"
    assert (found.in_step, found.divergent) == (1, [])
    assert await world.rows(Conflict) == []


async def test_what_is_to_be_looked_at_anyway_is_late_and_does_not_diverge(world: World) -> None:
    item, _ = await world.paired(title="Agreed")
    await unnoticed(world, item, title="Apart")
    async with world.engine.database.write() as session:
        await look_again(session, await world.link(), "somebody asked", world.engine.now())
    found = await audited(world)
    assert (found.late, found.divergent) == (1, [])
    assert await world.rows(Conflict) == []


async def test_every_so_often_a_few_pairs_are_compared(world: World) -> None:
    item, _ = await world.paired(title="Agreed")
    await unnoticed(world, item, title="Apart")
    await sampling.sample(world.engine)
    world.clock.advance(30)
    await sampling.sample(world.engine)
    assert await world.rows(Conflict) == [], "not yet"
    world.clock.advance(31)
    await sampling.sample(world.engine)
    assert (await world.the(Conflict)).kind == "divergent"
    world.external.edit(item, title="Agreed")
    await world.settle()
    world.clock.advance(61)
    await sampling.sample(world.engine)
    assert (await world.the(Conflict)).state == "dismissed", "what agrees again is over"
