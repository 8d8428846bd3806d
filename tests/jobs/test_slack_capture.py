"""What people in Slack do with the app, over both simulators: from the shortcut to the task and its card."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.simulation import Fault, serve_app
from connectors.slack.simulated_interactions import Interaction
from connectors.slack.simulator import SlackSimulator
from sync.jobs.asked import by_hand
from sync.jobs.asked.audit import audit
from sync.jobs.capture.interactions import Interactions
from sync.jobs.receiving.intake import Intake
from sync.jobs.receiving.streams import Streams
from sync.store.tables import Conflict, Delivery, Link, Mapping, Parked, User
from tests.jobs.conftest import Build
from tests.jobs.world import PATIENCE_S, World


@dataclass
class Chat:
    """A channel whose threads can become tasks, and the app's address."""

    world: World
    slack: SlackSimulator
    interactions: Interactions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await self.interactions.answer("other", dict(request.headers), await request.body())
        await Response(answer.body, answer.status, headers=dict(answer.headers))(scope, receive, send)

    def say(self, text: str, by: str = "bob") -> str:
        return self.slack.new(self.world.container, title=text, by=by)

    def modal(self, user: str = "ada") -> dict[str, Any]:
        """The view on top of what is open at a person."""
        return self.slack.views.of(self.slack.people[user].id)[-1]

    async def opened(self, message: str, user: str = "ada") -> dict[str, Any]:
        """The modal of the shortcut, filled."""
        await self.slack.shortcut(user, message, "create_task")
        await self.interactions.idle()
        return self.modal(user)

    async def submitted(self, view: dict[str, Any], user: str = "ada", **values: Any) -> Interaction:
        return await self.slack.submit(view["id"], values, user)

    async def captured(self, message: str, title: str = "Chosen", user: str = "ada") -> None:
        done = await self.submitted(await self.opened(message, user), user, title={"title": title})
        assert (done.status, done.errors, done.opened) == (200, {}, ())
        await self.world.settle()

    async def reacted(self, message: str, name: str, user: str) -> None:
        """Somebody reacts, and the event of it was acted on."""
        self.slack.edit(message, reactions=[name], by=user)
        told = f'"{message.partition("/")[2]}"'.encode()
        by = f'"user": "{self.slack.people[user].id}", "reaction": "{name}"'.encode()
        async with asyncio.timeout(PATIENCE_S):
            while not any(told in row.body and by in row.body for row in await self.world.rows(Delivery)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await self.world.settle()

    def card(self, message: str) -> tuple[str, dict[str, Any]]:
        """Id and message of the card in the thread."""
        view = self.slack.view(message)
        assert view is not None
        (found,) = [each for each in view["comments"] if "task" in _block_ids(each["message"])]
        return found["id"], found["message"]

    async def press(self, message: str, action: str, user: str = "ada") -> Interaction:
        pressed = await self.slack.press(user, action, object_id=self.card(message)[0])
        await self.interactions.idle()
        await self.world.settle()
        return pressed


def _block_ids(message: dict[str, Any]) -> list[str]:
    return [block.get("block_id", "") for block in message.get("blocks", ())]


class SocketSlack(SlackSimulator):
    """Its app uses Socket Mode."""

    def __init__(self) -> None:
        super().__init__()
        self.use_socket_mode()


@pytest.fixture
async def chat(build: Build) -> AsyncIterator[Chat]:
    world = await build(SlackSimulator)
    assert isinstance(world.external, SlackSimulator)
    async with Interactions(world.engine) as interactions:
        chat = Chat(world, world.external, interactions)
        async with serve_app(chat) as url:
            urls = world.external.sender.urls
            urls.interactivity = urls.options = urls.commands = f"{url}/interactions/other"
            yield chat


@pytest.fixture
async def over_socket(build: Build) -> AsyncIterator[Chat]:
    """The same where nobody calls us: a worker holds the socket."""
    world = await build(SocketSlack)
    assert isinstance(world.external, SlackSimulator)
    async with Intake(world.engine) as intake, Interactions(world.engine) as interactions:
        streams = Streams(world.engine, intake, interactions)
        await streams.look()
        yield Chat(world, world.external, interactions)
        await streams.close()


async def test_over_a_socket_a_message_becomes_a_task_as_well(over_socket: Chat) -> None:
    chat = over_socket
    message = chat.say("The footer is broken")
    chat.world.hub.faults.add(Fault(kind="slow", path="/search", seconds=1.5, times=None))
    chat.world.hub.faults.add(Fault(kind="slow", path="/tasks", seconds=1.5, times=None))
    view = await chat.opened(message)
    place = view["blocks"][2]["element"]["initial_option"]["value"]
    people = await chat.slack.suggest("ada", view["id"], "assignee", "bob@")
    (bob,) = people.answer["options"]
    await chat.slack.press("ada", "to_attach", view_id=view["id"])
    await chat.interactions.idle()
    slowly = asyncio.create_task(chat.slack.suggest("ada", view["id"], "task", "foot"))
    refused = await chat.slack.submit(view["id"], {"how": {"how": {"type": "checkboxes"}}}, "ada")
    assert refused.errors == {f"task {place}": "Choose a task."}
    assert not slowly.done(), "nobody waits for the slow answer to somebody else"
    assert (await slowly).answer == {"options": []}
    chat.world.hub.faults.clear()
    await chat.slack.cancel(view["id"], "ada")
    view = await chat.opened(message)
    state = {f"assignee {place}": {"assignee": {"type": "external_select", "selected_option": bob}}}
    done = await chat.submitted(view, title={"title": "Mend the footer"}, **state)
    assert (done.status, done.errors, done.opened) == (200, {}, ())
    await chat.world.settle()
    task = chat.world.task()
    assert (task["title"], task["assignee"]) == ("Mend the footer", "bob")
    await chat.press(message, "card_complete")
    assert chat.world.task()["state"] == "closed"


async def test_one_of_more_options_than_a_menu_holds_is_found_by_typing(chat: Chat) -> None:
    names = [f"Area {number}" for number in range(120)]
    area = chat.world.hub.new_field(chat.world.project, "Area", "enum", names)
    for clock in (chat.world.clock, chat.world.hub.clock, chat.slack.clock):
        clock.advance(400)  # the fields are asked for again
    await chat.world.settle(full=True)
    message = chat.say("The footer is broken")
    view = await chat.opened(message)
    name, place = f"custom:{area.gid}", view["blocks"][2]["element"]["initial_option"]["value"]
    (found,) = (await chat.slack.suggest("ada", view["id"], name, "area 111")).answer["options"]
    state = {f"{name} {place}": {name: {"type": "external_select", "selected_option": found}}}
    await chat.submitted(view, title={"title": "Mend the footer"}, **state)
    await chat.world.settle()
    (task,) = chat.world.tasks()
    assert chat.world.hub.workspace.tasks[task].custom[area.gid] == area.options[111].gid


async def test_a_message_becomes_a_task_whose_card_stands_in_the_thread(chat: Chat) -> None:
    message = chat.say("The footer is broken <!channel>")
    chat.slack.comment(message, "Since Monday", by="ada")
    await chat.world.settle()
    assert chat.world.tasks() == []
    view = await chat.opened(message)
    by_id = {block.get("block_id", ""): block for block in view["blocks"]}
    assert by_id["title"]["element"]["initial_value"].startswith("The footer is broken")
    place = by_id["place"]["element"]["initial_option"]["value"]
    assert by_id["place"]["element"]["initial_option"]["text"]["text"] == "Website"
    people = await chat.slack.suggest("ada", view["id"], "assignee", "bob@")
    (bob,) = people.answer["options"]
    done = await chat.submitted(
        view,
        title={"title": "Mend the footer"},
        **{
            f"assignee {place}": {"assignee": {"type": "external_select", "selected_option": bob}},
            f"due {place}": {"due": {"type": "datepicker", "selected_date": "2026-07-01"}},
        },
    )
    assert (done.status, done.errors, done.opened) == (200, {}, ())
    await chat.world.settle()
    task = chat.world.task()
    assert (task["title"], str(task["due"]), task["assignee"]) == ("Mend the footer", "2026-07-01", "bob")
    assert "The footer is broken" in task["text"]
    assert "Captured by Ada Lovelace" in task["text"]
    assert ["Since Monday" in comment["text"] for comment in task["comments"]] == [True]
    _, card = chat.card(message)
    assert "Mend the footer" in str(card["blocks"])
    assert "<!channel" not in str(card)
    before = len(chat.world.writes())
    await chat.world.settle(full=True)
    assert len(chat.world.writes()) == before


async def test_submitting_twice_makes_one_task(chat: Chat) -> None:
    message = chat.say("Broken")
    view = await chat.opened(message)
    second = (await chat.opened(message, "bob"))["id"]
    for _ in range(2):
        chat.slack.views.open[view["id"]] = view
        assert (await chat.submitted(view, title={"title": "Once"})).errors == {}
    await chat.world.settle()
    await chat.world.settle()
    assert len(chat.world.tasks()) == 1
    chat.card(message)
    late = await chat.slack.submit(second, {"title": {"title": "Twice"}}, "bob")
    assert late.errors == {"title": "There is a task for it already: Once"}
    told = await chat.opened(message)
    assert "There is a task for it already" in str(told["blocks"])
    assert chat.world.hub.view(chat.world.tasks()[0])["url"] in str(told["blocks"])  # type: ignore[index]
    assert not told.get("submit")


async def test_a_title_that_a_person_chose_outlasts_corrections_of_the_message(chat: Chat) -> None:
    chosen, suggested = chat.say("Footer brokn"), chat.say("Heder brokn")
    await chat.captured(chosen, title="Mend the footer")
    await chat.captured(suggested, title="Heder brokn")
    for message, title in ((chosen, "Footer broken"), (suggested, "Header broken")):
        chat.slack.edit(message, title=title, notes="Since Monday")
    await chat.world.settle()
    first, second = (chat.world.task(at) for at in (0, 1))
    assert (first["title"], second["title"]) == ("Mend the footer", "Header broken")
    for task, said in ((first, "Footer broken"), (second, "Header broken")):
        assert said in task["text"]
        assert "Since Monday" in task["text"]
        assert "Captured by" in task["text"]
    gid = chat.world.tasks()[1]
    chat.world.hub.edit(gid, title="Renamed", notes=f"<body>{second['text']}\nAsk Bob first</body>")
    await chat.world.settle()
    chat.slack.edit(suggested, title="The header is broken", notes="Since Monday")
    await chat.world.settle(full=True)
    task = chat.world.task(1)
    assert task["title"] == "Renamed"
    assert "The header is broken" in task["text"]
    assert "Ask Bob first" in task["text"]
    assert await chat.world.rows(Conflict) == []
    before = len(chat.world.writes())
    await chat.world.settle(full=True)
    assert len(chat.world.writes()) == before


async def test_words_of_a_task_that_a_correction_takes_away_are_kept_in_the_list(chat: Chat) -> None:
    message = chat.say("Footer broken")
    chat.slack.edit(message, title="Footer broken", notes="Since Monday")
    await chat.captured(message)
    (gid,) = chat.world.tasks()
    said = chat.world.task()["text"]
    rewritten = said.replace("Since Monday", "Since Monday, only on phones")
    chat.world.hub.edit(gid, notes=f"<body>{rewritten}</body>")
    await chat.world.settle()
    assert await chat.world.rows(Conflict) == [], "nothing is lost yet"
    chat.slack.edit(message, title="Footer broken", notes="Since Tuesday")
    await chat.world.settle()
    assert "Since Tuesday" in chat.world.task()["text"]
    entry = await chat.world.the(Conflict)
    assert (entry.kind, "only on phones" in entry.hub["value"]) == ("overwritten", True)
    before = len(chat.world.writes())
    await chat.world.settle(full=True)
    assert len(chat.world.writes()) == before


async def test_an_error_stands_at_its_field(chat: Chat) -> None:
    view = await chat.opened(chat.say("Broken"))
    refused = await chat.submitted(view, title={"title": " "})
    assert refused.errors == {"title": "A task needs a title."}
    await chat.world.settle()
    assert chat.world.tasks() == []


async def test_the_buttons_of_the_card(chat: Chat) -> None:
    message = chat.say("Broken")
    await chat.captured(message)
    await chat.press(message, "card_complete")
    assert chat.world.task()["state"] == "closed"
    await chat.press(message, "card_assign", user="bob")
    assert chat.world.task()["assignee"] == "bob"
    assert "completed" in str(chat.card(message)[1]["blocks"])
    assert "Bob Stone" in str(chat.card(message)[1]["blocks"])
    await chat.press(message, "card_reopen")
    assert chat.world.task()["state"] == "open"
    await chat.slack.press("bob", "card_comment", object_id=chat.card(message)[0])
    await chat.interactions.idle()
    await chat.submitted(chat.modal("bob"), "bob", text={"text": "On it"})
    await chat.world.settle()
    (comment,) = chat.world.task()["comments"]
    assert "Bob Kahn" in comment["text"]
    view = chat.slack.view(message)
    assert view is not None
    assert sum("On it" in str(each["message"]) for each in view["comments"]) == 1
    chat.world.hub.edit(chat.world.tasks()[0], title="Renamed in Asana")
    await chat.world.settle()
    assert "Renamed in Asana" in str(chat.card(message)[1]["blocks"])
    gid = chat.world.tasks()[0]
    chat.world.hub.edit(gid, state="closed", assignee=None, due="2026-08-02")
    await chat.world.settle()
    shown = str(chat.card(message)[1]["blocks"])
    assert all(fact in shown for fact in ("completed", "unassigned", "due 2026-08-02", "card_reopen"))
    chat.world.hub.remove(gid)
    await chat.world.settle(full=True)
    shown = str(chat.card(message)[1]["blocks"])
    assert "deleted" in shown
    assert "card_" not in shown


async def test_the_card_below_a_deleted_message_offers_nothing_any_more(chat: Chat) -> None:
    message = chat.say("Broken")
    await chat.captured(message)
    card, _ = chat.card(message)
    chat.slack.remove(message)
    await chat.world.settle(full=True)
    shown = str(chat.slack.workspace.messages[card])
    assert "the message was deleted" in shown
    assert chat.world.hub.view(chat.world.tasks()[0])["url"] in shown  # type: ignore[index]
    assert "card_" not in shown
    assert chat.world.task()["state"] == "closed"


async def test_a_card_that_somebody_deleted_is_posted_anew(chat: Chat) -> None:
    message = chat.say("Broken")
    await chat.captured(message)
    chat.slack.remove(chat.card(message)[0])
    chat.world.hub.edit(chat.world.tasks()[0], title="Renamed in Asana")
    await chat.world.settle()
    assert "Renamed in Asana" in str(chat.card(message)[1]["blocks"])
    assert await chat.world.rows(Parked) == []


async def test_the_buttons_of_a_task_that_left_change_nothing(chat: Chat) -> None:
    message = chat.say("Broken")
    await chat.captured(message)
    await chat.world.change(Link, {"state": "dormant", "reason": "it left the project"}, kind="task")
    await chat.press(message, "card_complete")
    assert chat.world.task()["state"] == "open"
    assert "no part of what is kept in step" in str(chat.slack.whispers[-1])


async def test_the_card_offers_nothing_where_task_and_message_are_deleted(chat: Chat) -> None:
    message = chat.say("Broken")
    await chat.captured(message)
    card, _ = chat.card(message)
    chat.slack.remove(message)
    chat.world.hub.remove(chat.world.tasks()[0])
    await chat.world.settle(full=True)
    assert "card_" not in str(chat.slack.workspace.messages[card])


async def test_the_card_of_a_link_that_was_ended_offers_nothing_any_more(chat: Chat) -> None:
    message = chat.say("Broken")
    await chat.captured(message)
    await by_hand.unlink(chat.world.engine, (await chat.world.the(Link, kind="task")).id)
    await chat.world.settle()
    shown = str(chat.card(message)[1]["blocks"])
    assert "not kept in step any more" in shown
    assert chat.world.hub.view(chat.world.tasks()[0])["url"] in shown  # type: ignore[index]
    assert "card_" not in shown
    chat.slack.edit(message, title="Broken since Monday")
    await chat.world.settle()
    assert "Monday" not in chat.world.task()["text"]


async def test_the_card_says_that_the_task_is_deleted_where_nothing_else_goes_to_slack(chat: Chat) -> None:
    await chat.world.apply(direction="to_asana")
    message = chat.say("Broken")
    await chat.captured(message)
    chat.world.hub.remove(chat.world.tasks()[0])
    await chat.world.settle(full=True)
    shown = str(chat.card(message)[1]["blocks"])
    assert "deleted" in shown
    assert "card_" not in shown


async def test_a_message_is_attached_to_an_existing_task(chat: Chat) -> None:
    await chat.world.apply(create={"from_asana": False})
    gid = chat.world.hub.new(chat.world.project, title="Long known")
    message = chat.say("Broken")
    view = await chat.opened(message)
    await chat.slack.press("ada", "to_attach", view_id=view["id"])
    await chat.interactions.idle()
    view = chat.modal()
    found = await chat.slack.suggest("ada", view["id"], "task", "known")
    (task,) = found.answer["options"]
    assert task["value"] == gid
    block = next(
        block["block_id"] for block in view["blocks"] if block.get("block_id", "").startswith("task")
    )
    state = {block: {"task": {"type": "external_select", "selected_option": task}}}
    assert (await chat.submitted(view, **state)).errors == {}
    await chat.world.settle()
    assert chat.world.tasks() == [gid]
    assert chat.world.task()["title"] == "Long known"
    assert "Long known" in str(chat.card(message)[1]["blocks"])
    chat.slack.edit(message, title="Broken since Monday")
    await chat.world.settle()
    assert chat.world.task()["title"] == "Long known"
    assert "Monday" not in chat.world.task()["text"]


@pytest.mark.parametrize(("user", "word"), [("gus", "Guests"), ("eve", "organisation")])
async def test_guests_and_strangers_are_refused(chat: Chat, user: str, word: str) -> None:
    view = await chat.opened(chat.say("Broken"), user)
    assert word in str(view["blocks"])
    assert "submit" not in view or not view["submit"]
    told = await chat.slack.command(user, chat.world.container, "/asana", "new Something")
    await chat.interactions.idle()
    assert word in chat.slack.whispers[-1]["text"]
    assert told.status == 200
    await chat.world.settle()
    assert chat.world.tasks() == []


async def test_who_left_meanwhile_is_refused_at_the_field(chat: Chat) -> None:
    view = await chat.opened(chat.say("Broken"))
    place = view["blocks"][2]["element"]["initial_option"]["value"]
    (bob,) = (await chat.slack.suggest("ada", view["id"], "assignee", "bob@")).answer["options"]
    await chat.world.change(User, {"active": False}, user_id=bob["value"])
    state = {f"assignee {place}": {"assignee": {"type": "external_select", "selected_option": bob}}}
    refused = await chat.submitted(view, title={"title": "Mend it"}, **state)
    assert refused.errors == {f"assignee {place}": "That person cannot be chosen any more."}


async def test_a_task_that_is_linked_already_is_not_offered(chat: Chat) -> None:
    await chat.captured(chat.say("Broken"), title="Has its message")
    chat.world.hub.new(chat.world.project, title="Has none")
    view = await chat.opened(chat.say("Once more"))
    await chat.slack.press("ada", "to_attach", view_id=view["id"])
    await chat.interactions.idle()
    found = await chat.slack.suggest("ada", view["id"], "task", "has")
    assert [each["text"]["text"] for each in found.answer["options"]] == ["Has none"]


async def test_a_channel_without_a_mapping_offers_nothing(chat: Chat) -> None:
    other = chat.slack.new_container("random")
    view = await chat.opened(chat.slack.new(other, title="Broken", by="bob"))
    assert "No project is allowed in this channel" in str(view["blocks"])
    chat.slack.workspace.channels[other]["is_member"] = False
    told = await chat.slack.command("ada", other, "/asana", "new Something")
    assert "No project is allowed in this channel" in str(told.said), "where the app itself could say nothing"


async def test_the_command(chat: Chat) -> None:
    async def type_in(text: str) -> str:
        told = await chat.slack.command("ada", chat.world.container, "/asana", text)
        await chat.interactions.idle()
        assert told.status == 200
        return str(chat.slack.whispers[-1]) if chat.slack.whispers else ""

    assert "/asana new" in await type_in("frobnicate")
    said = len(chat.slack.whispers)
    await type_in("new Fix the <b>footer</b>")
    assert len(chat.slack.whispers) == said
    await chat.world.settle()
    assert chat.world.task()["title"] == "Fix the <b>footer</b>"
    assert "Fix the &lt;b&gt;footer" in await type_in("search footer")
    assert "You have no open tasks here" in await type_in("mine")
    chat.world.hub.faults.add(Fault(kind="503", method="GET", times=None))
    assert "try again" in await type_in("search footer"), "no answer is not: nothing found"
    chat.world.hub.faults.clear()
    (message,) = chat.world.things()
    await chat.press(message, "card_assign")
    assert "Fix the" in await type_in("mine")
    gid = chat.world.hub.new(chat.world.project, title="By hand")
    await chat.world.apply(create={"from_asana": False})
    url = chat.world.hub.view(gid)["url"]  # type: ignore[index]
    await type_in(f"link <{url}>")
    await chat.world.settle()
    assert len(chat.world.tasks()) == 2
    assert "By hand" in str(chat.card(chat.world.things()[-1])[1]["blocks"])
    messages = chat.world.things()
    assert "linked to something else" in await type_in(f"link {url}")
    assert "No task" in await type_in("link https://app.asana.com/0/1/2")
    assert chat.world.things() == messages, "what came to nothing does not stay in the channel"


async def test_a_task_is_linked_by_whatever_address_it_has_and_does_not_diverge(chat: Chat) -> None:
    world = chat.world
    gid = world.hub.new(world.project, title="By hand", notes="Words of its own")
    world.hub.clock.advance(90 * 86_400)
    for path in (f"0/1/{gid}", f"1/1/project/{world.project}/task/{gid}?focus=true"):
        await chat.slack.command("ada", world.container, "/asana", f"link <https://app.asana.com/{path}>")
        await chat.interactions.idle()
        await world.settle()
    (message,) = world.things()
    assert "linked to something else" in str(chat.slack.whispers[-1])
    found = await audit(world.engine, await world.route())
    assert (found.pairs, found.divergent, await world.rows(Conflict)) == (1, [], [])
    world.hub.edit(gid, notes="Other words")
    await world.settle()
    assert "Other words" in str(world.external.view(message))


async def test_nothing_is_posted_for_who_types_while_it_is_paused(chat: Chat) -> None:
    for paused in ({"paused": True}, {"paused": False, "paused_directions": ["from_asana"]}):
        await chat.world.change(Mapping, paused)
        await chat.slack.command("ada", chat.world.container, "/asana", "new Mend it")
        await chat.interactions.idle()
        assert chat.world.things() == []
        assert "An admin paused" in str(chat.slack.whispers[-1])
    await chat.world.change(Mapping, {"paused_directions": []})
    await chat.slack.command("ada", chat.world.container, "/asana", "new Mend it")
    await chat.interactions.idle()
    assert len(chat.world.things()) == 1


async def test_what_is_typed_and_sent_again_posts_nothing_more(chat: Chat) -> None:
    typed = await chat.slack.command("ada", chat.world.container, "/asana", "new Mend it")
    urls, again = chat.slack.sender.urls, typed.payload
    for _ in range(2):
        await asyncio.gather(*(chat.slack.sender.ask(urls.commands, again) for _ in range(2)))
        await chat.interactions.idle()
        await chat.world.settle()
    assert len(chat.world.things()) == len(chat.world.tasks()) == 1


async def test_who_types_is_told_where_nobody_knows_whether_it_was_posted(chat: Chat) -> None:
    chat.slack.faults.add(Fault(kind="reset_after", method="POST", path="chat.postMessage"))
    await chat.slack.command("ada", chat.world.container, "/asana", "new Mend it")
    await chat.interactions.idle()
    assert len(chat.world.things()) == 1
    assert "did not say whether it was posted" in str(chat.slack.whispers[-1])


async def test_the_modal_opens_whatever_the_speed_of_asana(chat: Chat) -> None:
    """Slack gives up after three seconds, and so does its simulator: with another status."""
    message, hub = chat.say("Broken"), chat.world.hub
    hub.faults.add(Fault(kind="slow", seconds=2.9, times=None))
    chat.world.engine.container_names.clear()
    assert (await chat.slack.command("ada", chat.world.container, "/asana", "mine")).status == 200
    await chat.interactions.idle()
    hub.faults.clear()
    hub.faults.add(Fault(kind="slow", seconds=1.0, times=None))
    chat.world.engine.container_names.clear()
    before = len(list(hub.journal))
    assert (await chat.slack.shortcut("ada", message, "create_task")).status == 200
    await chat.interactions.idle()
    opened = next(each for each in chat.slack.journal if each.path.endswith("views.open"))
    assert opened.until is not None
    asked = list(hub.journal)[before:]
    assert asked, "what fills the modal comes after"
    assert all(each.at >= opened.until for each in asked)
    assert chat.modal()["callback_id"] == "create_task"


async def test_a_lost_answer_of_the_card_makes_one(chat: Chat) -> None:
    message = chat.say("Broken")
    chat.slack.faults.add(Fault(kind="reset_after", method="POST", path="chat.postMessage"))
    await chat.captured(message)
    chat.card(message)


async def test_an_emoji_captures_without_a_modal(chat: Chat) -> None:
    await chat.world.apply(filter={"fields": {"custom:reactions": ["memo"]}})
    await chat.world.settle()
    message = chat.say("The footer is broken")
    chat.slack.edit(message, reactions=["memo"], by="ada")
    await chat.world.settle()
    assert chat.world.task()["title"] == "The footer is broken"
    assert "The footer is broken" in str(chat.card(message)[1]["blocks"])
    chat.world.hub.edit(chat.world.tasks()[0], title="Mend the footer", by="bob")
    await chat.world.settle()
    chat.slack.edit(message, title="The footer is brocken", notes="Since Monday", by="ada")
    await chat.world.settle()
    task = chat.world.task()
    assert (task["title"], "Since Monday" in task["text"]) == ("Mend the footer", True)
    assert await chat.world.rows(Conflict) == []
    await chat.press(message, "card_complete", user="bob")
    assert chat.world.task()["state"] == "closed"


async def test_an_emoji_of_somebody_without_an_identity_names_them_in_the_task(chat: Chat) -> None:
    await chat.world.apply(filter={"fields": {"custom:reactions": ["memo"]}})
    await chat.world.settle()
    message = chat.say("The footer is broken")
    chat.slack.edit(message, reactions=["memo"], by="bob")
    await chat.world.settle()
    (task,) = chat.world.hub.workspace.tasks.values()
    assert ", captured by Bob Kahn</a>" in task.html_notes
    assert (await audit(chat.world.engine, await chat.world.route())).in_step == 1


async def test_what_is_typed_names_its_author_once_and_is_in_step(chat: Chat) -> None:
    await chat.slack.command("ada", chat.world.container, "/asana", "new Something")
    await chat.interactions.idle()
    await chat.world.settle()
    assert chat.world.task()["text"].count("Ada Lovelace") == 1
    found = await audit(chat.world.engine, await chat.world.route())
    assert (found.in_step, found.divergent) == (1, [])


async def test_what_asana_refused_can_be_captured_again(chat: Chat) -> None:
    message = chat.say("The footer is broken")
    chat.world.hub.faults.add(Fault(kind="400", method="POST", path="/tasks$"))
    await chat.captured(message, title="Refused")
    assert (chat.world.tasks(), len(await chat.world.rows(Parked))) == ([], 1)
    await chat.captured(message, title="Taken")
    assert (chat.world.task()["title"], len(chat.world.tasks())) == ("Taken", 1)
    assert await chat.world.rows(Parked) == []
    await chat.submitted(await chat.opened(message), title={"title": "Twice"})
    assert len(chat.world.tasks()) == 1


async def test_an_emoji_on_a_reply_captures_its_thread_under_the_reply(
    over_socket: Chat,
) -> None:
    chat = over_socket
    await chat.world.apply(filter={"fields": {"custom:reactions": ["memo"]}})
    message = chat.say("The footer is broken")
    reply = chat.slack.comment(message, "Bob, mend the French one. It is red", by="bob")
    await chat.reacted(reply, "eyes", "ada")
    assert chat.world.tasks() == []
    await chat.reacted(reply, "memo", "ada")
    await chat.reacted(reply, "memo", "bob")
    task = chat.world.task()
    assert task["title"] == "Bob, mend the French one. It is red"
    assert "The footer is broken" in task["text"]
    assert "Captured by Ada Lovelace" in task["text"]
    assert ["It is red" in comment["text"] for comment in task["comments"]] == [True]
    await chat.press(message, "card_complete", user="bob")
    assert chat.world.task()["state"] == "closed"
    await chat.reacted(chat.slack.comment(message, "And the Dutch one", by="bob"), "memo", "bob")
    assert len(chat.world.tasks()) == 1


@pytest.mark.parametrize("user", ["gus", "eve"])
async def test_an_emoji_of_a_guest_or_a_stranger_captures_nothing(over_socket: Chat, user: str) -> None:
    chat = over_socket
    await chat.world.apply(filter={"fields": {"custom:reactions": ["memo"]}})
    message = chat.say("The footer is broken")
    reply = chat.slack.comment(message, "The French one", by="bob")
    for each in (message, reply):
        await chat.reacted(each, "memo", user)
    assert chat.world.tasks() == []
    await chat.reacted(message, "memo", "ada")
    assert chat.world.task()["title"] == "The footer is broken"


async def test_an_emoji_on_a_reply_captures_nothing_where_no_filter_asks_for_it(over_socket: Chat) -> None:
    chat = over_socket
    await chat.world.apply(create={"to_asana": True, "from_asana": False}, filter={"keywords": ["please"]})
    reply = chat.slack.comment(chat.say("The footer is broken"), "Mend it, please", by="bob")
    await chat.reacted(reply, "memo", "ada")
    assert chat.world.tasks() == []


async def test_a_modal_that_cannot_be_opened_is_told(chat: Chat) -> None:
    chat.slack.faults.add(Fault(kind="503", method="POST", path="views.open"))
    await chat.slack.shortcut("ada", chat.say("Broken"), "create_task")
    await chat.interactions.idle()
    assert "did not work" in chat.slack.whispers[-1]["text"]


async def test_what_fails_on_our_side_is_told(chat: Chat) -> None:
    message = chat.say("Broken")
    await chat.captured(message)
    card, _ = chat.card(message)
    async with chat.world.engine.database.write() as session:
        await session.execute(text("ALTER TABLE link RENAME TO elsewhere"))
    assert "did not work" in str((await chat.opened(message))["blocks"])
    await chat.slack.press("ada", "card_complete", object_id=card)
    await chat.interactions.idle()
    assert "did not work" in chat.slack.whispers[-1]["text"]
    said = len(chat.slack.whispers)
    await chat.slack.command("ada", chat.world.container, "/asana", "new Something")
    await chat.interactions.idle()
    assert "did not work" in str(chat.slack.whispers[said:])
    async with chat.world.engine.database.write() as session:
        await session.execute(text("ALTER TABLE elsewhere RENAME TO link"))


async def test_a_project_that_does_not_answer_says_so_in_the_modal(chat: Chat) -> None:
    world = chat.world
    document = world.configured()
    (web,) = document["mappings"]
    other = world.hub.new_container("Shop")
    place = {"connection": "our-asana", "project": other}
    document["mappings"].append({**web, "name": "shop", "asana": place})
    await world.apply_document(document)
    view = await chat.opened(chat.say("Broken"))
    shop = next(each.id for each in await world.rows(Mapping) if each.name == "shop")
    world.hub.faults.add(Fault(kind="503", path=other, times=None))
    chosen = {"selected_option": {"value": str(shop)}}
    await chat.slack.press("ada", "place", view_id=view["id"], **chosen)
    await chat.interactions.idle()
    told = str(chat.modal()["blocks"])
    assert "could not be read just now" in told
    assert "due" not in told
    world.hub.faults.clear()
    await chat.slack.press("ada", "place", view_id=view["id"], **chosen)
    await chat.interactions.idle()
    told = str(chat.modal()["blocks"])
    assert "could not be read just now" not in told
    assert f"due {shop}" in told


@pytest.mark.parametrize("deed", ["submit", "to_attach"])
async def test_who_uses_a_form_that_is_out_of_date_is_told(chat: Chat, deed: str) -> None:
    view = await chat.opened(chat.say("The footer is broken"))
    chat.slack.views.open[view["id"]]["private_metadata"] = ""
    if deed == "submit":
        await chat.submitted(view)
    else:
        await chat.slack.press("ada", deed, view_id=view["id"])
        await chat.interactions.idle()
    assert "out of date" in str(chat.modal()["blocks"])
