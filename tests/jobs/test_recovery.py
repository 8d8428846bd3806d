"""Lost answers: looked up before anything is repeated, and never taken for a person's edit."""

from __future__ import annotations

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault
from connectors.simulation_network import FaultKind
from sync.jobs.tending import upkeep
from sync.reconcile.model import Side
from sync.store.counting import Counts
from sync.store.links import pairs
from sync.store.tables import Conflict, Link, Mark, Parked, Seen, Write
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World


@pytest.mark.parametrize("kind", ["reset_after", "garbage", "502", "reset_before"])
async def test_an_update_whose_answer_is_lost_is_done_once(world: World, kind: str) -> None:
    item, _task = await world.paired()
    world.external.edit(item, title="Dead link", by="bob")
    world.hub.faults.add(Fault(kind=kind, method="PUT", path="/tasks/"))  # type: ignore[arg-type]
    await world.settle()
    assert world.task()["title"] == "Dead link"
    done = [each for each in world.hub.journal.by("PUT", "/tasks/") if each.committed]
    assert len(done) == 1
    assert world.thing()["title"] == "Dead link"
    assert await world.rows(Conflict) == []
    assert {row.state for row in await world.rows(Write)} <= {"done", "not_done"}


async def test_a_lost_answer_never_turns_our_own_value_into_an_edit(world: World) -> None:
    item, _task = await world.paired()
    world.external.edit(item, title="First", by="bob")
    world.hub.faults.add(Fault(kind="reset_after", method="PUT", path="/tasks/"))
    await world.look()
    assert world.task()["title"] == "First"
    world.external.edit(item, title="Second", by="bob")
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Second", "Second")
    assert await world.rows(Conflict) == []
    world.external.edit(item, title="Broken link", by="bob")
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Broken link", "Broken link")


async def test_what_was_sent_is_settled_and_not_what_is_found(world: World) -> None:
    _item, task = await world.paired()
    world.hub.edit(task, title="  Spacious  ")
    world.external.faults.add(Fault(kind="reset_after", method="PATCH", path="/items/"))
    await world.look()
    await world.settle()
    rows = {row.field: row for row in await world.rows(Seen, link_id=(await world.link()).id)}
    assert pairs(rows)["title"].external.strip() == "Spacious"  # type: ignore[union-attr]
    assert world.thing()["title"] == "Spacious"


async def test_an_edit_on_top_of_a_lost_answer_is_an_edit(world: World) -> None:
    item, task = await world.paired()
    world.external.edit(item, title="Ours", by="bob")
    world.hub.faults.add(Fault(kind="reset_after", method="PUT", path="/tasks/"))
    await world.poll()
    await world.work()
    world.hub.clock.advance(5)
    world.hub.edit(task, title="A person's", by="ada")
    world.hub.clock.advance(-5)
    await world.settle()
    assert (world.task()["title"], world.thing()["title"]) == ("A person's", "A person's")


async def test_a_creation_whose_answer_is_lost_is_found(github: World) -> None:
    github.external.faults.add(Fault(kind="reset_after", method="POST", path="/issues$"))
    github.hub.new(github.project, title="Once", notes="text")
    github.clock.stop()
    await github.look()
    link = await github.link()
    assert link.state == "confirming"
    github.clock.run()
    await github.settle()
    assert len(github.things()) == 1
    link = await github.link()
    assert (link.state, link.external_ref is not None) == ("active", True)
    before = len(github.writes())
    await github.settle()
    assert len(github.writes()) == before


async def test_an_issue_with_an_awaited_key_is_not_taken_for_a_new_one(build: Build) -> None:
    world = await build(GitHubSimulator, settings_={"lookup_delay_seconds": 60})
    world.hub.new(world.project, title="Once")
    world.external.faults.add(Fault(kind="reset_after", method="POST", path="/issues$"))
    world.clock.stop()
    await world.look()
    link = await world.link()
    assert link.state == "confirming"
    await world.look()
    assert len(world.tasks()) == 1
    waiting = {row.side: row.reason for row in await world.rows(Mark)}
    assert "key of a creation" in waiting["external"]


async def test_not_found_too_early_waits_and_late_enough_creates_anew(build: Build) -> None:
    world = await build(GitHubSimulator, settings_={"lookup_delay_seconds": 60})
    world.external.faults.add(Fault(kind="reset_before", method="POST", path="/issues$"))
    world.hub.new(world.project, title="Once")
    await world.look()
    world.clock.advance(2)
    await world.work()
    assert world.things() == []
    assert "looking for it" in await world.waiting()
    assert (await world.link()).state == "confirming"
    world.clock.advance(64)
    await world.work()
    assert len(world.things()) == 1
    assert [row.state for row in await world.rows(Write)][:2] == ["not_done", "done"]


