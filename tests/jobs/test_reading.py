"""Many objects at once: a listing proves most of them unchanged, and what is in doubt is read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.records import Record
from connectors.simulation import Exchange, Fault
from sync.jobs.connecting.connections import meet_people
from sync.jobs.passing.batch import take
from sync.jobs.passing.desk import Desk
from sync.jobs.watching.full_pass import full_pass
from sync.jobs.watching.snapshots import Snapshots
from sync.reconcile.model import Side
from sync.store.tables import Conflict, Connection, Cursor, Link, Mapping, Mark, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World, at_desk

NUMBER = 12


@pytest.fixture
async def many(build: Build) -> World:
    """A dozen issues with their tasks; everything about them is known and polled."""
    world = await build(GitHubSimulator, settings_={"write_window_seconds": 30})
    for number in range(NUMBER):
        world.external.new(world.container, title=f"Issue {number}", by="ada")
    await world.settle()
    world.hub.clock.advance(90)
    world.external.clock.advance(90)
    world.clock.advance(90)
    await world.look()
    forget(world)
    return world


def forget(world: World) -> None:
    world.hub.journal.clear()
    world.external.journal.clear()


def rename(world: World, word: str) -> None:
    for number, issue in enumerate(world.things()):
        world.external.edit(issue, title=f"{word} {number}")


def titles(world: World) -> set[str]:
    return {str((world.hub.view(gid) or {})["title"]) for gid in world.tasks()}


def single_reads(world: World) -> list[Exchange]:
    return [*world.hub.journal.by("GET", r"/tasks/\d+$"), *world.external.journal.by("GET", r"/issues/\d+$")]


async def test_unchanged_objects_are_proven_by_one_listing(many: World) -> None:
    rename(many, "Renamed")
    await many.look()
    assert titles(many) == {f"Renamed {number}" for number in range(NUMBER)}
    assert len(many.hub.journal.writes()) == NUMBER
    assert single_reads(many) == []
    forget(many)
    await many.look()
    assert many.writes() == [], "our own writes come back as no news"
    assert await many.rows(Mark) == []
    rename(many, "Renamed again")
    await many.look()
    assert titles(many) == {f"Renamed again {number}" for number in range(NUMBER)}
    assert single_reads(many) == [], "what we wrote is known, too"
    for issue in many.things()[:3]:
        many.external.edit(issue, title="One of three")
    await many.look()
    assert len(many.hub.journal.by("GET", r"/tasks/\d+$")) == 3, "a few are read one by one"


async def test_an_edit_after_the_poll_is_seen(many: World) -> None:
    rename(many, "Renamed")
    await many.poll()
    edited, *_ = many.tasks()
    many.hub.clock.advance(10)
    many.hub.edit(edited, title="By a person", by="bob")
    await many.work()
    assert (many.hub.view(edited) or {})["title"] == "By a person", "the later edit wins"
    assert await many.rows(Mark) == []
    assert (await many.the(Conflict)).kind == "edit"
    assert len(single_reads(many)) <= 3, "that pair alone was read, the issue again before it was written"


async def test_what_vanished_after_the_poll_is_looked_at_by_itself(many: World) -> None:
    rename(many, "Renamed")
    await many.poll()
    gone, *_ = many.tasks()
    many.hub.remove(gone)
    await many.work()
    many.clock.advance(2)
    await many.work()
    assert await many.rows(Parked) == [], "that the write was refused is nobody's trouble"
    assert len(many.hub.journal.by("GET", f"/tasks/{gone}$")) > 0
    assert len(single_reads(many)) <= 2, "the others were not read"


async def test_in_doubt_objects_are_read(many: World) -> None:
    async def renamed(word: str) -> int:
        await many.work()
        assert titles(many) == {f"{word} {number}" for number in range(NUMBER)}
        read = len(many.hub.journal.by("GET", r"/tasks/\d+$"))
        forget(many)
        return read

    rename(many, "A listing fails")
    await many.poll()
    many.hub.faults.add(Fault(kind="500", method="GET", path="/tasks$", times=1))
    assert await renamed("A listing fails") == NUMBER
    rename(many, "After a restart")
    await many.poll()
    many.set_snapshots(Snapshots())
    assert await renamed("After a restart") == NUMBER
    rename(many, "Another worker settled")
    await many.poll()
    await many.change(Link, {"hub_version": "0"}, kind="task")
    assert await renamed("Another worker settled") == NUMBER
    rename(many, "Something may have been missed")
    await many.poll()
    await many.change(Mapping, {"full_pass_due": True})
    assert await renamed("Something may have been missed") == NUMBER


async def test_what_is_marked_for_another_time_is_read(many: World) -> None:
    marked, *_ = many.tasks()
    await many.mark(Side.HUB, marked, due_at=many.engine.now() + timedelta(hours=1))
    rename(many, "Renamed")
    await many.look()
    assert [exchange.path.rsplit("/", 1)[1] for exchange in single_reads(many)] == [marked]


async def test_what_is_not_told_by_a_listing_is_read(many: World) -> None:
    for issue in many.things():
        await many.mark(Side.EXTERNAL, issue, seen_at=many.engine.now(), delivery_id=1)
    await many.change(Mark, {"address": ""})
    for link in await many.rows(Link, kind="task"):
        await many.change(Mark, {"address": link.external_address}, object_id=link.external_id)
    await many.work()
    assert len(many.external.journal.by("GET", r"/issues/\d+$")) == NUMBER


async def test_what_a_poll_told_halfway_proves_nothing(many: World) -> None:
    """The rest of the container was not read: what changed there is not marked yet."""
    await many.change(Cursor, {"read_at": many.engine.now() - timedelta(days=1)})
    edited, *_ = many.tasks()
    many.hub.edit(edited, title="By a person, long ago", by="bob")
    many.hub.clock.advance(600)
    many.external.clock.advance(600)
    many.clock.advance(600)
    rename(many, "Renamed")
    await many.poll_only("other")
    await many.work()
    assert (await many.the(Conflict)).kind == "edit"


async def edited_after_the_poll(world: World, field: str) -> set[str]:
    """Issues were renamed and polled; then bob edits all tasks, and ada last of all one issue.

    Returns: what the field of the issues holds once all is settled.
    """
    rename(world, "Renamed")
    await world.poll()
    world.hub.clock.advance(10)
    for task in world.tasks():
        world.hub.edit(task, **{field: "By bob"}, by="bob")
    world.external.clock.advance(20)
    last, *_ = world.things()
    world.external.edit(last, **{field: "By ada, last of all"})
    await world.work()
    world.clock.advance(20)
    await world.settle()
    return {str((world.external.view(issue) or {})[field]) for issue in world.things()}


async def test_an_end_that_a_poll_told_of_is_read_before_it_is_written(many: World) -> None:
    """Both were edited, the later edit was not polled yet: it wins, over what stands there now."""
    shown = await edited_after_the_poll(many, "title")
    assert shown == {"By bob", "By ada, last of all"}
    assert titles(many) == shown


async def test_an_end_that_a_poll_told_of_is_read_before_another_field_is_written(many: World) -> None:
    """No two fields clash by what the poll told: a text that is newer than it must not be replaced unseen."""
    assert await edited_after_the_poll(many, "notes") == {"By bob", "By ada, last of all"}


async def test_what_a_complete_listing_showed_is_not_read_again_to_be_created(build: Build) -> None:
    world = await build(GitHubSimulator, first=False, since="all")
    for number in range(NUMBER):
        world.external.new(world.container, title=f"Issue {number}", by="ada")
    world.external.clock.advance(90)
    world.clock.advance(90)
    await meet_people(world.engine, await world.rows(Connection))
    assert await full_pass(world.engine, (await world.the(Mapping)).id)
    world.external.clock.advance(90)
    world.clock.advance(90)
    edited = world.things()[0]
    world.external.edit(edited, title="Edited after the listing")
    forget(world)
    shown: set[str] = set()

    async def body(desk: Desk) -> None:
        _, units = await take(desk, NUMBER, set())
        for unit in units:
            found = unit.found[Side.EXTERNAL]
            assert isinstance(found, Record)
            shown.add(str(found.fields["title"]))

    await at_desk(world, body)
    assert shown == {"Edited after the listing", *(f"Issue {number}" for number in range(1, NUMBER))}
    assert [exchange.path.rsplit("/", 1)[1] for exchange in single_reads(world)] == ["1"]


async def test_what_is_kept_has_a_limit(many: World) -> None:
    end = (await many.route()).end(Side.EXTERNAL)
    page = await end.session.listing(end.container, None)
    one, two, *_ = [change.record for change in page.changes if change.record]
    snapshots = Snapshots(space=1200)
    for _ in range(9):
        snapshots.keep(1, [one], many.engine.now())
    snapshots.keep(1, [two], many.engine.now())
    assert None not in (snapshots.of(1, one.ref), snapshots.of(1, two.ref)), "the same one takes no more"
    assert snapshots.of(2, one.ref) is None, "another account may see it otherwise"
    snapshots.keep(1, [change.record for change in page.changes if change.record], many.engine.now())
    assert snapshots.of(1, one.ref) is None, "then all are forgotten"
