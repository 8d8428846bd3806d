"""Threads of a channel and tasks of a project: what is captured stays in step, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import serve
from connectors.slack.simulator import SlackSimulator
from sync.jobs.asked import by_hand
from sync.jobs.receiving import subscriptions
from sync.store.tables import Mapping, Subscription
from tests.jobs.conftest import Build
from tests.jobs.world import World

EVERY: dict[str, Any] = {"create": {"to_asana": True, "from_asana": True}}


@pytest.fixture
async def slack(build: Build) -> World:
    """Every message becomes a task."""
    return await build(SlackSimulator, **EVERY)


def texts(world: World) -> list[str]:
    return [comment["text"] for comment in world.task()["comments"]]


async def test_mere_talk_becomes_no_task(build: Build) -> None:
    world = await build(SlackSimulator)
    world.external.new(world.container, title="Lunch?")
    await world.settle()
    assert world.tasks() == []


async def test_a_reaction_makes_a_task_where_the_mapping_asks_for_it(build: Build) -> None:
    world = await build(SlackSimulator, filter={"fields": {"custom:reactions": ["ticket"]}})
    world.external.new(world.container, title="Lunch?")
    asked = world.external.new(world.container, title="The footer is broken")
    await world.settle()
    assert world.tasks() == []
    world.external.edit(asked, reactions=["ticket"], by="bob")
    await world.settle()
    assert [world.task(at)["title"] for at in range(len(world.tasks()))] == ["The footer is broken"]


async def test_what_was_said_while_the_reaction_was_away_comes_with_its_return(build: Build) -> None:
    world = await build(SlackSimulator, filter={"fields": {"custom:reactions": ["ticket"]}})
    asked = world.external.new(world.container, title="The footer is broken", reactions=["ticket"], by="bob")
    await world.settle()
    world.external.edit(asked, reactions=[], by="bob")
    await world.settle()
    assert (await world.link()).state == "dormant"
    world.external.comment(asked, "Which page?", by="bob")
    await world.settle()
    assert texts(world) == []
    world.external.edit(asked, reactions=["ticket"], by="bob")
    await world.settle()
    assert [text.endswith("Which page?") for text in texts(world)] == [True]


async def test_a_keyword_makes_a_task_where_the_mapping_asks_for_it(build: Build) -> None:
    world = await build(SlackSimulator, filter={"keywords": ["!task", "please fix"]})
    for text in ("Lunch?", "Many !tasks", "Who can fix it, please?"):
        world.external.new(world.container, title=text, by="bob")
    world.external.new(world.container, title="The footer is broken", notes="PLEASE  fix it", by="bob")
    late = world.external.new(world.container, title="Header, too", by="bob")
    await world.settle()
    assert [world.task(at)["title"] for at in range(len(world.tasks()))] == ["The footer is broken"]
    world.external.edit(late, title="Header, too !task")
    await world.settle()
    assert {world.task(at)["title"] for at in range(len(world.tasks()))} == {
        "The footer is broken",
        "Header, too !task",
    }


async def test_one_way_writes_nothing_the_other_way(build: Build) -> None:
    world = await build(SlackSimulator, direction="to_asana", create={"to_asana": True})
    thread, task = await world.paired()
    world.external.comment(thread, "Said in Slack", by="bob")
    world.hub.comment(task, "Said in Asana")
    world.hub.edit(task, state="closed")
    world.hub.new(world.project, title="Only in Asana")
    await world.settle(full=True)
    said = [comment["text"] for comment in world.hub.view(task)["comments"]]  # type: ignore[index]
    assert len(said) == 2, "of Slack, and its own"
    assert (world.thing()["state"], len(world.thing()["comments"])) == ("open", 1)
    assert len(world.things()) == 1


async def test_replies_become_comments_in_order_and_once(slack: World) -> None:
    thread, _ = await slack.paired()
    for text in ("First", "Second", "Third"):
        slack.external.comment(thread, text, by="bob")
    await slack.settle()
    assert len(texts(slack)) == 3, "found by polling alone"
    await slack.settle(full=True)
    assert ["First" in texts(slack)[0], "Second" in texts(slack)[1], "Third" in texts(slack)[2]] == [True] * 3
    assert len(texts(slack)) == 3
    assert all("Bob Kahn" in text for text in texts(slack))


async def test_comments_become_replies_and_come_back_to_nobody(slack: World) -> None:
    _, task = await slack.paired()
    said = slack.hub.comment(task, "Which page?", by="ada")
    await slack.settle()
    await slack.settle(full=True)
    (reply,) = slack.thing()["comments"]
    assert reply["author"] == "asana-sync"
    message = reply["message"]
    assert (message["username"], slack.external.people["ada"].id in message["icon_url"]) == (
        "Ada Lovelace",
        True,
    )
    shown = str(reply["message"]["blocks"])
    assert "Which page?" in shown
    assert "Ada" in shown
    assert len(texts(slack)) == 1
    slack.hub.edit_comment(said, "Which page exactly?")
    await slack.settle(full=True)
    (reply,) = slack.thing()["comments"]
    assert "Which page exactly?" in str(reply["message"]["blocks"])
    assert reply["message"]["username"] == "Ada Lovelace"
    slack.hub.delete_comment(said)
    await slack.settle(full=True)
    assert slack.thing()["comments"] == []


async def test_edits_and_deletes_of_replies_are_followed(slack: World) -> None:
    thread, _ = await slack.paired()
    first = slack.external.comment(thread, "Frist", by="bob")
    slack.external.comment(thread, "Second", by="bob")
    await slack.settle()
    slack.external.edit_comment(first, "First")
    await slack.settle(full=True)
    assert "First" in texts(slack)[0]
    slack.external.delete_comment(first)
    await slack.settle(full=True)
    assert len(texts(slack)) == 1
    assert "Second" in texts(slack)[0]


async def test_done_is_a_reaction(slack: World) -> None:
    thread, task = await slack.paired()
    slack.hub.edit(task, state="closed")
    await slack.settle()
    assert slack.thing()["reactions"] == {"white_check_mark": ["asana-sync"]}
    slack.hub.edit(task, state="open")
    await slack.settle()
    assert slack.thing()["reactions"] == {}
    slack.external.edit(thread, state="closed", by="bob")
    await slack.settle()
    assert slack.task()["state"] == "closed"


async def test_a_task_becomes_a_thread_and_follows_it(slack: World) -> None:
    task = slack.hub.new(slack.project, title="Rework <!channel> the footer", notes="Keep **it** short")
    await slack.settle()
    assert slack.thing()["title"] == "Rework <!channel> the footer"
    assert "<!channel>" not in slack.thing()["message"]["text"]
    slack.hub.edit(task, title="Rework the header")
    await slack.settle()
    assert slack.thing()["title"] == "Rework the header"
    before = len(slack.writes())
    await slack.settle(full=True)
    assert len(slack.writes()) == before


async def test_what_a_person_wrote_is_never_rewritten(slack: World) -> None:
    thread, task = await slack.paired(title="Footer brokn")
    slack.hub.edit(task, title="Footer broken")
    await slack.settle()
    assert slack.thing()["title"] == "Footer brokn"
    assert slack.task()["title"] == "Footer broken"
    slack.external.edit(thread, title="Footer is broken")
    await slack.settle()
    assert slack.task()["title"] == "Footer is broken"


async def test_files_go_both_ways_once(slack: World) -> None:
    thread, task = await slack.paired()
    slack.external.attach(thread, "look.png", b"from Slack", by="bob")
    slack.hub.attach(task, "plan.pdf", b"from Asana")
    await slack.settle(full=True)
    await slack.settle(full=True)
    both = {"look.png": b"from Slack", "plan.pdf": b"from Asana"}
    for view in (slack.task(), slack.thing()):
        assert {file["name"]: file["content"] for file in view["attachments"]} == both
        assert len(view["attachments"]) == 2


async def test_a_deleted_message_is_told_by_its_event_alone(slack: World) -> None:
    """Absence proves nothing: workspaces forget old messages."""
    thread, _ = await slack.paired()
    slack.external.remove(thread)
    await slack.settle()
    assert slack.task()["state"] == "open"


async def test_a_storm_of_changes_without_a_change_writes_nothing(slack: World) -> None:
    thread, _ = await slack.paired()
    before = len(slack.writes())
    assert isinstance(slack.external, SlackSimulator)
    slack.external.storm(thread)
    await slack.settle()
    assert len(slack.writes()) == before


async def test_a_thread_is_captured_by_hand(build: Build) -> None:
    world = await build(SlackSimulator)
    thread = world.external.new(world.container, title="The footer is broken", by="bob")
    world.external.comment(thread, "Since Monday", by="ada")
    task = world.hub.new(world.project, title="Mend the footer")
    await world.settle()
    mapping = (await world.the(Mapping)).id
    await by_hand.link(
        world.engine, mapping, lambda each: each.ref.id == thread, lambda each: each.ref.id == task
    )
    world.external.comment(thread, "Still broken", by="ada")
    await world.settle(full=True)
    assert "Still broken" in texts(world)[-1]
    assert len(world.tasks()) == 1


async def test_a_chain_shows_each_comment_once_with_its_author(slack: World) -> None:
    """Slack thread, Asana task, GitHub issue: two mappings into one project."""
    third = GitHubSimulator()
    async with serve(third) as url:
        space = third.new_container("space")
        document = slack.configured()
        document["connections"].append({"name": "third", "connector": "github", **third.connection(url)})
        document["mappings"].append(
            {
                "name": "chain",
                "connection": "third",
                "container": space,
                "asana": {"connection": "our-asana", "project": slack.project},
            }
        )
        await slack.apply_document(document)
        await slack.settle()
        thread, task = await slack.paired(title="The footer is broken")
        await slack.settle()
        (item,) = third.objects(space)
        slack.external.comment(thread, "Said in Slack", by="bob")
        slack.hub.comment(task, "Said in Asana", by="ada")
        third.comment(item, "Said in the third", by="bob")
        for _ in range(3):
            await slack.settle()
        await slack.settle(full=True)
        shown = slack.thing()["comments"]
        everywhere = (
            [str(each["message"]["blocks"]) for each in shown],
            texts(slack),
            [each["text"] for each in (third.view(item) or {})["comments"]],
        )
        for place in everywhere:
            assert len(place) == 3
            for said, author in (("in Slack", "Bob"), ("in Asana", "Ada"), ("in the third", "bob")):
                (one,) = [text for text in place if f"Said {said}" in text]
                if place is not everywhere[("in Slack", "in Asana", "in the third").index(said)]:
                    assert author in one
        await third.outbox.idle()


async def test_the_app_enters_the_channels_that_are_mapped(build: Build) -> None:
    world = await build(SlackSimulator, settings_={"public_url": "http://127.0.0.1:9"})
    assert isinstance(world.external, SlackSimulator)
    channel = world.external.workspace.channels[world.container]
    channel["is_member"] = False
    await subscriptions.keep(world.engine)
    row = await world.the(Subscription, container=world.container)
    assert (row.state, row.target) == ("active", "http://127.0.0.1:9/webhooks/other/app")
    assert channel["is_member"]
