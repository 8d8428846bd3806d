"""What people do with the app in Slack, and what they get to see.

Slack waits 3 s for an answer, and a trigger opens a modal for 3 s: so the modal is opened at once, empty,
and filled when the clerk has answered, whatever that takes. What is submitted is noted before Slack gets
its answer, and done by a pass.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeAlias

from slack_sdk.models.views import View as Modal

from connectors.errors import ConnectorError
from connectors.interactions import ME, Answer, Clerk, Interaction, Person, Place, Refused, What, Wish
from connectors.records import CLOSED, OPEN, Fields, Ref
from connectors.richtext.prose import literal
from connectors.slack import card, commands, modal
from connectors.slack.interactivity import (
    ASSIGN,
    ATTACH,
    COMMAND,
    COMMENT,
    COMPLETE,
    CREATE,
    REOPEN,
    SAY,
)
from connectors.slack.modal import About
from connectors.slack.texts import escaped, options
from connectors.slack.translate import View, content, text_of, thread_ref, title_of

Payload: TypeAlias = Mapping[str, Any]

_TROUBLE = "That did not work just now. Nothing was done: try again in a moment."
_NOWHERE = "No project is allowed in this channel. An admin can allow one: a mapping joins the two."
_WANTED = {CREATE: What.CAPTURE, ATTACH: What.ATTACH, COMMENT: What.COMMENT}
"""What a submitted modal asks for."""
_PRESSED: Mapping[str, Fields] = {
    COMPLETE: {"state": CLOSED},
    REOPEN: {"state": OPEN},
    ASSIGN: {"assignee": ME},
}
"""What a pressed button of the card changes."""


class Screen(Protocol):
    """What is needed of Slack's client."""

    async def open_view(self, trigger: str, view: dict[str, Any]) -> Payload: ...
    async def update_view(self, id: str, view: dict[str, Any]) -> None: ...
    async def whisper(self, channel: str, user: str, message: dict[str, Any], thread: str = "") -> None: ...
    async def post(self, channel: str, message: dict[str, Any]) -> Payload: ...
    async def user(self, id: str) -> Payload: ...