async def test_a_source_that_is_gone_ends_the_creation(github: World) -> None:
    github.external.faults.add(Fault(kind="502", method="POST", path="/issues$", times=None))
    task = github.hub.new(github.project, title="Given up")
    await github.look()
    github.hub.remove(task)
    github.external.faults.clear()
    for _ in range(4):
        github.clock.advance(10)
        await github.work()
    assert github.things() == []
    assert (await github.link()).state in ("unlinked", "confirming")


async def test_what_a_person_did_before_a_lost_creation_was_found_is_an_edit(github: World) -> None:
    github.external.faults.add(Fault(kind="reset_after", method="POST", path="/issues$"))
    github.hub.new(github.project, title="Once")
    github.clock.stop()
    await github.look()
    github.external.edit(github.things()[0], assignee="ada", by="ada")
    github.clock.run()
    await github.settle()
    assert (github.task()["assignee"], github.thing()["assignee"]) == ("ada", "ada")
    assert await github.rows(Conflict) == []


async def test_a_source_that_cannot_be_seen_is_not_waited_for(build: Build) -> None:
    world = await build(GitHubSimulator, settings_={"delete_delay_seconds": 60})
    world.external.faults.add(Fault(kind="502", method="POST", path="/issues$", times=None))
    task = world.hub.new(world.project, title="For a moment")
    await world.look()
    world.hub.hide(task)  # type: ignore[attr-defined]
    world.external.faults.clear()
    for seconds in (10, 20, 30, 90):
        world.clock.advance(seconds)
        await world.work()
    assert (await world.link()).state == "unlinked"
    assert await world.rows(Mark) == []
    world.hub.hide(task, hidden=False)  # type: ignore[attr-defined]
    await world.settle(full=True)
    assert [thing["title"] for thing in map(world.external.view, world.things()) if thing] == ["For a moment"]


async def test_a_write_that_arrived_before_its_object_was_hidden_is_no_edit(github: World) -> None:
    _, task = await github.paired()
    github.external.faults.add(Fault(kind="reset_after", method="PATCH"))
    github.hub.edit(task, title="Ours", by="ada")
    github.clock.stop()
    await github.look()
    github.external.hide_repo(github.container)  # type: ignore[attr-defined]
    github.clock.advance(120)
    await github.work()
    async with github.engine.database.read() as session:
        assert (await Counts.read(session, github.engine.now())).in_flight == {}, "nobody can look it up now"
    await upkeep.chase_open_writes(github.engine)
    assert await github.rows(Mark) == []
    github.hub.edit(task, title="Ours, edited again", by="ada")
    github.external.hide_repo(github.container, hidden=False)  # type: ignore[attr-defined]
    github.clock.run()
    await github.settle()
    assert github.thing()["title"] == "Ours, edited again"
    assert await github.rows(Conflict) == []


async def test_a_surplus_object_is_reported_and_not_deleted(github: World) -> None:
    github.external.faults.add(Fault(kind="reset_after", method="POST", path="/issues$"))
    github.hub.new(github.project, title="Twice")
    github.clock.stop()
    await github.look()
    (made,) = github.things()
    github.external.clock.advance(2)
    github.external.new(github.container, title="Twice", notes=github.thing()["notes"], by=bot(github))
    github.clock.run()
    await github.settle()
    assert (len(github.things()), len(github.tasks())) == (2, 1)
    entry = await github.the(Parked)
    assert entry.park_class == "ambiguous"
    assert "twice" in entry.reason
    assert (await github.link()).external_id == made


def bot(world: World) -> str:
    """Whose token we have."""
    return next(name for name in world.external.people if name not in ("ada", "bob"))


async def test_a_first_creation_that_shows_itself_too_late_is_reported(build: Build) -> None:
    world = await build(GitHubSimulator, settings_={"lookup_delay_seconds": 5, "poll_seconds": 30})
    world.external.faults.add(Fault(kind="reset_after", method="POST", path="/issues$"))
    world.external.visible_after_s = 600
    world.hub.new(world.project, title="Once")
    world.clock.stop()
    await world.look()
    world.clock.advance(10)
    await world.work()
    assert len(world.things()) == 2, "the look-up could not see the first one"
    world.clock.run()
    world.external.visible_after_s = 0
    await world.compare()
    await world.settle()
    assert (len(world.things()), len(world.tasks())) == (2, 1)
    entry = await world.the(Parked)
    assert entry.park_class == "ambiguous"
    assert entry.ref.endswith(world.things()[0])


