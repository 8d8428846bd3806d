"""What people do with the app in Slack, beside typing commands, and what they get to see.

Slack waits 3 s for an answer, and a trigger opens a modal for 3 s: so the modal is opened at once, empty,
and filled when the clerk has answered, whatever that takes. What is submitted is noted before Slack gets
its answer, and done by a pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeAlias

from slack_sdk.models.views import View as Modal

from connectors.errors import ConnectorError
from connectors.interactions import ME, Answer, Clerk, Form, Interaction, Person, Place, Refused, What, Wish
from connectors.records import CLOSED, OPEN, Fields, Ref
from connectors.richtext.prose import literal
from connectors.slack import modal
from connectors.slack.askers import Askers
from connectors.slack.interactivity import (
    ASSIGN,
    ATTACH,
    COMMENT,
    COMPLETE,
    CREATE,
    REOPEN,
    SAY,
    answered,
)
from connectors.slack.modal import About
from connectors.slack.people import View
from connectors.slack.places import thread_ref
from connectors.slack.said import text_of
from connectors.slack.texts import NO_FIELDS, NOWHERE, TROUBLE, escaped, options
from connectors.slack.translate import in_one_line, title_of

Payload: TypeAlias = Mapping[str, Any]

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


@dataclass(slots=True)
class FrontDesk:
    """For one workspace, ``team``."""

    screen: Screen
    team: str
    askers: Askers
    known: Callable[[], Awaitable[View]]
    """Whom the workspace has: a title names people as they are called there."""

    async def answer(self, interaction: Interaction, clerk: Clerk) -> Answer:
        """Whatever the app does not offer is answered with nothing."""
        asked: Payload = interaction.payload
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
        about = About(channel=channel, ts=str(message.get("thread_ts") or message["ts"]))
        try:
            opened = await self.screen.open_view(str(asked["trigger_id"]), modal.loading(title).to_dict())
        except ConnectorError:  # a trigger lives for 3 s: the person has to begin again
            await self.screen.whisper(channel, str(asked["user"]["id"]), {"text": TROUBLE}, about.ts)
            raise
        view = modal.told(title, TROUBLE)
        try:
            with suppress(ConnectorError):
                view = await self._first(asked, about, clerk)
        except Refused as refusal:
            view = modal.told(title, refusal.reason)
        finally:  # also where our own side fails: nobody is left before an empty window
            await self.screen.update_view(str(opened["id"]), view.to_dict())

    async def _first(self, asked: Payload, about: About, clerk: Clerk) -> Modal:
        await self._asker(asked)
        places = await clerk.places(about.channel)
        if not places:
            raise Refused(NOWHERE)
        known = await clerk.task_of(self._ref(about))
        if known is not None:
            return modal.there_is(known)
        said = asked["message"]
        text = text_of(said, (await self.known()).names)
        about = replace(
            about,
            place=places[0].id,
            title=title_of(said, text),
            said=in_one_line(text)[: modal.LONGEST_SAID],
        )
        return modal.create(about, places, await clerk.form(about.channel, about.place))

    async def _changed(self, asked: Payload, action: Payload, clerk: Clerk) -> None:
        """Another project, or the other form."""
        view = asked["view"]
        try:
            shown = await self._other(view, action, clerk)
        except Refused as refusal:
            shown = modal.stopped(refusal.reason)
        await self.screen.update_view(str(view["id"]), shown.to_dict())

    async def _other(self, view: Payload, action: Payload, clerk: Clerk) -> Modal:
        about, now = About.of(view), modal.entered(view)
        about = replace(about, place=now.place, title=str(now.fields.get(modal.TITLE) or about.title))
        places = await clerk.places(about.channel)
        if action["action_id"] == modal.PLACE and action.get("selected_option"):
            about = replace(about, place=str(action["selected_option"]["value"]))
        attaching = view["callback_id"] == ATTACH
        if action["action_id"] == modal.TO_ATTACH or (attaching and action["action_id"] == modal.PLACE):
            return modal.attach(about, places, _chosen(about, places))
        form, trouble = await self._form(about, places, clerk)
        return modal.create(about, places, form, trouble)

    async def _form(self, about: About, places: Sequence[Place], clerk: Clerk) -> tuple[Form, str]:
        """What can be filled in there, and why that is nothing but the title."""
        try:
            return await clerk.form(about.channel, about.place), ""
        except Refused as refusal:
            return Form(place=_chosen(about, places)), refusal.reason
        except ConnectorError:
            return Form(place=_chosen(about, places)), NO_FIELDS

    async def _submitted(self, asked: Payload, clerk: Clerk) -> Answer:
        view = asked["view"]
        wanted = _WANTED[view["callback_id"]]
        try:
            about, given = About.of(view), modal.entered(view)
        except Refused as refusal:  # in the form's place: nobody knows what fields it has
            shown = modal.stopped(refusal.reason)
            return answered({"response_action": "update", "view": shown.to_dict()})
        try:
            await clerk.take(
                Wish(
                    key=f"view {view['id']}",
                    what=wanted,
                    by=await self._asker(asked),
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
            return answered({"response_action": "errors", "errors": errors})
        return Answer()

    async def _suggested(self, asked: Payload, clerk: Clerk) -> Answer:
        typed, action = str(asked.get("value") or ""), str(asked["action_id"])
        found: dict[str, str] = {}
        try:
            about, given = About.of(asked["view"]), modal.entered(asked["view"])
            if action == modal.PLACE:
                found = {place.id: place.name for place in await clerk.places(about.channel, typed)}
            elif action == modal.TASK:
                tasks = await clerk.tasks(about.channel, typed, free=True)
                found = {task.id: task.title for task in tasks if task.place == given.place}
            elif action == modal.ASSIGNEE:
                people = await clerk.people(about.channel, given.place, typed)
                found = {user.id: user.name for user in people}
            else:
                form = await clerk.form(about.channel, given.place)
                found = _matching(modal.choices(form, action), typed)
        except (Refused, ConnectorError):
            found = {}
        return answered({"options": [each.to_dict() for each in options(found)]})

    # buttons

    async def _pressed(self, asked: Payload, action: Payload, clerk: Clerk) -> None:
        message, channel = asked["message"], str(asked["channel"]["id"])
        about = About(channel=channel, ts=str(message.get("thread_ts") or message["ts"]))
        said = TROUBLE
        try:
            with suppress(ConnectorError):
                person = await self._asker(asked)
                if action["action_id"] == SAY:
                    await self.screen.open_view(str(asked["trigger_id"]), modal.comment(about).to_dict())
                else:
                    await clerk.take(self._press(asked, action, about, person))
                said = ""
        except Refused as refusal:
            said = refusal.reason
        finally:  # as above
            if said:
                text = {"text": escaped(said)}
                await self.screen.whisper(channel, str(asked["user"]["id"]), text, about.ts)

    def _press(self, asked: Payload, action: Payload, about: About, person: Person) -> Wish:
        return Wish(
            key=f"press {asked['trigger_id']}",
            what=What.CHANGE,
            by=person,
            container=about.channel,
            about=self._ref(about),
            fields=_PRESSED[action["action_id"]],
        )

    def _ref(self, about: About) -> Ref:
        return thread_ref(self.team, about.channel, about.ts)

    async def _asker(self, asked: Payload) -> Person:
        return await self.askers.member(str(asked["user"]["id"]))


def _matching(choices: Mapping[str, str], typed: str) -> dict[str, str]:
    sought = typed.casefold().strip()
    return {id: name for id, name in choices.items() if sought in name.casefold()}


def _chosen(about: About, places: Sequence[Place]) -> Place:
    return next((each for each in places if each.id == about.place), Place(id=about.place, name="–"))
