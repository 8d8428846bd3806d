"""The routes of a pane where people talk; the app there is a stand-in that answers as the product does."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.interactions import Card, Form
from connectors.interactions import Place as Project
from connectors.records import FieldKind, FieldSpec
from connectors.slack import card, modal
from connectors.slack.modal import About
from connectors.slack.simulator import SlackSimulator
from sync.demo.page.talk import Talk
from tests.demo.place import HOSTILE, Place

PROJECT = Project(id="7", name="Shop 3.2")
PERSON = FieldSpec(name="assignee", kind=FieldKind.PERSON, label="Assignee")
BOB = {"text": {"type": "plain_text", "text": "Bob Stone"}, "value": "42"}


@dataclass
class App:
    """What the workspace asks the product; a title of blanks is refused."""

    slack: SlackSimulator
    asked: list[dict[str, Any]] = field(default_factory=list)
    dead: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        form = dict(parse_qsl((await Request(scope, receive).body()).decode()))
        asked = json.loads(form["payload"]) if "payload" in form else {"type": "command", **form}
        self.asked.append(asked)
        await (Response("", 500) if self.dead else self.answer(asked))(scope, receive, send)

    def answer(self, asked: dict[str, Any]) -> Response:
        match asked["type"]:
            case "message_action":
                about = About(channel="C1", ts="1.000001", title=asked["message"]["text"])
                shown = modal.create(about, [PROJECT], Form(place=PROJECT, fields=(PERSON,)))
                self.slack.views.put(asked["user"]["id"], shown.to_dict())
            case "block_actions" if "view" in asked:
                shown = modal.attach(About(channel="C1", ts="1.000001"), [PROJECT], PROJECT)
                self.slack.views.replace(asked["view"]["id"], shown.to_dict())
            case "view_submission":
                typed = asked["view"]["state"]["values"]["title"]["title"]["value"]
                if not (typed or "").strip():
                    errors = {"response_action": "errors", "errors": {"title": "A task needs a title."}}
                    return JSONResponse(errors)
            case "block_suggestion":
                return JSONResponse({"options": [BOB] if asked["value"] in "Bob Stone" else []})
            case "command":
                return JSONResponse({"response_type": "ephemeral", "text": f"*help* for {asked['text']}"})
        return Response("")


@dataclass
class Channel:
    """The pane, and who stands behind it."""

    place: Place
    talk: Talk
    slack: SlackSimulator
    app: App

    def message(self, text: str) -> str:
        return next(id for id, view in self.talk.views().items() if text in view["title"])

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.place.post(f"/panes/slack/{path}", **form)

    async def get(self, path: str) -> str:
        """One part of the pane: a path below it, or only the question."""
        return (await self.place.http.get(f"/panes/slack{path}")).text

    async def opened(self, by: str = "ada") -> str:
        """The id of the window that the shortcut opened."""
        message = self.message("voucher")
        assert (await self.post(f"objects/{message}/shortcuts/create_task", by=by)).status_code == 200
        found = re.search(r'<form class="modal" id="(\w+)"', await self.get(f"/modal?by={by}"))
        assert found is not None
        return found[1]


@pytest.fixture
async def channel(place: Place) -> AsyncIterator[Channel]:
    talk = place.panes["slack"]
    assert isinstance(talk, Talk)
    slack = talk.end.simulator
    assert isinstance(slack, SlackSimulator)
    slack.install("http://app/events", "http://app/people")
    app = App(slack)
    async with slack.outbox.working(httpx.ASGITransport(app)):
        yield Channel(place, talk, slack, app)


async def test_what_is_typed_is_said_and_a_command_goes_to_the_app(channel: Channel) -> None:
    shown = (await channel.post("messages", text=f" Hello\r\n*all* {HOSTILE} ", by="bob")).text
    assert "<strong>all</strong> &lt;script&gt;" in shown
    assert "<script>" not in shown
    assert channel.talk.view(channel.message("Hello"))["message"]["user"] == channel.slack.people["bob"].id
    await channel.post("messages", text=" ", by="bob")
    assert len(channel.talk.views()) == 6
    shown = (await channel.post("messages", text="/asana mine now", by="bob")).text
    assert (channel.app.asked[-1]["command"], channel.app.asked[-1]["text"]) == ("/asana", "mine now")
    assert "<strong>help</strong> for mine now" in shown
    assert "Only visible to you" in shown
    assert "Only visible to you" not in await channel.get("?by=ada")


async def test_a_reply_stands_in_the_thread(channel: Channel) -> None:
    message = channel.message("French")
    shown = (await channel.post(f"objects/{message}/comments", text="Yes, *soon*", by="bob")).text
    assert "<strong>soon</strong>" in shown
    assert "1 reply" in await channel.get("?by=ada")


async def test_a_message_of_the_app_stands_under_the_name_that_it_says(channel: Channel) -> None:
    app, (ada, bob) = channel.slack.workspace.app, (channel.slack.people[name] for name in ("ada", "bob"))
    for message, name, picture, is_app in (
        ({"user": bob.id}, "Bob Kahn", "bob", False),
        ({"user": app.id}, "Asana Sync", "", True),
        ({"user": app.id, "username": ada.title}, "Ada Lovelace", "ada", True),
        ({"user": app.id, "username": "Cy"}, "Cy", "Cy", True),
    ):
        author = channel.talk.author(message)
        assert (author.name, author.picture, author.is_app) == (name, picture, is_app)


async def test_reactions_are_given_and_taken_away(channel: Channel) -> None:
    message = channel.message("French")
    for by, name, given in (
        ("ada", "memo", {"memo": ["ada"]}),
        ("bob", "memo", {"memo": ["ada", "bob"]}),
        ("ada", "memo", {"memo": ["bob"]}),
        ("ada", "white_check_mark", {"memo": ["bob"], "white_check_mark": ["ada"]}),
        ("bob", "white_check_mark", {"memo": ["bob"]}),
    ):
        assert (await channel.post(f"objects/{message}/reactions/{name}", by=by)).status_code == 204
        assert channel.talk.view(message)["reactions"] == given
    assert "📝 1</button>" in await channel.get("?by=ada")


async def test_the_window_of_the_shortcut_is_what_the_app_sent(channel: Channel) -> None:
    view = await channel.opened()
    shown = await channel.get("/modal?by=ada")
    for part in ("Create Asana task", "The voucher field swallows", "Shop 3.2", "Include the whole thread"):
        assert part in shown
    assert "modal" not in await channel.get("/modal?by=bob")
    assert BOB["text"]["text"] in await channel.get(f"/views/{view}/suggestions/assignee?typed=Bob&by=ada")
    assert "Nothing found" in await channel.get(f"/views/{view}/suggestions/assignee?typed=x&by=ada")
    assert channel.app.asked[-1]["value"] == "x"


async def test_an_error_stands_at_its_field_and_what_was_entered_stays(channel: Channel) -> None:
    view = await channel.opened()
    entered = {"title/title": "  ", "assignee 7/assignee": json.dumps(BOB), "how/how": "in_step"}
    assert (await channel.post(f"views/{view}/entered", **entered)).status_code == 204
    refused = (await channel.post(f"views/{view}/submission", **entered)).text
    assert re.search(
        r'wrong" id="\w+-title-field">.*?role="alert">A task needs a title\.', refused, re.DOTALL
    )
    assert "Bob Stone" in await channel.get("/modal?by=ada")
    done = (await channel.post(f"views/{view}/submission", **{**entered, "title/title": "Mend it"})).text
    assert "modal" not in done
    values = channel.app.asked[-1]["view"]["state"]["values"]
    assert values["title"]["title"]["value"] == "Mend it"
    assert values["assignee 7"]["assignee"]["selected_option"] == BOB
    assert [each["value"] for each in values["how"]["how"]["selected_options"]] == ["in_step"]
    late = await channel.post(f"views/{view}/submission", **entered)
    assert (late.status_code, late.text) == (404, "This window is closed. Open it again at the message.")


async def test_a_button_in_the_window_changes_it_and_closing_closes_it(channel: Channel) -> None:
    view = await channel.opened("bob")
    shown = (await channel.post(f"views/{view}/actions/to_attach", by="bob", **{"title/title": "Typed"})).text
    assert "Attach to a task" in shown
    assert channel.app.asked[-1]["view"]["state"]["values"]["title"]["title"]["value"] == "Typed"
    assert (await channel.post(f"views/{view}/closing", by="ada")).status_code == 404, "it is Bob's"
    assert "modal" not in (await channel.post(f"views/{view}/closing", by="bob")).text


async def test_a_card_stands_in_the_thread_with_its_buttons(channel: Channel) -> None:
    message, (task, *_) = channel.message("voucher"), channel.place.panes["asana"].views()
    shown = Card(
        id=task, title=HOSTILE, url=f"https://app.asana.com/0/1/{task}", project="Shop", state="open"
    )
    root = channel.talk.view(message)["message"]
    posted = {**card.message(shown, "key"), "thread_ts": root["ts"]}
    reply = channel.slack.workspace.post(channel.talk.container, channel.slack.workspace.app, posted)
    thread = await channel.get(f"/objects/{message}?by=ada")
    assert "&lt;script&gt;" in thread
    assert "<script>" not in thread
    id = f"{channel.talk.container}/{reply['ts']}"
    assert f'hx-post="/panes/slack/objects/{id}/actions/card_complete"' in thread
    assert (await channel.post(f"objects/{id}/actions/card_complete", by="bob")).status_code == 204
    asked = channel.app.asked[-1]
    assert (asked["actions"][0]["action_id"], asked["user"]["name"]) == ("card_complete", "bob")
    view = channel.talk.view(message)
    assert channel.talk.opens(view, {"asana": task}) == {shown.url: ("asana", task)}
    assert channel.talk.opens(view, {"asana": "another"}) == {}
    gone = await channel.post(f"objects/{channel.talk.container}/1.000001/actions/card_complete")
    assert (gone.status_code, gone.text) == (404, "This message was deleted.")


async def test_an_app_that_does_not_answer_is_said_to_do_so(channel: Channel) -> None:
    channel.app.dead = True
    refused = await channel.post(f"objects/{channel.message('voucher')}/shortcuts/create_task")
    assert (refused.status_code, refused.text.split(".")[0]) == (409, "The app did not answer in time")


async def test_where_nobody_talks_there_is_nothing_to_say(channel: Channel) -> None:
    assert (await channel.place.post("/panes/github/messages", text="Hello")).status_code == 404
    assert (await channel.place.http.get("/panes/github/modal")).status_code == 404
