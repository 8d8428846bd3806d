"""An object that is not there any more: only proof counts, only late, and never more than the limit."""

from __future__ import annotations

from functools import partial

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault
from sync.jobs.asked import by_hand
from sync.jobs.asked.not_possible import NotPossible
from sync.jobs.tending import upkeep
from sync.reconcile.model import Side
from sync.store.status import status
from sync.store.tables import Conflict, Event, Link, Mapping, Mark, Parked, Write
from sync.store.times import rfc3339
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World

ALL = {"deletes": 10, "deletes_percent": 100}


async def test_a_deletion_is_acted_on_late(build: Build) -> None:
    world = await build(settings_={"delete_delay_seconds": 600})
    item, task = await world.paired()
    world.clock.stop()
    world.external.remove(item)
    await world.look()
    assert world.task()["state"] == "open"
    assert "acted on" in await world.waiting()
    assert (await world.link()).gone is not None
    world.clock.advance(300)
    await world.change(Mark, {"due_at": world.engine.now()})
    await world.work()
    assert world.task()["state"] == "open"
    world.clock.advance(301)
    await world.work()
    assert world.task()["state"] == "closed"
    link = await world.link()
    assert link.state == "unlinked"
    world.hub.edit(task, state="open")
    await world.settle(full=True)
    assert world.things() == [], "what is left is not created again"


@pytest.mark.parametrize("path", ["/stories", "/attachments"])
async def test_what_was_to_go_below_an_object_that_was_in_the_trash_follows_when_it_returns(
    build: Build, path: str
) -> None:
    world = await build(settings_={"delete_delay_seconds": 600})
    item, task = await world.paired()
    assert isinstance(world.hub, AsanaSimulator)
    world.clock.stop()
    world.hub.faults = Meanwhile("POST", path, partial(world.hub.remove, task))
    world.external.attach(item, "plan.txt", b"text")
    world.external.comment(item, "Look at this", by="bob")
    await world.look()
    world.clock.advance(5)
    await world.work()
    assert await world.rows(Parked) == []
    world.hub.restore(task)
    world.clock.run()
    await world.settle(full=True)
    assert await world.rows(Parked) == []
    assert [each["name"] for each in world.task()["attachments"]] == ["plan.txt"]
    assert "Look at this" in str(world.task()["comments"])


async def test_a_field_of_an_object_that_was_in_the_trash_follows_when_it_returns(build: Build) -> None:
    world = await build(settings_={"delete_delay_seconds": 600})
    item, task = await world.paired()
    assert isinstance(world.hub, AsanaSimulator)
    world.clock.stop()
    world.hub.faults = Meanwhile("PUT", "/tasks/", partial(world.hub.remove, task))
    world.external.edit(item, title="Renamed", by="bob")
    await world.look()
    world.clock.advance(5)
    await world.work()
    assert await world.rows(Parked) == []
    world.hub.restore(task)
    world.clock.run()
    await world.settle(full=True)
    assert (await world.rows(Parked), world.task()["title"]) == ([], "Renamed")


async def test_a_write_that_finds_nothing_again_and_again_waits_for_a_person(build: Build) -> None:
    world = await build(settings_={"backoff_max_seconds": 0.1})
    item, task = await world.paired()
    world.hub.faults.add(Fault(kind="404", method="PUT", path="/tasks/", times=None))
    world.external.edit(item, title="Renamed", by="bob")
    await world.settle()
    assert (await world.the(Parked)).park_class == "permission"
    assert 2 <= len(world.hub.journal.by("PUT", f"/tasks/{task}")) <= 10


async def test_an_object_that_returns_is_as_if_nothing_had_been(build: Build) -> None:
    world = await build(settings_={"delete_delay_seconds": 600})
    _, task = await world.paired()
    assert isinstance(world.hub, AsanaSimulator)
    world.clock.stop()
    world.hub.remove(task)
    await world.look()
    assert (await world.link()).gone is not None
    world.hub.restore(task)
    world.clock.advance(601)
    await world.look()
    link = await world.link()
    assert (link.state, link.gone) == ("active", None)
    assert world.thing()["state"] == "open"
    assert [row.text for row in await world.rows(Event, event="in")][-2:] == [
        "deleted in Asana (Asana's deleted event)",
        "not deleted any more",
    ]


