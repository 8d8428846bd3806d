"""A simulated Slack workspace with one installed app: the people who work in it, and the Web API.

It is served at one address: the API below ``/api``, files, response URLs. Switches: ``limits.on``
(tiers, and one message a second in a channel), ``chat.distributed``, ``sender.twice``, ``sender.hourly``,
``sender.retries_after_s``, ``oauth`` (the app was authorised, and has tokens that end, in place of a bot
token), ``views``' triggers end with the clock. What is done in modals and with commands
is asynchronous, because the app's answer counts::

    simulator.install("http://127.0.0.1:8000/webhooks/acme-slack/...")
    opened = await simulator.shortcut("ada", message, "create_task")
    done = await simulator.submit(opened.view["id"], {"title": {"title": "A task"}}, "ada")
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from connectors.simulation import Clock, Exchange, Refused, Simulator
from connectors.slack.config import NAME
from connectors.slack.interactivity import CREATE
from connectors.slack.simulated_api import Limits, WebApi
from connectors.slack.simulated_calls import args_of
from connectors.slack.simulated_chat_api import ChatApi
from connectors.slack.simulated_composer import compose
from connectors.slack.simulated_files_api import FilesApi
from connectors.slack.simulated_interactions import Interaction, Interactions
from connectors.slack.simulated_oauth import OAuthServer
from connectors.slack.simulated_people_api import PeopleApi
from connectors.slack.simulated_sending import ANSWER_WITHIN_S, Sender
from connectors.slack.simulated_socket import SocketMode
from connectors.slack.simulated_views import Views
from connectors.slack.simulated_workspace import PEOPLE, TEAM, Failed, Payload, Person, Workspace, message_id

DONE = "white_check_mark"

_PATIENCE_S = 20


class SlackSimulator(Simulator):
    """The workspace, and the people in it. An object's id is ``CHANNEL/TS``."""

    name: ClassVar[str] = NAME
    people = PEOPLE
    done: ClassVar[str] = DONE
    """The reaction that closes a thread."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock=clock)
        self.outbox.timeout_s = ANSWER_WITHIN_S
        self.signing_secret = secrets.token_hex(16)
        self.workspace = Workspace(self.clock, lambda: self.base_url)
        self.sender = Sender(self.clock, self.outbox, self.workspace, self.signing_secret)
        self.workspace.tell = self.sender.event
        self.views = Views(self.clock, self.workspace)
        self.interactions = Interactions(self.clock, self.workspace, self.sender, self.views)
        self.chat = ChatApi(
            self.workspace,
            lambda: self.visible_after_s,
            lambda: "chat:write.customize" in self.api.scopes,
        )
        self.limits = Limits(self.clock)
        self.socket_mode = SocketMode(self.workspace)
        self._files = FilesApi(self.workspace, lambda token: self.api.knows(token))
        self.oauth = False
        self.oauth_app = OAuthServer(self.clock)
        self.api = WebApi(
            self.oauth_app.fate,
            PeopleApi(self.workspace).methods(),
            self.chat.methods(),
            self._files.methods(),
            self.views.methods(),
            self.socket_mode.methods(),
            self.oauth_app.methods(),
        )

    # the app

    def connection(self, base_url: str) -> dict[str, Any]:
        settings = {"base_url": f"{base_url}/api", "files_url": base_url, "team": TEAM}
        credentials = self.oauth_app.credentials() if self.oauth else {"bot_token": self.api.token}
        if self.sender.socket is not None:
            credentials["app_token"] = self.api.app_token
            return {"settings": {**settings, "mode": "socket"}, "credentials": credentials}
        credentials["signing_secret"] = self.signing_secret
        return {"settings": settings, "credentials": credentials}

    def use_socket_mode(self) -> None:
        """An admin switches Socket Mode on: nothing is sent to addresses any more."""
        self.sender.socket = self.socket_mode

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.socket_mode.serve(WebSocket(scope, receive, send))

    def install(self, url: str, interactions: str = "") -> None:
        self.sender.urls.set_all(url, interactions or url)

    @property
    def whispers(self) -> list[Payload]:
        """What the app told one person alone."""
        return self.workspace.whispers

    def whispers_to(self, user: str) -> list[Payload]:
        return [each for each in self.whispers if each["user"] == PEOPLE[user].id]

    def modals_of(self, user: str) -> list[Payload]:
        """What is open at a person, the one on top last."""
        return self.views.of(PEOPLE[user].id)

    def routes(self) -> Sequence[BaseRoute]:
        return [
            *self.api.routes(),
            *self._files.routes(),
            *self.oauth_app.routes(),
            Route("/response/{path}", self._respond, methods=["POST"]),
        ]

    def admission(self, exchange: Exchange) -> Refused | None:
        return self.limits.admit(exchange)

    def refusal(self, refused: Refused) -> dict[str, Any]:
        return {"ok": False, "error": refused.message, **refused.extra}

    def did(self, exchange: Exchange) -> bool:
        answer = exchange.answer
        return super().did(exchange) and not (isinstance(answer, dict) and answer.get("ok") is False)

    async def _respond(self, request: Request) -> Response:
        try:
            await self.interactions.respond(request.path_params["path"], await args_of(request))
        except Failed as error:
            return PlainTextResponse(error.error, 404)
        return JSONResponse({"ok": True})

    # what people do in channels

    def new_container(self, name: str) -> str:
        return self.workspace.new_channel(name)

    def new(
        self, container: str, *, title: str, notes: str = "", by: str | None = None, **fields: Any
    ) -> str:
        """A message whose first line is the title. Fields: ``state``, ``reactions``."""
        typed = compose(f"{title}\n{notes}" if notes else title)
        posted = self.workspace.post(container, self._person(by), typed)
        id = message_id(container, posted["ts"])
        self.edit(id, by=by, **{name: fields[name] for name in fields if name in ("state", "reactions")})
        return id

    def edit(self, object_id: str, *, by: str | None = None, **fields: Any) -> None:
        """Its author changes ``title`` (the first line) and ``notes`` (the rest); whoever it is changes
        ``state`` (by a reaction) and ``reactions`` (all of their own)."""
        message = self._message(object_id)
        if "title" in fields or "notes" in fields:
            first, _, rest = _typed(message).partition("\n")
            typed = "\n".join(filter(None, [fields.get("title", first), fields.get("notes", rest)]))
            author = next(each for each in PEOPLE.values() if each.id == message["user"])
            self.workspace.change(message, author, compose(typed))
        if "state" in fields:
            self._set_reaction(object_id, DONE, self._person(by), fields["state"] == "closed")
        if "reactions" in fields:
            mine = self._reactions_of(object_id, self._person(by))
            for name in {*mine, *fields["reactions"]} - {DONE}:
                self._set_reaction(object_id, name, self._person(by), name in fields["reactions"])

    def comment(self, object_id: str, text: str, *, by: str | None = None, broadcast: bool = False) -> str:
        """A reply in the thread; ``broadcast`` also shows it in the channel."""
        root = self._message(object_id)
        reply = {**compose(text), "thread_ts": root["ts"]}
        posted = self.workspace.post(root["channel"], self._person(by), reply, broadcast=broadcast)
        return message_id(root["channel"], posted["ts"])

    def edit_comment(self, comment_id: str, text: str) -> None:
        message = self._message(comment_id)
        author = next(each for each in PEOPLE.values() if each.id == message["user"])
        self.workspace.change(message, author, compose(text))

    def delete_comment(self, comment_id: str) -> None:
        self.workspace.delete(self._message(comment_id))

    def attach(
        self, object_id: str, name: str, content: bytes, *, by: str | None = None, text: str = ""
    ) -> str:
        """A reply with a file."""
        root, person = self._message(object_id), self._person(by)
        file = self.workspace.new_file(name, content, person)
        reply = {**compose(text), "files": [file], "thread_ts": root["ts"]}
        self.workspace.post(root["channel"], person, reply)
        return str(file["id"])

    def remove(self, object_id: str, *, by: str | None = None) -> None:
        self.workspace.delete(self._message(object_id))

    def storm(self, object_id: str, times: int = 20) -> None:
        """``message_changed`` without any change of the text: unfurling, counting, detecting languages."""
        for _ in range(times):
            message = self._message(object_id)
            self.workspace.change(message, self._person(None), {"client_msg_id": "storm"}, edited=False)

    def view(self, object_id: str) -> dict[str, Any] | None:
        message = self.workspace.messages.get(object_id)
        if message is None or message.get("subtype") == "tombstone":
            return None
        title, _, notes = _typed(message).partition("\n")
        reactions: dict[str, list[str]] = {
            each["name"]: list(each["users"]) for each in message.get("reactions", ())
        }
        names = {person.id: name for name, person in PEOPLE.items()}
        replies = self.workspace.replies(message["channel"], message["ts"])
        files = [file for each in (message, *replies) for file in each.get("files", ())]
        return {
            "title": title,
            "notes": notes,
            "state": "closed" if DONE in reactions else "open",
            "assignee": None,
            "labels": [],
            "reactions": {name: [names[user] for user in users] for name, users in reactions.items()},
            "comments": [
                {
                    "id": message_id(each["channel"], each["ts"]),
                    "text": _typed(each),
                    "author": names.get(each["user"], each["user"]),
                    "message": each,
                }
                for each in replies
            ],
            "attachments": [
                {"id": file["id"], "name": file["name"], "content": self.workspace.contents[file["id"]]}
                for file in files
                if file.get("mode") != "tombstone"
            ],
            "message": message,
        }

    def objects(self, container: str) -> list[str]:
        return [
            message_id(container, each["ts"])
            for each in self.workspace.in_channel(container)
            if each.get("thread_ts", each["ts"]) == each["ts"] and each.get("subtype") != "tombstone"
        ]

    # what people do with the app

    async def shortcut(self, user: str, object_id: str | None, callback_id: str) -> Interaction:
        """Choose a shortcut of a message; None: a global one."""
        message = self._message(object_id) if object_id is not None else None
        return await self.interactions.shortcut(PEOPLE[user], callback_id, message)

    async def submit(self, view_id: str, values: Mapping[str, Mapping[str, Any]], user: str) -> Interaction:
        return await self.interactions.submit(view_id, values, PEOPLE[user])

    async def capture(self, object_id: str, title: str, *, by: str) -> None:
        await self.shortcut(by, object_id, CREATE)

        def filled_in() -> list[str]:
            return [view["id"] for view in self.views.of(PEOPLE[by].id) if "submit" in view]

        async with asyncio.timeout(_PATIENCE_S):
            while not filled_in():  # noqa: ASYNC110  (a view tells nobody that it changed)
                await asyncio.sleep(0.02)
        view = filled_in()[-1]
        await self.submit(view, {"title": {"title": {"type": "plain_text_input", "value": title}}}, by)

    async def press_card(self, object_id: str, button: str, *, by: str) -> None:
        card, action = self._buttons(object_id)[button]
        await self.press(by, action, object_id=card)

    def buttons(self, object_id: str) -> Sequence[str]:
        return list(self._buttons(object_id))

    def _buttons(self, object_id: str) -> dict[str, tuple[str, str]]:
        """Text -> message, and action id."""
        thread = self.view(object_id) or {"comments": ()}
        return {
            element["text"]["text"]: (reply["id"], element["action_id"])
            for reply in thread["comments"]
            for block in reply["message"].get("blocks", ())
            if block["type"] == "actions"
            for element in block["elements"]
            if element["type"] == "button"
        }

    async def cancel(self, view_id: str, user: str) -> Interaction:
        return await self.interactions.cancel(view_id, PEOPLE[user])

    async def press(
        self,
        user: str,
        action_id: str,
        *,
        view_id: str = "",
        object_id: str = "",
        values: Mapping[str, Mapping[str, Any]] | None = None,
        **state: Any,
    ) -> Interaction:
        """Press the button, or choose in the menu, that has this ``action_id`` in a view or a message.

        Args:
            values: what was typed into the view so far.
            state: of a menu what was chosen: ``selected_option={"value": ...}``.
        """
        message = self._message(object_id) if object_id else None
        blocks = message.get("blocks", []) if message else self.views.open[view_id]["blocks"]
        block_id, element = _element(blocks, action_id)
        shown: Payload = {name: element[name] for name in ("type", "text", "value") if name in element}
        action: Payload = {**shown, "action_id": action_id, "block_id": block_id, **state}
        return await self.interactions.press(
            action, PEOPLE[user], view_id=view_id, message=message, values=values
        )

    async def suggest(self, user: str, view_id: str, action_id: str, typed: str) -> Interaction:
        """Type into a menu whose options the app gives; the answer has them."""
        block_id, _ = _element(self.views.open[view_id]["blocks"], action_id)
        return await self.interactions.suggest(view_id, block_id, action_id, typed, PEOPLE[user])

    async def command(self, user: str, channel: str, command: str, text: str) -> Interaction:
        return await self.interactions.command(PEOPLE[user], channel, command, text)

    def _person(self, by: str | None) -> Person:
        return PEOPLE[by or "ada"]

    def _message(self, object_id: str) -> Payload:
        return self.workspace.messages[object_id]

    def _reactions_of(self, object_id: str, person: Person) -> set[str]:
        reactions = self._message(object_id).get("reactions", ())
        return {each["name"] for each in reactions if person.id in each["users"]}

    def _set_reaction(self, object_id: str, name: str, person: Person, on: bool) -> None:
        """Opening a thread takes everybody's reaction away: people ask each other to."""
        message = self._message(object_id)
        users = [each["users"] for each in message.get("reactions", ()) if each["name"] == name]
        if on and not (users and person.id in users[0]):
            self.workspace.react(message, name, person)
        elif not on and name == DONE:
            for user in users[0] if users else ():
                by = next(each for each in PEOPLE.values() if each.id == user)
                self.workspace.unreact(self._message(object_id), name, by)
        elif not on and users and person.id in users[0]:
            self.workspace.unreact(message, name, person)


def _typed(message: Payload) -> str:
    """The text as a person would type it again; of the app's own messages what is shown."""
    if message.get("bot_id") and message.get("blocks"):
        return "\n".join(filter(None, map(_shown, message["blocks"])))
    text: str = message.get("text", "")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown(block: Payload) -> str:
    """The words in a block, in order, whatever holds them."""
    text = block.get("text")
    if isinstance(text, dict):
        return _shown(text)
    between = "\n" if block.get("type") in ("rich_text", "rich_text_list") else ""
    inner = between.join(map(_shown, block.get("elements", ())))
    return str(text or inner or block.get("url", ""))


def _element(blocks: Sequence[Payload], action_id: str) -> tuple[str, Payload]:
    """Block id and element with this action id."""
    for block in blocks:
        single = (block.get("element"), block.get("accessory"))
        for element in (*(each for each in single if each), *block.get("elements", ())):
            if element.get("action_id") == action_id:
                return block.get("block_id", ""), element
    raise LookupError(f"there is no {action_id} to press")
