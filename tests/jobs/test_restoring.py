"""What a person decides: restore a lost value, retry, link, unlink."""

from __future__ import annotations

import asyncio

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.records import Record
from connectors.simulation import Fault
from sync.commands.output import DONE, WAITS
from sync.commands.syncing import exit_code
from sync.jobs.asked import by_hand
from sync.jobs.asked.not_possible import NotPossible
from sync.reconcile.model import Clash, Pair, Policy, Side
from sync.store import conflicts
from sync.store.errors import StoreUnreachable
from sync.store.tables import Conflict, Event, Link, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def a_conflict(world: World) -> tuple[str, str, Conflict]:
    """Both sides changed the title; the hub won."""
    item, task = await world.paired(title="Start")
    world.external.edit(item, title="Lost", by="bob")
    world.hub.clock.advance(10)
    world.hub.edit(task, title="Won", by="ada")
    world.hub.clock.advance(-10)
    await world.settle()
    return item, task, await world.the(Conflict)


async def test_the_lost_value_comes_back_on_both_sides(world: World) -> None:
    _, _, entry = await a_conflict(world)
    assert (world.thing()["title"], entry.winner) == ("Won", "hub")
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Lost", "Lost")
    first, second = await world.rows(Conflict)
    assert (first.state, first.restoring) == ("restored", "")
    assert (second.kind, second.state, second.hub["value"]) == ("overwritten", "open", "Won")
    before = len(world.writes())
    await world.settle()
    assert len(world.writes()) == before
    with pytest.raises(NotPossible, match="no open conflict"):
        await by_hand.ask_to_restore(world.engine, first.id, None)


@pytest.mark.parametrize("winner", ["asana", "external"])
async def test_what_is_replaced_is_listed_once_where_one_side_is_written_later(
    build: Build, winner: str
) -> None:
    world = await build(conflict=winner)
    item, task = await world.paired(title="Start")
    world.external.edit(item, title="Outside", by="bob")
    world.hub.edit(task, title="Inside", by="ada")
    await world.settle()
    entry = await world.the(Conflict)
    won, lost = ("Inside", "Outside") if winner == "asana" else ("Outside", "Inside")
    world.external.faults.add(Fault(kind="503", method="PATCH", times=2))
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == (lost, lost)
    _, replaced = await world.rows(Conflict)
    assert (replaced.hub["value"], replaced.external["value"]) == (won, won)
    await by_hand.ask_to_restore(world.engine, replaced.id, None)
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == (won, won)


async def test_an_edit_between_the_two_writes_of_a_restore_is_listed_too(build: Build) -> None:
    world = await build(conflict="asana")
    item, task = await world.paired(title="Start")
    world.external.edit(item, title="Outside", by="bob")
    world.hub.edit(task, title="Inside", by="ada")
    await world.settle()
    entry = await world.the(Conflict)
    world.external.faults.add(Fault(kind="503", method="PATCH"))
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    await world.look()
    assert (world.thing()["title"], world.task()["title"]) == ("Inside", "Outside")
    world.external.edit(item, title="Meanwhile", by="bob")
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Outside", "Outside")
    newest = (await world.rows(Conflict))[-1]
    assert (newest.external["value"], newest.winner) == ("Meanwhile", "hub")
    await by_hand.ask_to_restore(world.engine, newest.id, None)
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Meanwhile", "Meanwhile")


async def test_a_value_that_stands_there_already_is_just_settled(world: World) -> None:
    item, _task, entry = await a_conflict(world)
    world.external.edit(item, title="Lost")
    await world.settle()
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Lost", "Lost")
    assert (await world.rows(Conflict))[0].state == "restored"


async def test_where_nobody_won_a_side_has_to_be_named(build: Build) -> None:
    world = await build(conflict="ask")
    item, task = await world.paired(title="Start")
    world.external.edit(item, title="Outside")
    world.hub.edit(task, title="Inside")
    seen = await world.settle()
    assert (seen["quiet"], exit_code(seen, "web")) == (True, WAITS), "a person has to decide"
    entry = await world.the(Conflict)
    with pytest.raises(NotPossible, match="say --side"):
        await by_hand.ask_to_restore(world.engine, entry.id, None)
    await by_hand.ask_to_restore(world.engine, entry.id, "external")
    await by_hand.restore(world.engine, entry.id)
    assert (world.thing()["title"], world.task()["title"]) == ("Outside", "Outside")
    state = await by_hand.restoration(world.engine, entry.id, entry.detected_at)
    assert (state["id"], state["state"]) == (entry.id, "restored")
    assert [write["side"] for write in state["writes"]] == ["asana"]
    assert exit_code(await world.settle(), "web") == DONE


async def test_an_ended_link_restores_nothing(world: World) -> None:
    _, _, entry = await a_conflict(world)
    await by_hand.unlink(world.engine, entry.link_id)
    with pytest.raises(NotPossible):
        await by_hand.ask_to_restore(world.engine, entry.id, None)
    with pytest.raises(NotPossible, match="no living link"):
        await by_hand.unlink(world.engine, entry.link_id)


def named(title: str):  # type: ignore[no-untyped-def]
    def chosen(record: Record) -> bool:
        return record.fields.get("title") == title

    return chosen