@dataclass(slots=True)
class FrontDesk:
    """For one workspace, ``team``."""

    screen: Screen
    team: str
    known: Callable[[], Awaitable[View]]
    """Whom the workspace has: a title names people as they are called there."""
    _persons: dict[str, Person] = field(default_factory=dict)

    async def answer(self, interaction: Interaction, clerk: Clerk) -> Answer:
        """Whatever the app does not offer is answered with nothing."""
        asked: Payload = interaction.payload
        if interaction.kind == COMMAND:
            return self._command(asked, clerk)
        if interaction.kind == "message_action":
            return Answer(then=partial(self._open, asked, clerk))
        if interaction.kind == "view_submission":
            return await self._submitted(asked, clerk)
        if interaction.kind == "block_suggestion":
            return await self._suggested(asked, clerk)
        if interaction.kind == "block_actions":
            press = self._changed if asked.get("view") else self._pressed
            return Answer(then=partial(press, asked, asked["actions"][0], clerk))
        return Answer()

    # the modal

    async def _open(self, asked: Payload, clerk: Clerk) -> None:
        message, channel = asked["message"], str(asked["channel"]["id"])
        title = "Create Asana task"
        opened = await self.screen.open_view(str(asked["trigger_id"]), modal.loading(title).to_dict())
        about = About(
            channel=channel,
            ts=str(message.get("thread_ts") or message["ts"]),
        )
        try:
            view = await self._first(asked, about, clerk)
        except Refused as refusal:
            view = modal.told(title, refusal.reason)
        except ConnectorError:
            view = modal.told(title, _TROUBLE)
        await self.screen.update_view(str(opened["id"]), view.to_dict())

    async def _first(self, asked: Payload, about: About, clerk: Clerk) -> Modal:
        person = await self._person(asked["user"])
        if person.outsider:
            raise Refused(person.outsider)
        places = await clerk.places(about.channel)
        if not places:
            raise Refused(_NOWHERE)
        said = asked["message"]
        title = title_of(said, text_of(said, await self.known()))
        about = replace(about, place=places[0].id, title=title)
        return modal.create(about, about.title, places, await clerk.form(about.channel, about.place))

    async def _changed(self, asked: Payload, action: Payload, clerk: Clerk) -> None:
        """Another project, or the other form."""
        view = asked["view"]
        about, now = About.of(view), modal.entered(view)
        about = replace(about, place=now.place, title=str(now.fields.get(modal.TITLE) or about.title))
        places = await clerk.places(about.channel)
        if action["action_id"] == modal.PLACE and action.get("selected_option"):
            about = replace(about, place=str(action["selected_option"]["value"]))
        attaching = view["callback_id"] == ATTACH
        if action["action_id"] == modal.TO_ATTACH or (attaching and action["action_id"] == modal.PLACE):
            place = next((each for each in places if each.id == about.place), Place(id=about.place, name="–"))
            shown = modal.attach(about, about.title, places, place)
        else:
            form = await clerk.form(about.channel, about.place)
            shown = modal.create(about, about.title, places, form)
        await self.screen.update_view(str(view["id"]), shown.to_dict())

    async def _submitted(self, asked: Payload, clerk: Clerk) -> Answer:
        view = asked["view"]
        wanted = _WANTED[view["callback_id"]]
        about, given = About.of(view), modal.entered(view)
        try:
            await clerk.take(
                Wish(
                    key=f"view {view['id']}",
                    what=wanted,
                    by=await self._person(asked["user"]),
                    container=about.channel,
                    about=self._ref(about),
                    place=given.place,
                    task=given.task,
                    fields=given.fields if wanted is What.CAPTURE else {},
                    text=literal(given.text),
                    whole_thread=given.whole_thread,
                    in_step=given.in_step,
                )
            )
        except Refused as refusal:
            errors = given.errors(refusal.field, refusal.reason)
            return _json({"response_action": "errors", "errors": errors})
        return Answer()

    async def _suggested(self, asked: Payload, clerk: Clerk) -> Answer:
        about, given = About.of(asked["view"]), modal.entered(asked["view"])
        typed, action = str(asked.get("value") or ""), str(asked["action_id"])
        found: dict[str, str] = {}
        try:
            if action == modal.PLACE:
                found = {place.id: place.name for place in await clerk.places(about.channel, typed)}
            elif action == modal.TASK:
                tasks = await clerk.tasks(about.channel, typed)
                found = {task.id: task.title for task in tasks if task.place == given.place}
            elif action == modal.ASSIGNEE:
                people = await clerk.people(about.channel, given.place, typed)
                found = {user.id: user.name for user in people}
        except Refused:
            found = {}
        return _json({"options": [each.to_dict() for each in options(found)]})

    # buttons

    async def _pressed(self, asked: Payload, action: Payload, clerk: Clerk) -> None:
        message, channel = asked["message"], str(asked["channel"]["id"])
        about = About(channel=channel, ts=str(message.get("thread_ts") or message["ts"]))
        person = await self._person(asked["user"])
        try:
            if action["action_id"] == SAY:
                if person.outsider:
                    raise Refused(person.outsider)
                await self.screen.open_view(str(asked["trigger_id"]), modal.comment(about).to_dict())
            else:
                await clerk.take(
                    Wish(
                        key=f"press {asked['trigger_id']}",
                        what=What.CHANGE,
                        by=person,
                        container=channel,
                        about=self._ref(about),
                        fields=_PRESSED[action["action_id"]],
                    )
                )
        except Refused as refusal:
            await self.screen.whisper(channel, person.id, {"text": escaped(refusal.reason)}, about.ts)

    # /asana

    def _command(self, asked: Payload, clerk: Clerk) -> Answer:
        command = commands.parse(str(asked["text"]))
        if command.word == "help":
            return _json({"response_type": "ephemeral", "text": commands.HELP})
        return Answer(then=partial(self._run, command, asked, clerk))

    async def _run(self, command: commands.Command, asked: Payload, clerk: Clerk) -> None:
        channel, user = str(asked["channel_id"]), str(asked["user_id"])
        try:
            said = await self._said(command, asked, clerk)
        except Refused as refusal:
            said = {"text": escaped(refusal.reason)}
        except ConnectorError:
            said = {"text": _TROUBLE}
        if said:
            await self.screen.whisper(channel, user, said)

    async def _said(self, command: commands.Command, asked: Payload, clerk: Clerk) -> dict[str, Any]:
        """What the person alone gets to see; nothing where the channel shows it."""
        channel, text = str(asked["channel_id"]), command.text
        person = await self._person({"id": asked["user_id"], "team_id": asked.get("team_id")})
        if person.outsider:
            raise Refused(person.outsider)
        places = await clerk.places(channel)
        if not places:
            raise Refused(_NOWHERE)
        if command.word == "mine":
            return card.listing("Your open tasks", await clerk.tasks(channel, assignee=person))
        tasks = await clerk.tasks(channel, text) if command.word in ("search", "link") else ()
        if command.word == "search":
            return card.listing(f"Tasks with “{text}”" if tasks else f"No task with “{text}”", tasks)
        if command.word == "link" and len(tasks) != 1:
            raise Refused("No task of this channel's projects has that address.")
        title = tasks[0].title if tasks else text
        posted = await self.screen.post(channel, content(title, f"*{literal(person.name)}*", None))
        about = thread_ref(self.team, channel, str(posted["ts"]))
        key = f"command {asked['trigger_id']}"
        await clerk.take(
            Wish(
                key=key,
                what=What.ATTACH,
                by=person,
                container=channel,
                about=about,
                place=tasks[0].place,
                task=tasks[0].id,
            )
            if tasks
            else Wish(
                key=key,
                what=What.CAPTURE,
                by=person,
                container=channel,
                about=about,
                place=places[0].id,
                fields={"title": text},
            )
        )
        return {}

    def _ref(self, about: About) -> Ref:
        return thread_ref(self.team, about.channel, about.ts)

    async def _person(self, user: Payload) -> Person:
        """Who it is, as Slack vouches for it; asked for once."""
        id = str(user["id"])
        if id not in self._persons:
            self._persons[id] = person_of(await self.screen.user(id), self.team)
        return self._persons[id]


def person_of(user: Payload, team: str) -> Person:
    """A user as ``users.info`` tells of it (https://docs.slack.dev/reference/objects/user-object)."""
    profile = user.get("profile") or {}
    name = profile.get("real_name") or user.get("real_name") or user.get("name") or user["id"]
    outsider = ""
    if user.get("is_stranger") or user.get("team_id", team) != team:
        outsider = "Only members of this workspace can do that: you belong to another organisation."
    elif user.get("is_restricted") or user.get("is_ultra_restricted"):
        outsider = "Guests cannot do that: ask a member of this workspace."
    elif user.get("deleted") or user.get("is_bot"):
        outsider = "Only people of this workspace can do that."
    return Person(id=str(user["id"]), name=str(name), outsider=outsider)


def _json(document: dict[str, Any]) -> Answer:
    body = json.dumps(document).encode()
    return Answer(headers={"content-type": "application/json"}, body=body)