@pytest.mark.parametrize(
    ("policy", "left", "state"),
    [("ignore", 1, "open"), ("unlink", 1, "open"), ("complete", 1, "closed"), ("delete", 0, None)],
)
async def test_what_a_deletion_does_is_the_policy_of_the_mapping(
    build: Build, policy: str, left: int, state: str | None
) -> None:
    world = await build(delete={"to_asana": policy}, limits=ALL)
    item, _ = await world.paired()
    world.external.remove(item)
    await world.look()
    assert len(world.tasks()) == left
    if state:
        assert world.task()["state"] == state
    assert (await world.link()).state == "unlinked"


async def test_a_deleted_task_closes_its_issue(github: World) -> None:
    _, task = await github.paired()
    github.hub.remove(task)
    await github.settle()
    assert github.thing()["state"] == "closed"


async def test_an_edit_beats_a_deletion(world: World) -> None:
    item, task = await world.paired()
    world.hub.edit(task, title="Edited meanwhile", by="ada")
    world.external.remove(item)
    await world.settle()
    assert (world.task()["title"], world.task()["state"]) == ("Edited meanwhile", "open")
    entry = await world.the(Conflict)
    assert (entry.kind, entry.hub["value"], entry.winner) == ("edit_vs_delete", "Edited meanwhile", "hub")
    assert (await world.link()).state == "unlinked"


@pytest.mark.parametrize("survivor", list(Side))
async def test_what_an_edit_survived_is_made_anew_when_a_person_asks(github: World, survivor: Side) -> None:
    issue, task = await github.paired(title="Broken link", notes="Words")
    github.external.comment(issue, "see below", by="bob")
    await github.settle()
    if survivor is Side.HUB:
        github.hub.edit(task, title="Edited meanwhile", by="ada")
        github.external.remove(issue)
    else:
        github.external.edit(issue, title="Edited meanwhile", by="ada")
        github.hub.remove(task)
    await github.settle()
    entry = await github.the(Conflict, kind="edit_vs_delete")
    await by_hand.ask_to_restore(github.engine, entry.id, None)
    await by_hand.restore(github.engine, entry.id)
    await github.settle(full=True)
    ((new_issue,), (new_task,)) = (github.things(), github.tasks())
    assert (new_issue == issue, new_task == task) == (survivor is Side.EXTERNAL, survivor is Side.HUB)
    assert {github.thing()["title"], github.task()["title"]} == {"Edited meanwhile"}
    assert len(github.task()["comments"]) == 1
    assert len(github.thing()["comments"]) == (1 if survivor is Side.EXTERNAL else 0), "its root is gone"
    assert (await github.the(Conflict, id=entry.id)).state == "restored"
    assert [link.state for link in await github.rows(Link, kind="task")] == ["unlinked", "active"]
    github.external.edit(new_issue, title="In step again", by="ada")
    await github.settle()
    assert github.task()["title"] == "In step again"
    with pytest.raises(NotPossible, match="no open conflict"):
        await by_hand.ask_to_restore(github.engine, entry.id, None)


async def test_nothing_is_made_anew_where_nothing_may_be_made(world: World) -> None:
    item, task = await world.paired()
    world.hub.edit(task, title="Edited meanwhile", by="ada")
    world.external.remove(item)
    await world.settle()
    entry = await world.the(Conflict)
    await world.apply(direction="to_asana")
    with pytest.raises(NotPossible, match="makes nothing in Memory"):
        await by_hand.ask_to_restore(world.engine, entry.id, None)
    await world.apply(direction="both")
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    world.hub.remove(task)
    await by_hand.restore(world.engine, entry.id)
    assert (await world.the(Conflict)).state == "open", "there is nothing left to make it of"
    assert world.things() == []