async def test_linking_by_hand(build: Build) -> None:
    world = await build(match={"mode": "match_only"})
    item = world.external.new(world.container, title="Outside", notes="text")
    task = world.hub.new(world.project, title="Inside")
    await world.settle()
    mapping_id = (await world.route()).mapping.id
    with pytest.raises(NotPossible, match="no such object"):
        await by_hand.link(world.engine, mapping_id, named("Nothing"), named("Inside"))
    made = await by_hand.link(world.engine, mapping_id, named("Outside"), named("Inside"))
    assert (made.made_by, made.hub_id, made.external_id) == ("hand", task, item)
    with pytest.raises(NotPossible, match="unlink it first"):
        await by_hand.link(world.engine, mapping_id, named("Outside"), named("Inside"))
    await world.settle()
    assert world.thing()["title"] == world.task()["title"]
    assert "text" in world.task()["notes"], "what was empty takes the other"
    assert (await world.the(Conflict)).kind == "first_sync"


async def test_retry_of_what_has_no_link(build: Build) -> None:
    world = await build(first=False, since="all", match={"mode": "match_then_create"})
    for _ in range(2):
        world.external.new(world.container, title="Twice")
    task = world.hub.new(world.project, title="Twice")
    await world.settle(full=True)
    assert world.writes() == [], "nothing is made for what may belong to several"
    entry = next(row for row in await world.rows(Parked) if row.ref.endswith(task))
    assert await by_hand.retry(world.engine, None, "ambiguous") >= 1
    assert await world.rows(Parked, id=entry.id) == []
    await world.settle()
    assert all(row.state == "active" for row in await world.rows(Link, kind="task"))


async def test_a_busy_database_is_no_reason_to_give_up(world: World) -> None:
    _, _, entry = await a_conflict(world)
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    asked = 0

    async def waits() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise StoreUnreachable("the database cannot do it now: database is locked")
        return (await world.rows(Conflict, id=entry.id))[0].state == "open"

    await by_hand.work_while(world.engine, (await world.route()).mapping.id, waits)
    assert (world.thing()["title"], world.task()["title"]) == ("Lost", "Lost")


async def test_a_value_that_goes_back_and_forth_by_hand_is_no_loop(world: World) -> None:
    item, _, entry = await a_conflict(world)
    for title in ("Won", "Won", "Lost"):
        await by_hand.ask_to_restore(world.engine, entry.id, None)
        await by_hand.restore(world.engine, entry.id)
        assert (world.thing()["title"], world.task()["title"]) == ("Lost", "Lost")
        world.external.edit(item, title=title)
        await world.settle()
        await world.change(Conflict, {"state": "open"}, id=entry.id)
    assert await world.rows(Parked) == []


@pytest.mark.parametrize("winner", ["asana", "external"])
async def test_a_restore_right_after_the_conflict_does_not_wait_for_stale_reads(
    build: Build, winner: str
) -> None:
    world = await build(GitHubSimulator, settings_={"stale_seconds": 60.0}, conflict=winner)
    item = world.external.new(world.container, title="Start", by="ada")
    await world.look()
    world.external.edit(item, title="Outside", by="ada")
    world.hub.edit(world.tasks()[-1], title="Inside", by="bob")
    await world.look()
    entry = await world.the(Conflict)
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    async with asyncio.timeout(4):
        await by_hand.restore(world.engine, entry.id)
    lost = "Outside" if winner == "asana" else "Inside"
    assert (world.thing()["title"], world.task()["title"]) == (lost, lost)


STATE = {"asana": "state", "external": "custom:priority", "values": {"open": ["Low"], "closed": ["High"]}}


async def test_a_value_that_stands_for_nothing_over_there_is_refused_in_plain_words(build: Build) -> None:
    world = await build(fields=[STATE])
    item, _ = await world.paired(**{"custom:priority": "1"})
    world.external.edit(item, **{"custom:priority": "3"})
    await world.settle()
    link = await world.link()
    entry = await kept(world, link, "2")
    with pytest.raises(NotPossible, match="'Normal' of custom:priority in Memory stands for nothing"):
        await by_hand.ask_to_restore(world.engine, entry, None)
    # and where it shows only later
    await world.change(Conflict, {"restoring": "external"}, id=entry)
    await world.mark(Side.EXTERNAL, item)
    await world.settle()
    left = await world.the(Conflict, id=entry)
    assert (left.state, left.restoring) == ("open", "")
    assert await world.rows(Parked) == []
    told = [row.text for row in await world.rows(Event) if row.event == "conflict"]
    assert "not restored: nothing on the other side stands for '2'" in told
    assert (world.thing()["custom:priority"], world.task()["state"]) == ("3", "closed")


async def kept(world: World, link: Link, value: str) -> int:
    """An entry of the conflict list with that value of the other side."""
    clash = Clash(
        rule="state",
        field="state",
        kind="edit",
        policy=Policy.LAST_MODIFIED,
        winner=Side.HUB,
        values=Pair("closed", value),
        hub_stamp=None,
        external_stamp=None,
        reason="both were edited",
    )
    async with world.engine.database.write() as session:
        await conflicts.keep(session, link, clash, world.engine.now(), 1)
    return (await world.the(Conflict)).id


async def test_a_field_that_is_not_mapped_any_more_is_not_called_restored(world: World) -> None:
    _, _, entry = await a_conflict(world)
    await world.apply(fields=[{"asana": "notes", "external": "notes"}])
    await world.settle()
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    await by_hand.restore(world.engine, entry.id)
    left = await world.the(Conflict)
    assert (left.state, left.restoring, world.task()["title"]) == ("open", "", "Won")
