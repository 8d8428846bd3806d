"""What people do with an app's shortcuts, modals, buttons and commands in a simulated Slack.

https://docs.slack.dev/interactivity/handling-user-interaction: each is one signed, form-encoded call,
or one envelope of Socket Mode, which the app answers within 3 s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.simulation import Clock
from connectors.slack.simulated_blocks import check_options
from connectors.slack.simulated_calls import Args
from connectors.slack.simulated_sending import Sender
from connectors.slack.simulated_views import Views, outside
from connectors.slack.simulated_workspace import APP, TEAM, Failed, Payload, Person, Workspace, shown

_RESPONSE_LIVES = timedelta(minutes=30)
_RESPONSE_USES = 5


@dataclass(frozen=True, slots=True)
class Interaction:
    """One call of the app and its answer; ``status`` None: it did not answer within 3 s."""

    payload: Payload = field(repr=False)
    status: int | None
    answer: Any = None
    opened: tuple[Payload, ...] = ()
    """Views that are open at the person now, the one on top last."""
    said: tuple[Payload, ...] = ()
    """What the person alone was told meanwhile: ephemeral messages and answers to ``response_url``."""

    @property
    def errors(self) -> Mapping[str, str]:
        """Of a submitted view: block id -> message."""
        answer = self.answer if isinstance(self.answer, dict) else {}
        return dict(answer.get("errors", {})) if answer.get("response_action") == "errors" else {}

    @property
    def view(self) -> Payload:
        """The view on top."""
        return self.opened[-1]


@dataclass(slots=True)
class _ResponseUrl:
    channel: str
    user: str
    until: datetime
    left: int = _RESPONSE_USES
    message_ts: str = ""


class Interactions:
    """Makes the calls."""

    def __init__(self, clock: Clock, workspace: Workspace, sender: Sender, views: Views) -> None:
        self._clock = clock
        self._workspace = workspace
        self._sender = sender
        self._views = views
        self._response_urls: dict[str, _ResponseUrl] = {}

    async def shortcut(self, person: Person, callback_id: str, message: Payload | None = None) -> Interaction:
        """Choose a shortcut: of a message, or the app's own (global)."""
        payload: Payload = {
            "type": "message_action" if message else "shortcut",
            "callback_id": callback_id,
            "trigger_id": self._views.trigger(person.id),
            "action_ts": self._workspace.next_ts(),
        }
        if message:
            payload |= {
                "channel": self._named(message["channel"]),
                "message_ts": message["ts"],
                "message": shown(message),
                "response_url": self._response_url(message["channel"], person),
            }
        return await self._interact(person, payload)

    async def submit(
        self, view_id: str, values: Mapping[str, Mapping[str, Any]], person: Person
    ) -> Interaction:
        """Press a modal's Submit. ``values``: block id -> action id -> the element's state, or its text."""
        view = self._typed(view_id, values)
        interaction = await self._interact(
            person,
            {
                "type": "view_submission",
                "trigger_id": self._views.trigger(person.id, view_id),
                "view": outside(view),
                "response_urls": [],
            },
        )
        if interaction.status == 200:
            self._act(view_id, interaction.answer or {}, person)
        return self._now(interaction, person)

    async def cancel(self, view_id: str, person: Person) -> Interaction:
        """Close a modal without sending it."""
        view = self._views.open[view_id]
        self._views.close(view_id)
        return await self._interact(
            person, {"type": "view_closed", "view": outside(view), "is_cleared": False}
        )

    async def press(
        self,
        action: Mapping[str, Any],
        person: Person,
        *,
        view_id: str = "",
        message: Payload | None = None,
        values: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Interaction:
        """Press a button or choose in a menu of a view or of a message. ``action``: ``action_id``,
        ``block_id``, ``type``, and ``value`` or ``selected_option``."""
        payload: Payload = {
            "type": "block_actions",
            "trigger_id": self._views.trigger(person.id, view_id or None),
            "actions": [{**action, "action_ts": self._workspace.next_ts()}],
        }
        if message is None:
            view = self._typed(view_id, values or {})
            payload |= {"view": outside(view), "container": {"type": "view", "view_id": view_id}}
        else:
            channel = message["channel"]
            payload |= {
                "channel": self._named(channel),
                "message": shown(message),
                "container": {
                    "type": "message",
                    "message_ts": message["ts"],
                    "channel_id": channel,
                    "is_ephemeral": False,
                },
                "response_url": self._response_url(channel, person, message["ts"]),
            }
        return await self._interact(person, payload)

    async def suggest(
        self, view_id: str, block_id: str, action_id: str, typed: str, person: Person
    ) -> Interaction:
        """Type into a menu whose options the app gives; Slack shows none where they break a limit."""
        payload: Payload = {
            "type": "block_suggestion",
            "block_id": block_id,
            "action_id": action_id,
            "value": typed,
            "view": outside(self._views.open[view_id]),
            "container": {"type": "view", "view_id": view_id},
        }
        interaction = await self._interact(person, payload, url=self._sender.urls.options)
        problems = list(check_options(interaction.answer or {}))
        if problems:
            raise Failed("; ".join(problems))
        return interaction

    async def command(self, person: Person, channel: str, command: str, text: str) -> Interaction:
        """Type a slash command. An answer with text is seen by the person alone, or by all ("in_channel")."""
        form = {
            "token": "verification-token",
            "team_id": TEAM,
            "team_domain": "acme",
            "channel_id": channel,
            "channel_name": self._named(channel)["name"],
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._response_url(channel, person),
            "trigger_id": self._views.trigger(person.id),
        }
        before = len(self._workspace.whispers)
        if (answer := await self._sender.over_socket("slash_commands", form)) is not None:
            status: int | None = 200
        else:
            status, answer = await self._sender.ask(self._sender.urls.commands, form)
        if status == 200 and answer:
            self._say(channel, person.id, answer if isinstance(answer, dict) else {"text": answer})
        return self._now(Interaction(form, status, answer), person, before)

    async def respond(self, path: str, args: Args) -> None:
        """A call of the app to a ``response_url``."""
        known = self._response_urls.get(path)
        if known is None or known.left == 0 or self._clock.now() >= known.until:
            raise Failed("used_url")
        known.left -= 1
        message = dict(args.given)
        if message.get("delete_original") or message.get("replace_original"):
            if known.message_ts:
                original = self._workspace.message(known.channel, known.message_ts)
                if message.get("delete_original"):
                    self._workspace.delete(original)
                else:
                    shown = {"blocks": [], **_content(message)}  # what is not named is not kept
                    self._workspace.change(original, self._person_of_app(), shown)
            return
        self._say(known.channel, known.user, message)

    async def _interact(self, person: Person, payload: Payload, *, url: str = "") -> Interaction:
        payload = {
            **payload,
            "token": "verification-token",
            "api_app_id": APP,
            "team": {"id": TEAM, "domain": "acme"},
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team},
            "is_enterprise_install": False,
            "enterprise": None,
        }
        before = len(self._workspace.whispers)
        if (answer := await self._sender.over_socket("interactive", payload)) is not None:
            return self._now(Interaction(payload, 200, answer), person, before)
        target = url or self._sender.urls.interactivity
        status, answer = await self._sender.ask(target, {"payload": json.dumps(payload)})
        return self._now(Interaction(payload, status, answer), person, before)

    def _now(self, interaction: Interaction, person: Person, before: int | None = None) -> Interaction:
        """With what is on the person's screen after it."""
        said = interaction.said
        if before is not None:
            said = tuple(each for each in self._workspace.whispers[before:] if each["user"] == person.id)
        opened = tuple(self._views.of(person.id))
        return Interaction(interaction.payload, interaction.status, interaction.answer, opened, said)

    def _act(self, view_id: str, answer: Any, person: Person) -> None:
        """What the answer to a submitted view asks for; an empty one closes it."""
        action = answer.get("response_action") if isinstance(answer, dict) else None
        if action == "errors":
            blocks = {block.get("block_id") for block in self._views.open[view_id]["blocks"]}
            if not set(answer["errors"]) <= blocks:
                raise Failed("errors name blocks that are not there")
        elif action == "update":
            self._views.replace(view_id, answer["view"])
        elif action == "push":
            self._views.put(person.id, answer["view"], above=view_id)
        elif action == "clear":
            self._views.clear(view_id)
        else:
            self._views.close(view_id)

    def _typed(self, view_id: str, values: Mapping[str, Mapping[str, Any]]) -> Payload:
        """The view with what a person entered."""
        view = self._views.open[view_id]
        elements = {
            (block.get("block_id"), block.get("element", {}).get("action_id")): block.get("element", {})
            for block in view["blocks"]
        }
        state = {**view["state"]["values"]}
        for (block_id, action_id), element in elements.items():
            if element and action_id is not None:
                state.setdefault(block_id, {action_id: _initial(element)})
        for block_id, actions in values.items():
            state[block_id] = {
                action_id: given if isinstance(given, dict) else {"type": "plain_text_input", "value": given}
                for action_id, given in actions.items()
            }
        self._views.open[view_id] = {**view, "state": {"values": state}}
        return self._views.open[view_id]

    def _named(self, channel: str) -> Payload:
        if channel not in self._workspace.channels:
            raise Failed("channel_not_found")
        return {"id": channel, "name": self._workspace.channels[channel]["name"]}

    def _response_url(self, channel: str, person: Person, message_ts: str = "") -> str:
        path = self._workspace.next_id("response")
        until = self._clock.now() + _RESPONSE_LIVES
        self._response_urls[path] = _ResponseUrl(channel, person.id, until, message_ts=message_ts)
        return f"{self._workspace.base_url}/response/{path}"

    def _say(self, channel: str, user: str, message: Payload) -> None:
        if message.get("response_type") == "in_channel":
            self._workspace.post(channel, self._person_of_app(), _content(message))
        else:
            self._workspace.whisper(channel, user, _content(message))

    def _person_of_app(self) -> Person:
        return self._workspace.app


def _content(message: Payload) -> Payload:
    return {name: message[name] for name in ("text", "blocks") if name in message}


def _initial(element: Mapping[str, Any]) -> Payload:
    """What an element holds that nobody touched."""
    names = {
        "initial_value": "value",
        "initial_option": "selected_option",
        "initial_options": "selected_options",
        "initial_date": "selected_date",
        "initial_user": "selected_user",
        "initial_conversation": "selected_conversation",
    }
    state: Payload = {"type": element["type"]}
    for initial, name in names.items():
        if initial in element:
            state[name] = element[initial]
    if element["type"] == "plain_text_input":
        state.setdefault("value", None)
    return state
