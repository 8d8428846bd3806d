"""The simulated Slack as an app sees it: modals, buttons, commands, menus, and their limits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.signing import matches
from connectors.simulation import serve, serve_app
from connectors.slack.simulator import SlackSimulator

MODAL: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "New task"},
    "submit": {"type": "plain_text", "text": "Create"},
    "blocks": [
        {
            "type": "input",
            "block_id": "title",
            "label": {"type": "plain_text", "text": "Title"},
            "element": {"type": "plain_text_input", "action_id": "title", "initial_value": "Suggested"},
        },
        {
            "type": "actions",
            "block_id": "choices",
            "elements": [
                {"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}},
                {"type": "external_select", "action_id": "project"},
            ],
        },
    ],
}


@dataclass
class App:
    """An app that answers what ``answers`` says, and keeps what it was sent."""

    secret: str
    answers: list[Any] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        signed = f"v0:{request.headers['x-slack-request-timestamp']}:".encode() + body
        assert matches(self.secret, signed, request.headers["x-slack-signature"], "v0=")
        if request.headers["content-type"] == "application/json":
            payload = json.loads(body)
        else:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            payload = json.loads(form["payload"]) if "payload" in form else form
        self.received.append(payload | {"retry": request.headers.get("x-slack-retry-num")})
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, int):
            response = Response(status_code=answer)
        else:
            response = Response() if answer is None else JSONResponse(answer)
        await response(scope, receive, send)


@dataclass
class Desk:
    simulator: SlackSimulator
    app: App
    client: httpx.AsyncClient
    channel: str
    message: str

    async def call(self, method: str, **args: Any) -> dict[str, Any]:
        response = await self.client.post(f"/api/{method}", json=args)
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    simulator = SlackSimulator()
    app = App(simulator.signing_secret)
    async with serve(simulator) as url, serve_app(app) as target:
        headers = {"authorization": f"Bearer {simulator.api.token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            channel = simulator.new_container("website")
            message = simulator.new(channel, title="The footer is broken", by="bob")
            simulator.install(target)
            yield Desk(simulator, app, client, channel, message)


async def test_a_shortcut_opens_a_modal_that_is_submitted(desk: Desk) -> None:
    asked = await desk.simulator.shortcut("ada", desk.message, "create_task")
    assert (asked.status, asked.opened) == (200, ())
    payload = desk.app.received[-1]
    assert (payload["type"], payload["callback_id"], payload["user"]["id"]) == (
        "message_action",
        "create_task",
        desk.simulator.people["ada"].id,
    )
    assert payload["message"]["text"] == "The footer is broken"
    opened = await desk.call("views.open", trigger_id=payload["trigger_id"], view=MODAL)
    assert opened["ok"]
    again = await desk.call("views.open", trigger_id=payload["trigger_id"], view=MODAL)
    assert again["error"] == "exchanged_trigger_id"

    view = opened["view"]["id"]
    desk.app.answers.append({"response_action": "errors", "errors": {"title": "Too short"}})
    refused = await desk.simulator.submit(view, {"title": {"title": "x"}}, "ada")
    assert refused.errors == {"title": "Too short"}
    assert [each["id"] for each in refused.opened] == [view]
    done = await desk.simulator.submit(view, {}, "ada")
    assert desk.app.received[-1]["view"]["state"]["values"]["title"]["title"]["value"] == "x"
    assert done.opened == ()


async def test_what_nobody_touched_is_submitted_as_it_was(desk: Desk) -> None:
    asked = await desk.simulator.shortcut("ada", None, "create_task")
    opened = await desk.call("views.open", trigger_id=asked.payload["trigger_id"], view=MODAL)
    await desk.simulator.submit(opened["view"]["id"], {}, "ada")
    assert desk.app.received[-1]["view"]["state"]["values"]["title"]["title"]["value"] == "Suggested"


async def test_a_trigger_ends_after_three_seconds(desk: Desk) -> None:
    asked = await desk.simulator.shortcut("ada", desk.message, "create_task")
    desk.simulator.clock.advance(3)
    answer = await desk.call("views.open", trigger_id=asked.payload["trigger_id"], view=MODAL)
    assert answer["error"] == "expired_trigger_id"


async def test_a_view_is_updated_under_its_hash(desk: Desk) -> None:
    asked = await desk.simulator.shortcut("ada", desk.message, "create_task")
    view = (await desk.call("views.open", trigger_id=asked.payload["trigger_id"], view=MODAL))["view"]
    updated = await desk.call("views.update", view_id=view["id"], hash=view["hash"], view=MODAL)
    assert updated["ok"]
    late = await desk.call("views.update", view_id=view["id"], hash=view["hash"], view=MODAL)
    assert late["error"] == "hash_conflict"


async def test_buttons_and_menus_of_a_view(desk: Desk) -> None:
    asked = await desk.simulator.shortcut("ada", desk.message, "create_task")
    view = (await desk.call("views.open", trigger_id=asked.payload["trigger_id"], view=MODAL))["view"]["id"]
    pressed = await desk.simulator.press("ada", "more", view_id=view, values={"title": {"title": "Typed"}})
    payload = desk.app.received[-1]
    assert payload["actions"][0]["action_id"] == "more"
    assert payload["view"]["state"]["values"]["title"]["title"]["value"] == "Typed"
    pushed = await desk.call("views.push", trigger_id=pressed.payload["trigger_id"], view=MODAL)
    assert pushed["view"]["previous_view_id"] == view
    desk.app.answers.append({"options": [{"text": {"type": "plain_text", "text": "Web"}, "value": "1"}]})
    found = await desk.simulator.suggest("ada", view, "project", "we")
    assert found.answer["options"][0]["value"] == "1"
    assert desk.app.received[-1]["value"] == "we"


async def test_buttons_of_a_message(desk: Desk) -> None:
    button = {
        "type": "button",
        "action_id": "done",
        "value": "7",
        "text": {"type": "plain_text", "text": "Done"},
    }
    blocks = [{"type": "actions", "block_id": "card", "elements": [button]}]
    posted = await desk.call("chat.postMessage", channel=desk.channel, text="Card", blocks=blocks)
    pressed = await desk.simulator.press("bob", "done", object_id=f"{desk.channel}/{posted['ts']}")
    assert pressed.payload["actions"][0]["value"] == "7"
    answer = await desk.client.post(
        pressed.payload["response_url"], json={"replace_original": True, "text": "Done by Bob"}
    )
    assert answer.status_code == 200
    shown = desk.simulator.view(f"{desk.channel}/{posted['ts']}")
    assert shown is not None
    assert shown["title"] == "Done by Bob"


async def test_a_command_is_answered_to_its_sender_alone(desk: Desk) -> None:
    desk.app.answers.append({"response_type": "ephemeral", "text": "Nothing found"})
    told = await desk.simulator.command("ada", desk.channel, "/asana", "search footer")
    assert desk.app.received[-1]["text"] == "search footer"
    assert [each["text"] for each in told.said] == ["Nothing found"]
    for _ in range(5):
        assert (await desk.client.post(told.payload["response_url"], json={"text": "More"})).is_success
    assert (
        await desk.client.post(told.payload["response_url"], json={"text": "Too much"})
    ).status_code == 404


@pytest.mark.parametrize(
    "view",
    [
        {**MODAL, "title": {"type": "plain_text", "text": "x" * 25}},
        {**MODAL, "blocks": MODAL["blocks"] * 60},
        {**MODAL, "private_metadata": "x" * 3001},
        {name: value for name, value in MODAL.items() if name != "submit"},
    ],
    ids=["title", "blocks", "metadata", "submit"],
)
async def test_views_beyond_the_limits_are_refused(desk: Desk, view: dict[str, Any]) -> None:
    asked = await desk.simulator.shortcut("ada", desk.message, "create_task")
    answer = await desk.call("views.open", trigger_id=asked.payload["trigger_id"], view=view)
    assert answer["error"] == "invalid_arguments"


async def test_an_event_is_repeated_until_it_is_taken(desk: Desk) -> None:
    desk.simulator.sender.retries_after_s = (0.0, 0.01, 0.02)
    desk.app.answers += [500, 503]
    desk.simulator.comment(desk.message, "A word", by="bob")
    await desk.simulator.outbox.idle()
    assert [each["retry"] for each in desk.app.received] == [None, "1", "2"]
    assert len({each["event_id"] for each in desk.app.received}) == 1


async def test_the_app_is_asked_for_the_challenge(desk: Desk) -> None:
    assert not await desk.simulator.sender.verify(desk.simulator.sender.urls.events)


async def test_limits_count_where_they_are_on(desk: Desk) -> None:
    desk.simulator.limits.on = True
    assert (await desk.call("chat.postMessage", channel=desk.channel, text="One"))["ok"]
    limited = await desk.client.post("/api/chat.postMessage", json={"channel": desk.channel, "text": "Two"})
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    assert len(desk.simulator.objects(desk.channel)) == 2
