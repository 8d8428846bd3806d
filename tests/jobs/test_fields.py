"""Fields of a link in step: who wrote what, which fields are parked, and what is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.typing import EventDict

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault
from sync.jobs.merging.fields import LOOP_BUDGET, LOOP_WINDOW
from sync.reconcile.model import Side
from sync.store.links import pairs
from sync.store.tables import Conflict, Event, Mark, Parked, Seen, Write
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World


async def seen(world: World) -> dict[str, Seen]:
    link = await world.link()
    return {row.field: row for row in await world.rows(Seen, link_id=link.id)}


async def test_edits_go_both_ways_and_a_second_pass_writes_nothing(world: World) -> None:
    item, task = await world.paired(notes="Hello **world**", labels=["bug"], assignee="bob")
    assert world.task()["title"] == "Broken link"
    assert world.task()["labels"] == ["bug"]
    assert world.task()["assignee"] == "bob"
    world.hub.edit(task, title="Dead link", by="ada")
    world.external.edit(item, state="closed", by="bob")
    await world.settle()
    assert (world.thing()["title"], world.thing()["state"]) == ("Dead link", "closed")
    assert (world.task()["title"], world.task()["state"]) == ("Dead link", "closed")
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before


async def test_every_write_is_stamped_and_told(world: World) -> None:
    item, _ = await world.paired()
    world.external.edit(item, title="Dead link")
    await world.look()
    write = (await world.rows(Write, op="update"))[-1]
    (put,) = world.hub.journal.by("PUT", "/tasks/")
    assert put.headers["user-agent"].endswith(f"(write={write.id}; mapping=web@1)")
    told = [row for row in await world.rows(Event, link_id=write.link_id) if row.field == "title"]
    assert [(row.event, row.before, row.after) for row in told[-2:]] == [
        ("plan", "Broken link", "Dead link"),
        ("write", "Broken link", "Dead link"),
    ]
    assert told[-1].write_id == write.id


async def test_the_written_half_is_the_answer_and_the_other_half_what_was_read(world: World) -> None:
    _, task = await world.paired()
    world.hub.edit(task, title=" Dead link  ")  # the store cuts the space
    await world.look()
    title = (await seen(world))["title"]
    assert world.thing()["title"] == "Dead link"
    assert (title.hub.strip(), title.external) == ("Dead link", "Dead link")
    before = len(world.writes())
    await world.look()
    assert len(world.writes()) == before, "a provider's rewriting is no edit"


async def test_labels_of_both_sides_are_joined_and_both_halves_settled(world: World) -> None:
    item, task = await world.paired(labels=["bug", "old"])
    world.external.edit(item, labels=["bug", "ui"])
    world.hub.edit(task, labels=["bug", "old", "urgent"])
    await world.settle()
    assert world.thing()["labels"] == world.task()["labels"] == ["bug", "ui", "urgent"]
    labels = pairs(await seen(world))["labels"]
    assert labels.hub == labels.external == ("bug", "ui", "urgent")
    assert await world.rows(Conflict) == []


async def test_a_refused_field_is_parked_and_the_rest_is_written(world: World) -> None:
    _item, task = await world.paired(notes="old")
    world.hub.edit(task, title="", notes="new")
    await world.look()
    assert world.thing()["notes"] == "new"
    assert world.thing()["title"] == "Broken link"
    entry = await world.the(Parked)
    assert (entry.what, entry.field, entry.park_class) == ("field", "title", "rejected")
    assert "A title is needed" in entry.provider_message
    assert [row.state for row in await world.rows(Write, op="update")] == ["refused", "refused", "done"] or [
        row.state for row in await world.rows(Write, op="update")
    ] == ["refused", "done"]

    asked = len(world.external.journal.by("PATCH", "/items/"))
    world.hub.edit(task, notes="newer")
    await world.look()
    assert world.thing()["notes"] == "newer"
    assert len(world.external.journal.by("PATCH", "/items/")) == asked + 1
    assert (await world.the(Parked)).attempts == entry.attempts, "the same value is not tried again"

    world.hub.edit(task, title="A title")
    await world.look()
    assert world.thing()["title"] == "A title"
    assert await world.rows(Parked) == []


async def test_a_field_that_the_provider_drops_is_parked(build: Build) -> None:
    world = await build(GitHubSimulator)
    _, task = await world.paired()
    assert isinstance(world.external, GitHubSimulator)
    world.external.push_access = False
    world.hub.edit(task, labels=["urgent"], title="Dead link")
    await world.look()
    entry = await world.the(Parked)
    assert (entry.field, entry.park_class) == ("labels", "permission")
    assert world.thing()["title"] == "Dead link"
    before = len(world.writes())
    await world.look()
    assert len(world.writes()) == before
    world.external.push_access = True
    world.hub.edit(task, labels=["urgent", "ui"])
    await world.settle()
    assert world.thing()["labels"] == ["ui", "urgent"]
    assert await world.rows(Parked) == []


async def test_a_field_that_alternates_is_parked_and_a_third_value_goes_through(world: World) -> None:
    item, _ = await world.paired(title="C")
    for title in ("A", "B", "A", "B"):
        world.external.edit(item, title=title)
        await world.look()
    assert world.task()["title"] == "B"
    world.external.edit(item, title="A", notes="more")
    await world.look()
    assert world.task()["title"] == "B"
    assert "more" in world.task()["notes"], "the other fields go on"
    entry = await world.the(Parked)
    assert (entry.field, entry.park_class) == ("title", "loop")
    world.external.edit(item, notes="even more")
    await world.look()
    assert (await world.the(Parked)).attempts == 1, "parked with these values, so not tried"
    world.external.edit(item, title="D")
    await world.look()
    assert world.task()["title"] == "D"
    assert await world.rows(Parked) == []


async def test_two_automations_that_insist_on_either_side_are_parked(world: World) -> None:
    item, task = await world.paired(title="B")
    for _ in range(4):
        world.hub.edit(task, title="A", by="bob")
        await world.settle()
        world.external.edit(item, title="B", by="ada")
        await world.settle()
    entry = await world.the(Parked)
    assert (entry.field, entry.park_class) == ("title", "loop")
    titled = [write for write in await world.rows(Write) if "title" in write.fields and write.op == "update"]
    assert len(titled) == 4


async def test_too_many_writes_of_one_link_wait(world: World) -> None:
    item, _ = await world.paired()
    link, now = await world.link(), world.engine.now()
    async with world.engine.database.write() as session:
        session.add_all(
            Write(
                mapping_id=link.mapping_id,
                mapping_version=1,
                link_id=link.id,
                side="hub",
                op="update",
                ref=link.hub_ref or "",
                state="done",
                intent_at=now,
                deadline_at=now,
                done_at=now,
            )
            for _ in range(LOOP_BUDGET)
        )
    world.external.edit(item, title="One too many")
    await world.look()
    assert world.task()["title"] == "Broken link"
    assert f"{LOOP_BUDGET} writes within" in await world.waiting()
    world.clock.advance(LOOP_WINDOW.total_seconds() + 1)
    await world.work()
    assert world.task()["title"] == "One too many"


async def test_ask_keeps_both_values_and_remembers_when_they_were_read(build: Build) -> None:
    world = await build(conflict="ask")
    item, task = await world.paired()
    world.external.edit(item, title="From outside", by="bob")
    world.hub.edit(task, title="From the hub", by="ada")
    before = len(world.writes())
    await world.look()
    assert len(world.writes()) == before
    entry = await world.the(Conflict)
    assert (entry.winner, entry.state, entry.policy) == (None, "open", "ask")
    assert (entry.hub["value"], entry.external["value"]) == ("From the hub", "From outside")
    title = (await seen(world))["title"]
    assert title.settled, "the pair settled last still stands"
    assert title.hub_read is not None
    assert title.external_read is not None
    assert (title.hub_read["value"], title.external_read["value"]) == ("From the hub", "From outside")
    first = title.external_read["at"]
    world.external.edit(item, notes="something else")
    await world.look()
    assert (await seen(world))["title"].external_read == {**title.external_read, "at": first}
    await world.apply(conflict="asana")
    await world.settle()
    assert world.thing()["title"] == "From the hub"


async def test_the_later_edit_wins_and_the_other_is_listed_whole(world: World, told: list[EventDict]) -> None:
    item, task = await world.paired(title="Start")
    world.external.edit(item, title="First", by="bob")
    world.hub.clock.advance(5)
    world.hub.edit(task, title="Second", by="ada")
    world.hub.clock.advance(-5)
    await world.look()
    assert world.thing()["title"] == "Second"
    entry = await world.the(Conflict)
    assert (entry.winner, entry.kind, entry.external["value"]) == ("hub", "edit", "First")
    assert entry.external["author"]["name"] == "bob"
    assert entry.external["time_from"] == "field"
    assert [line["field"] for line in told if line["event"] == "conflict.kept"] == ["title"]


async def test_settling_a_write_of_several_fields_swallows_no_edit_made_in_between(github: World) -> None:
    issue, task = await github.paired(notes="old", title="old")
    github.hub.edit(task, title="new", notes="new")
    github.external.faults = Meanwhile(
        "PATCH", "/issues/", lambda: github.external.edit(issue, state="closed", by="bob")
    )
    await github.poll()
    await github.work()
    assert (github.thing()["title"], github.thing()["state"]) == ("new", "closed")
    assert github.task()["state"] == "closed", "the edit is news in the answer of the write"
    assert await github.rows(Mark) == []


async def test_an_edit_of_the_task_between_read_and_write_arrives(github: World) -> None:
    issue, task = await github.paired(title="old")
    github.external.edit(issue, title="new", by="ada")
    github.hub.faults = Meanwhile("PUT", "/tasks/", lambda: github.hub.edit(task, state="closed", by="bob"))
    await github.poll()
    await github.work()
    assert (github.task()["title"], github.thing()["title"]) == ("new", "new")
    assert (github.task()["state"], github.thing()["state"]) == ("closed", "closed")


async def test_a_precondition_that_fails_plans_anew_and_loses_nothing(world: World) -> None:
    item, task = await world.paired(title="old")
    world.hub.edit(task, title="from the hub", by="ada")
    world.external.faults = Meanwhile(
        "PATCH", "/items/", lambda: world.external.edit(item, title="from outside", by="bob")
    )
    await world.settle()
    assert world.thing()["title"] == world.task()["title"]
    entry = await world.the(Conflict)
    assert {world.task()["title"], entry.hub["value"], entry.external["value"]} == {
        "from the hub",
        "from outside",
    }


async def test_a_paused_direction_holds_the_value(world: World) -> None:
    from sync.store.tables import Mapping

    item, task = await world.paired()
    await world.change(Mapping, {"paused_directions": ["from_asana"]})
    world.hub.edit(task, title="Held")
    world.external.edit(item, notes="goes")
    await world.look()
    assert world.thing()["title"] == "Broken link"
    assert "goes" in world.task()["notes"]
    await world.change(Mapping, {"paused_directions": []})
    await world.mark(Side.HUB, task)
    world.clock.advance(3)
    await world.work()
    assert world.thing()["title"] == "Held"


@pytest.mark.parametrize("direction", ["to_asana", "from_asana"])
async def test_a_one_way_mapping_overwrites_what_drifted_and_lists_it(build: Build, direction: str) -> None:
    world = await build()
    item, task = await world.paired(title="old")
    await world.apply(direction=direction)
    await world.settle()
    source, target = (world.external, world.hub) if direction == "to_asana" else (world.hub, world.external)
    ids = {id(world.external): item, id(world.hub): task}
    target.edit(ids[id(target)], title="drifted")
    await world.look()
    before = source.view(ids[id(source)])
    assert before is not None
    assert before["title"] == "old"
    source.edit(ids[id(source)], title="new")
    await world.look()
    assert (world.thing()["title"], world.task()["title"]) == ("new", "new")
    entry = await world.the(Conflict)
    assert entry.kind == "overwritten"
    assert "drifted" in (entry.hub["value"], entry.external["value"])


async def test_old_writes_do_not_count_against_the_budget(world: World) -> None:
    item, _ = await world.paired()
    link, old = await world.link(), world.engine.now() - LOOP_WINDOW - timedelta(seconds=1)
    async with world.engine.database.write() as session:
        session.add_all(
            Write(
                mapping_id=link.mapping_id,
                mapping_version=1,
                link_id=link.id,
                side="hub",
                op="update",
                state="done",
                intent_at=old,
                deadline_at=old,
            )
            for _ in range(LOOP_BUDGET)
        )
    world.external.edit(item, title="Goes at once")
    await world.look()
    assert world.task()["title"] == "Goes at once"


async def test_what_was_read_longer_ago_than_the_write_window_is_read_again(github: World) -> None:
    """GitHub takes any write: only the short time between read and write protects an edit made meanwhile."""
    issue, task = await github.paired()
    window = github.engine.settings.write_window_seconds

    def pass_time() -> None:
        for clock in (github.clock, github.hub.clock, github.external.clock):
            clock.advance(window + 1)

    def meanwhile() -> None:
        pass_time()
        github.external.edit(issue, title="The newest")

    github.external.edit(issue, title="From GitHub")
    pass_time()
    github.hub.edit(task, title="From Asana")

    github.external.faults = Meanwhile("GET", "/timeline", meanwhile)
    before = len(github.writes())
    await github.settle()
    assert (github.thing()["title"], github.task()["title"]) == ("The newest", "The newest")
    assert [call.method for call in github.writes()[before:]] == ["PUT"], "only the task was written"


async def test_a_provider_that_is_always_slow_is_written_to_in_the_end(github: World) -> None:
    """Each time that it was too late there is more patience."""
    issue, task = await github.paired()
    slow = Meanwhile(
        "GET",
        "/timeline",
        lambda: github.clock.advance(github.engine.settings.write_window_seconds + 1),
        times=50,
    )
    github.external.edit(issue, title="From GitHub")
    github.hub.edit(task, title="From Asana")
    github.external.faults = slow
    await github.settle()
    assert github.thing()["title"] == github.task()["title"]
    assert 50 - slow.left == 2, "too late once, in time then"


async def test_where_the_first_side_fails_the_other_intent_is_closed(world: World) -> None:
    """Nothing of it was sent: nobody has to look for it before the link moves on."""
    item, task = await world.paired(labels=["bug"])
    world.external.edit(item, labels=["bug", "ui"])
    world.hub.edit(task, labels=["bug", "urgent"])
    await world.poll()
    world.hub.faults.add(Fault(kind="429", method="POST", path="/addTag$", retry_after=30))
    await world.work()
    first, second = (await world.rows(Write))[-2:]
    assert (first.side, first.state, second.side, second.state) == ("hub", "not_done", "external", "not_done")
    assert second.reason == "the other side's write did not go through"
    assert world.thing()["labels"] == ["bug", "ui"]
