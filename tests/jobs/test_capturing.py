"""What people ask for in another tool: one task however often it is asked, done like every other write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.interactions import Answer
from connectors.simulation import Fault
from connectors.simulation_network import FaultKind
from sync.jobs.capture.interactions import Interactions
from sync.jobs.tending import upkeep
from sync.store.tables import Errand, Link, Write
from tests.jobs.conftest import Build
from tests.jobs.world import World


@dataclass
class Counter:
    """Where people of the memory store ask."""

    world: World
    interactions: Interactions

    async def ask(self, do: str, **more: Any) -> Any:
        """(status, document) of one request, as the store sends it."""
        answer = await self.send(*self.world.external.ask(do, self.world.container, **more))  # type: ignore[attr-defined]
        return answer.status, json.loads(answer.body)

    async def send(self, body: bytes, headers: dict[str, str]) -> Answer:
        return await self.interactions.answer("other", headers, body)

    async def place(self) -> str:
        _, found = await self.ask("look")
        return str(found["places"][0]["id"])

    async def captured(self, item: str, **more: Any) -> None:
        fields = {"title": "Chosen", **more.pop("fields", {})}
        asked = {"item": item, "place": await self.place(), "fields": fields, **more}
        assert await self.ask("capture", **asked) == (200, {"taken": True})
        await self.world.settle()


@pytest.fixture
async def counter(build: Build) -> AsyncIterator[Counter]:
    """A mapping that makes no tasks by itself."""
    world = await build(create={"to_asana": False, "from_asana": False})
    async with Interactions(world.engine) as interactions:
        yield Counter(world, interactions)


async def test_a_captured_item_gets_the_task_that_was_asked_for(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link", notes="See *here*")
    other = world.external.new(world.container, title="Nobody asked")
    await world.settle()
    assert world.tasks() == []
    section = world.hub.workspace.projects[world.project].sections[-1]
    await counter.captured(item, fields={"due": "2026-07-01", "assignee": "me", "section": section})
    task = world.task()
    assert (task["title"], str(task["due"]), task["assignee"]) == ("Chosen", "2026-07-01", "ada")
    assert "See here" in task["text"]
    assert "Captured by ada" in task["text"]
    link = await world.link()
    assert (link.made_by, link.state, link.external_id) == ("capture", "active", item)
    assert world.external.view(item)["title"] == "Broken link"  # type: ignore[index]
    assert world.external.view(item)["assignee"] == "ada"  # type: ignore[index]
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before
    assert other not in [row.external_id for row in await world.rows(Link)]


async def test_the_same_request_twice_makes_one_task(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    place = await counter.place()
    request = world.external.ask(  # type: ignore[attr-defined]
        "capture", world.container, item=item, place=place, fields={"title": "Once"}
    )
    assert [(await counter.send(*request)).status for _ in range(3)] == [200, 200, 200]
    await world.settle()
    assert (await counter.send(*request)).status == 200
    await world.settle()
    assert len(world.tasks()) == 1
    status, refusal = await counter.ask("capture", item=item, place=place, fields={"title": "Twice"})
    assert (status, refusal["reason"]) == (422, "There is a task for it already: Once")


async def test_of_two_requests_for_one_item_the_second_is_told(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    place = await counter.place()
    assert (await counter.ask("capture", item=item, place=place, fields={"title": "One"}))[0] == 200
    status, refusal = await counter.ask("capture", item=item, place=place, fields={"title": "Other"})
    assert (status, refusal["reason"]) == (422, "A task for it is being made already.")
    await world.settle()
    assert world.task()["title"] == "One"


async def test_a_lost_answer_of_the_creation_makes_one_task(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    world.hub.faults.add(Fault(kind="reset_after", method="POST", path="/tasks$"))
    await counter.captured(item, fields={"due": "2026-07-01"})
    assert [world.task()["title"], len(world.tasks())] == ["Chosen", 1]
    assert str(world.task()["due"]) == "2026-07-01"


async def test_an_item_is_attached_to_a_task_and_neither_is_rewritten(counter: Counter) -> None:
    world = counter.world
    world.hub.new(world.project, title="Long known", notes="its own text")
    item = world.external.new(world.container, title="Broken link")
    await world.settle()
    place = await counter.place()
    _, found = await counter.ask("look", place=place, text="long")
    assert [card["title"] for card in found["tasks"]] == ["Long known"]
    assert (await counter.ask("attach", item=item, place=place, task=found["tasks"][0]["id"]))[0] == 200
    await world.settle()
    assert len(world.tasks()) == 1
    assert (world.task()["title"], world.external.view(item)["title"]) == ("Long known", "Broken link")  # type: ignore[index]
    assert world.external.cards[item]["title"] == "Long known"  # type: ignore[attr-defined]
    world.hub.edit(world.tasks()[0], title="Renamed")
    await world.settle()
    assert world.external.view(item)["title"] == "Renamed"  # type: ignore[index]
    status, refusal = await counter.ask(
        "attach",
        item=world.external.new(world.container, title="Second"),
        place=place,
        task=found["tasks"][0]["id"],
    )
    assert (status, refusal["field"]) == (422, "task")


async def test_a_task_stays_open_where_what_was_attached_to_it_is_deleted(counter: Counter) -> None:
    world = counter.world
    world.hub.new(world.project, title="Long known")
    item = world.external.new(world.container, title="Broken link")
    await world.settle()
    place = await counter.place()
    _, found = await counter.ask("look", place=place, text="long")
    await counter.ask("attach", item=item, place=place, task=found["tasks"][0]["id"])
    await world.settle()
    world.external.remove(item)
    await world.settle(full=True)
    assert world.task()["state"] == "open"
    assert "stays" in (await world.link()).reason


async def test_the_card_follows_the_task_and_its_buttons_work(counter: Counter) -> None:
    world = counter.world
    cards = world.external.cards  # type: ignore[attr-defined]
    item = world.external.new(world.container, title="Broken link")
    await counter.captured(item)
    assert cards[item] | {"url": "", "id": ""} == {
        "id": "",
        "title": "Chosen",
        "url": "",
        "project": "Website",
        "state": "open",
        "assignee": "",
        "due": None,
        "place": "",
    }
    await counter.ask("change", item=item, fields={"state": "closed", "assignee": "me"})
    await world.settle()
    assert (world.task()["state"], world.task()["assignee"]) == ("closed", "ada")
    assert (cards[item]["state"], cards[item]["assignee"]) == ("closed", "Ada Lovelace")
    assert world.external.view(item)["state"] == "closed"  # type: ignore[index]
    world.hub.edit(world.tasks()[0], title="Renamed", due="2026-08-01")
    await world.settle()
    assert (cards[item]["title"], cards[item]["due"]) == ("Renamed", "2026-08-01")
    written = [row for row in await world.rows(Write) if row.op == "card"]
    assert all(row.state == "done" for row in written)


async def test_a_comment_from_the_card_stands_once_on_both_sides_with_its_author(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    await counter.captured(item)
    await counter.ask("comment", item=item, by="bob", text="On *it*")
    await world.settle()
    await world.settle(full=True)
    (there,) = world.task()["comments"]
    (here,) = world.external.view(item)["comments"]  # type: ignore[index]
    assert "bob" in there["text"]
    assert "On it" in there["text"]
    assert here["text"].startswith("**[bob](")
    assert here["text"].endswith("On *it*")


@pytest.mark.parametrize("kind", [pytest.param("reset_before", marks=pytest.mark.chaos), "reset_after"])
async def test_a_lost_answer_of_a_comment_makes_one(counter: Counter, kind: FaultKind) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    await counter.captured(item)
    world.hub.faults.add(Fault(kind=kind, method="POST", path="/stories$"))
    await counter.ask("comment", item=item, by="bob", text="On it")
    await world.settle()
    assert len(world.task()["comments"]) == 1
    assert len(world.external.view(item)["comments"]) == 1  # type: ignore[index]


async def test_the_whole_thread_or_only_what_comes_after(counter: Counter) -> None:
    world = counter.world
    for whole, expected in ((True, ["before", "after"]), (False, ["after"])):
        item = world.external.new(world.container, title="Broken link")
        world.external.comment(item, "before")
        await counter.captured(item, whole_thread=whole)
        world.external.comment(item, "after")
        await world.settle()
        texts = [comment["text"].splitlines()[-1] for comment in world.task()["comments"]]
        assert texts == expected, whole


async def test_what_is_not_kept_in_step_is_copied_once(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    world.external.comment(item, "before")
    await counter.captured(item, in_step=False)
    world.external.comment(item, "after")
    world.external.edit(item, title="Edited")
    await world.settle()
    assert [comment["text"].splitlines()[-1] for comment in world.task()["comments"]] == ["before"]
    assert world.task()["title"] == "Chosen"
    assert ((await world.link()).state) == "dormant"
    await counter.ask("change", item=item, fields={"state": "closed"})
    await world.settle()
    assert world.external.cards[item]["state"] == "closed"  # type: ignore[attr-defined]


async def test_what_is_not_allowed_is_refused_with_a_reason(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    place = await counter.place()
    guest = {"id": "u-eve", "name": "Eve", "guest": True}
    asked: list[tuple[dict[str, Any], str]] = [
        ({"place": place, "fields": {"title": "T"}, "person": guest}, ""),
        ({"place": "999", "fields": {"title": "T"}}, "place"),
        ({"place": place, "fields": {"title": " "}}, "title"),
        ({"place": place, "fields": {"title": "T", "custom:1": "x"}}, "custom:1"),
        ({"place": place, "fields": {"title": "T", "section": "1"}}, "section"),
        ({"place": place, "fields": {"title": "T", "assignee": "me"}, "by": "sync-bot"}, "assignee"),
    ]
    for more, field in asked:
        status, refusal = await counter.ask("capture", item=item, **more)
        assert (status, refusal["field"]) == (422, field), more
        assert refusal["reason"].endswith((".", "!"))
    assert await world.rows(Errand) == []
    status, refusal = await counter.ask("change", item=item, fields={"state": "closed"})
    assert (status, refusal["reason"]) == (422, "There is no task for it any more.")


async def test_a_task_that_nobody_captured_is_not_changed_from_the_other_tool(build: Build) -> None:
    """Such an object shows no card: only who knows its id could ask."""
    world = await build()
    item = world.external.new(world.container, title="Synced by the mapping")
    await world.settle()
    async with Interactions(world.engine) as interactions:
        status, refusal = await Counter(world, interactions).ask(
            "change", item=item, fields={"state": "closed"}
        )
    assert (status, refusal["reason"]) == (422, "Its task may not be changed from here.")
    assert await world.rows(Errand) == []


async def test_someone_nobody_mapped_captures_with_their_name(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    person = {"id": "u-none", "name": "Zoë *Quick*"}
    await counter.captured(item, person=person)
    assert "Captured by Zoë *Quick*" in world.task()["text"]


async def test_what_asana_refuses_is_told_to_who_asked(counter: Counter) -> None:
    world = counter.world
    item = world.external.new(world.container, title="Broken link")
    await counter.captured(item)
    world.hub.faults.add(Fault(kind="403", method="PUT", path="/tasks/"))
    await counter.ask("change", item=item, fields={"state": "closed"})
    await world.settle()
    (errand,) = await world.rows(Errand, what="change")
    assert errand.state == "refused"
    (whisper,) = world.external.whispers  # type: ignore[attr-defined]
    assert (whisper["to"], whisper["item"]) == ("u-ada", item)


async def test_a_mapping_that_only_goes_out_offers_no_place(build: Build) -> None:
    world = await build(direction="from_asana")
    async with Interactions(world.engine) as interactions:
        assert (await Counter(world, interactions).ask("look"))[1] == {"places": []}


async def test_who_asked_for_something_that_cannot_be_done_is_told(counter: Counter) -> None:
    world = counter.world
    item, other = (world.external.new(world.container, title=title) for title in ("One", "Two"))
    gid = world.hub.new(world.project, title="Long known")
    await world.settle()
    place = await counter.place()
    for each in (item, other):
        assert (await counter.ask("attach", item=each, place=place, task=gid))[0] == 200
    await world.settle()
    gone = world.external.new(world.container, title="Gone")
    await counter.ask("capture", item=gone, place=place, fields={"title": "T"})
    world.external.remove(gone)
    async with asyncio.timeout(60):
        while len(await world.rows(Errand, state="open")):
            world.clock.advance(120)
            await world.settle()
    reasons = [errand.reason for errand in await world.rows(Errand, state="refused")]
    assert reasons == [
        "the task is linked to something else already",
        "the app does not see it (it is deleted)",
    ]
    assert [world.task()["title"], len(world.tasks())] == ["Long known", 1]
    (told,) = world.external.whispers  # type: ignore[attr-defined]  # who deleted it is told nothing there
    assert told["item"] in (item, other)


async def test_old_errands_are_forgotten_but_for_those_behind_links(counter: Counter) -> None:
    world = counter.world
    await counter.captured(item := world.external.new(world.container, title="Broken"))
    await counter.ask("change", item=item, fields={"state": "closed"})
    await world.settle()
    assert len(await world.rows(Errand)) == 2
    world.clock.advance(31 * 24 * 3600)
    await upkeep.clean(world.engine)
    assert [errand.what for errand in await world.rows(Errand)] == ["capture"]