async def test_the_copy_that_a_person_makes_of_one_of_our_objects_is_an_object_like_any_other(
    github: World,
) -> None:
    github.hub.new(github.project, title="One")
    await github.settle()
    github.external.new(github.container, title="Copy", notes=github.thing()["notes"], by="bob")
    await github.settle()
    assert [github.hub.view(gid)["title"] for gid in github.tasks()] == ["One", "Copy"]  # type: ignore[index]
    assert await github.rows(Parked) == []


async def test_a_lost_deletion_is_looked_up(build: Build) -> None:
    world = await build(
        delete={"to_asana": "delete", "from_asana": "delete"}, limits={"deletes": 5, "deletes_percent": 100}
    )
    item, _task = await world.paired()
    world.external.remove(item)
    world.hub.faults.add(Fault(kind="reset_after", method="DELETE", path="/tasks/"))
    await world.settle()
    assert world.tasks() == []
    assert (await world.the(Link)).state == "unlinked"
    assert len([each for each in world.hub.journal.by("DELETE", "/tasks/") if each.committed]) == 1


async def test_an_update_to_an_object_that_cannot_be_read_any_more_is_closed(world: World) -> None:
    item, task = await world.paired()
    world.external.edit(item, title="New")
    world.hub.faults.add(Fault(kind="502", method="PUT", path="/tasks/"))
    world.clock.stop()
    await world.look()
    world.hub.remove(task)
    world.clock.run()
    await world.settle()
    assert {row.state for row in await world.rows(Write, op="update")} == {"not_done"}


async def test_a_lost_update_is_not_repeated_while_reads_may_show_the_past(world: World) -> None:
    item, _ = await world.paired()
    world.set_now(stale_seconds=60)
    world.clock.stop()
    world.external.edit(item, title="New")
    world.hub.faults.add(Fault(kind="502", method="PUT", path="/tasks/"))
    await world.look()
    sent = len(world.hub.journal.by("PUT", "/tasks/"))
    world.clock.advance(10)
    await world.work()
    assert len(world.hub.journal.by("PUT", "/tasks/")) == sent
    world.clock.advance(61)
    await world.work()
    assert world.task()["title"] == "New"


@pytest.mark.parametrize(
    ("side", "fault", "path"),
    [
        (Side.EXTERNAL, "reset_before", "/labels$"),
        (Side.EXTERNAL, "500", "/labels$"),
        (Side.EXTERNAL, "reset_after", "/labels$"),
        (Side.HUB, "reset_after", "/addTag$"),
    ],
)
async def test_a_merge_of_labels_that_one_side_alone_got_takes_nobody_s_edit_back(
    github: World, side: Side, fault: FaultKind, path: str
) -> None:
    """What the task got from the issue is no label of its own, and what it has yet to give still is."""
    issue, task = await github.paired(labels=["old"])
    github.hub.edit(task, labels=["old", "of the task"], by="ada")
    github.external.edit(issue, labels=["old", "of the issue"], by="bob")
    github.clock.stop()
    simulator = github.hub if side is Side.HUB else github.external
    simulator.faults.add(Fault(kind=fault, method="POST", path=path))
    await github.look()
    assert sorted(github.task()["labels"]) == ["of the issue", "of the task", "old"]
    kept = [label for label in github.thing()["labels"] if label != "of the issue"]
    github.external.edit(issue, labels=kept, by="bob")
    github.clock.run()
    await github.settle()
    assert sorted(github.task()["labels"]) == sorted(github.thing()["labels"]) == ["of the task", "old"]


@pytest.mark.parametrize("into", Side)
async def test_a_label_taken_off_before_ours_could_be_read_back_stays_off(build: Build, into: Side) -> None:
    """Its call was confirmed: that the label is not there afterwards is somebody's doing."""
    world = await build(GitHubSimulator)
    issue, task = await world.paired()
    if into is Side.HUB:
        there, put, read = world.hub, "/addTag$", f"/tasks/{task}$"
        world.external.edit(issue, labels=["bug"], by="bob")
    else:
        there, put, read = world.external, "/labels$", "/issues/1$"
        world.hub.edit(task, labels=["bug"], by="bob")
    unreadable = Fault(kind="reset_before", method="GET", path=read, times=None)
    faults, there.faults = there.faults, Meanwhile("POST", put, lambda: there.faults.add(unreadable))
    await world.look()
    assert len(there.journal.by("POST", put)) == 1
    there.edit(task if into is Side.HUB else issue, labels=[], by="ada")
    there.faults = faults
    await world.settle(full=True)
    assert (world.task()["labels"], world.thing()["labels"]) == ([], [])