async def test_that_it_was_closed_is_no_edit_that_beats_a_deletion(world: World) -> None:
    item, task = await world.paired()
    world.hub.edit(task, state="closed", by="ada")
    world.external.remove(item)
    await world.settle()
    assert await world.rows(Conflict) == []
    assert (await world.link()).state == "unlinked"
    assert await world.rows(Write, op="close_deleted") == []


async def test_a_follower_more_is_no_edit_that_beats_a_deletion(world: World) -> None:
    item, task = await world.paired()
    world.hub.edit(task, followers=["bob"], by="bob")
    world.external.remove(item)
    await world.settle()
    assert world.task()["state"] == "closed"
    assert await world.rows(Conflict) == []


async def test_both_gone_just_ends_the_link(world: World) -> None:
    item, task = await world.paired()
    before = len(world.writes())
    world.external.remove(item)
    world.hub.remove(task)
    await world.settle()
    assert len(world.writes()) == before
    assert (await world.link()).state == "unlinked"


async def test_a_hidden_object_writes_nothing_and_is_parked_after_a_day(build: Build) -> None:
    world = await build(GitHubSimulator, settings_={"hidden_park_seconds": 3600})
    _, task = await world.paired()
    assert isinstance(world.hub, AsanaSimulator)
    world.clock.stop()
    world.hub.hide(task)
    before = len(world.writes())
    await world.mark(Side.HUB, task)
    await world.work()
    assert (await world.link()).hidden_since is not None
    assert world.thing()["state"] == "open"
    world.clock.advance(3601)
    await upkeep.look_at_hidden(world.engine)
    await world.work()
    assert len(world.writes()) == before
    link, entry = await world.link(), await world.the(Parked)
    assert (link.state, entry.park_class) == ("parked", "permission")
    world.hub.hide(task, hidden=False)
    await by_hand.retry(world.engine, entry.id, None)
    world.clock.run()
    await world.settle()
    link = await world.link()
    assert (link.state, link.hidden_since) == ("active", None)


async def test_history_tells_once_that_an_object_is_hidden_and_that_it_is_back(world: World) -> None:
    _, task = await world.paired()
    assert isinstance(world.hub, AsanaSimulator)
    for hidden in (True, True, False, False):
        world.hub.hide(task, hidden=hidden)
        await world.mark(Side.HUB, task)
        await world.work()
    away, back = [row.text for row in await world.rows(Event, event="in") if "to be seen" in row.text]
    assert away.startswith("not to be seen, and nothing is written: Asana does not show it (")
    assert back == "to be seen again"


async def test_what_is_merely_late_is_not_told_as_hidden(build: Build) -> None:
    world = await build(settings_={"stale_seconds": 60.0})
    _, task = await world.paired()
    assert isinstance(world.hub, AsanaSimulator)
    for hidden in (True, False):
        world.hub.hide(task, hidden=hidden)
        await world.mark(Side.HUB, task)
        await world.work()
    assert [row for row in await world.rows(Event) if "to be seen" in row.text] == []


async def test_more_deletions_than_the_limit_stop_and_ask(build: Build) -> None:
    world = await build(limits={"deletes": 2, "deletes_percent": 100})
    alive, *made = [world.external.new(world.container, title=f"Number {number}") for number in range(6)]
    await world.settle()
    other = (await world.the(Link, external_id=alive)).hub_id
    for some in (made[:2], made[2:]):
        for item in some:
            world.external.remove(item)
        await world.look()
        closed = [world.task(at)["state"] for at in range(6)].count("closed")
        assert closed == 2, "units side by side share one budget"
    mapping = await world.the(Mapping)
    assert mapping.state == "stopped"
    assert mapping.approval is not None
    listed = [action["link"] for action in mapping.approval["actions"]]
    assert listed
    await world.look()
    assert [world.task(at)["state"] for at in range(6)].count("closed") == 2
    assert mapping.reason.startswith("2 deletions within an hour")
    left = [link.id for link in await world.rows(Link, state="active") if link.hub_id != other]
    at = rfc3339(world.engine.now())
    await world.change(Mapping, {"state": "active", "approval": {"approved": left, "at": at}})
    world.clock.advance(2)
    world.external.remove(alive)
    await world.look()
    assert [world.task(at)["state"] for at in range(6)].count("closed") == 6
    assert (await world.the(Mapping)).state == "active", "what was approved is no part of the next budget"


async def test_a_deletion_under_way_counts_once(build: Build) -> None:
    world = await build(limits={"deletes": 10, "deletes_percent": 25})
    made = [world.external.new(world.container, title=f"Number {number}") for number in range(4)]
    await world.settle()
    world.hub.faults.add(Fault(kind="slow", method="PUT", path="/tasks/", times=None, seconds=0.5))
    for item in made[:3]:
        world.external.remove(item)
    await world.look()
    assert len(await world.rows(Write, op="close_deleted")) == 1, "a quarter of four"


async def test_what_happened_or_came_back_waits_for_no_approval(build: Build) -> None:
    world = await build(limits={"deletes": 1, "deletes_percent": 100})
    assert isinstance(world.hub, AsanaSimulator)
    pairs = [await world.paired(title=f"Number {number}") for number in range(4)]
    for _, task in pairs[:3]:
        world.hub.remove(task)
    await world.look()
    left = [link for link in await world.rows(Link, state="active") if link.gone]
    assert await waiting(world) == {link.id for link in left}
    # one that was being carried out when the mapping stopped, and one that came back
    await world.change(Link, {"state": "unlinked"}, id=left[0].id)
    await world.change(Link, {"gone": None}, id=left[1].id)
    assert await waiting(world) == {link.id for link in left[2:]}


async def waiting(world: World) -> set[int]:
    """The links that status lists for approval."""
    async with world.engine.database.read() as session:
        seen = await status(session, version="", now=world.engine.now(), instance={}, since=None)
    (mapping,) = seen["mappings"]
    assert mapping["state"] == "stopped"
    return {action["link"] for action in mapping["approval"]["actions"]}


async def test_the_percentage_counts_too(build: Build) -> None:
    world = await build(limits={"deletes": 10, "deletes_percent": 1})
    made = [world.external.new(world.container, title=f"Number {number}") for number in range(3)]
    await world.settle()
    world.external.remove(made[0])
    await world.look()
    assert [world.task(at)["state"] for at in range(3)].count("closed") == 1, "one is always allowed"
    world.external.remove(made[1])
    await world.look()
    assert [world.task(at)["state"] for at in range(3)].count("closed") == 1
    assert (await world.the(Mapping)).state == "stopped"


async def test_no_percent_lets_no_deletion_through(build: Build) -> None:
    world = await build(limits={"deletes": 10, "deletes_percent": 0})
    item, _ = await world.paired()
    world.external.remove(item)
    await world.look()
    assert world.task()["state"] == "open"
    assert (await world.the(Mapping)).state == "stopped"


async def test_a_side_that_may_not_be_written_is_left_alone(build: Build) -> None:
    world = await build()
    _, task = await world.paired()
    await world.apply(direction="to_asana")
    world.hub.remove(task)
    await world.settle()
    assert world.thing()["state"] == "open"
    assert (await world.link()).state == "unlinked"


async def test_a_paused_direction_keeps_a_deletion_waiting(world: World) -> None:
    item, _ = await world.paired()
    await world.change(Mapping, {"paused_directions": ["to_asana"]})
    world.external.remove(item)
    world.clock.stop()
    await world.look()
    assert (world.task()["state"], (await world.link()).state) == ("open", "active")
    await world.change(Mapping, {"paused_directions": []})
    world.clock.advance(3)
    await world.work()
    assert world.task()["state"] == "closed"


async def test_a_dormant_link_ends_without_a_write(build: Build) -> None:
    world = await build(filter={"labels": ["bug"]})
    item, _ = await world.paired(labels=["bug"])
    world.external.edit(item, labels=[])
    await world.settle()
    assert (await world.link()).state == "dormant"
    before = len(world.hub.journal.writes())
    world.external.remove(item)
    await world.settle()
    assert len(world.hub.journal.writes()) == before
    assert (await world.link()).state == "unlinked"
