"""What is typed: ``/asana``. What needs no other provider is answered at once, to the sender alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from connectors.errors import ConnectorError, OutcomeUnknown
from connectors.interactions import Answer, Card, Clerk, Person, Place, Refused, What, Wish
from connectors.richtext.prose import literal
from connectors.slack import card, commands
from connectors.slack.askers import Askers
from connectors.slack.composing import content
from connectors.slack.interactivity import told
from connectors.slack.people import Payload
from connectors.slack.places import thread_ref
from connectors.slack.texts import NOWHERE, TROUBLE, UNKNOWN, escaped

_NO_TASK = "No task of this channel's projects has that address."


class Voice(Protocol):
    """What is needed of Slack's client."""

    async def whisper(self, channel: str, user: str, message: dict[str, Any], thread: str = "") -> None: ...
    async def post(self, channel: str, message: dict[str, Any]) -> Mapping[str, Any]: ...
    async def delete(self, channel: str, ts: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Counter:
    """For one workspace, ``team``."""

    voice: Voice
    team: str
    askers: Askers

    async def answer(self, asked: Payload, clerk: Clerk) -> Answer:
        """A refusal reaches its sender even where the app is no member of the channel and cannot whisper."""
        command = commands.parse(str(asked["text"]))
        if command.word == "help":
            return told({"text": commands.HELP})
        try:
            person = await self.askers.member(str(asked["user_id"]))
            places = await clerk.places(str(asked["channel_id"]))
            if not places:
                raise Refused(NOWHERE)
        except Refused as refusal:
            return told({"text": escaped(refusal.reason)})
        except ConnectorError:
            return told({"text": TROUBLE})
        return Answer(then=partial(self._serve, command, asked, person, places[0], clerk))

    async def _serve(
        self, command: commands.Command, asked: Payload, person: Person, place: Place, clerk: Clerk
    ) -> None:
        channel = str(asked["channel_id"])
        said: dict[str, Any] = {"text": TROUBLE}
        try:
            said = await self._said(command, asked, person, place, clerk)
        except Refused as refusal:
            said = {"text": escaped(refusal.reason)}
        except OutcomeUnknown:
            said = {"text": UNKNOWN}
        except ConnectorError:
            said = {"text": TROUBLE}
        finally:  # also where our own side fails: the person is told all the same
            if said:
                await self.voice.whisper(channel, person.id, said)

    async def _said(
        self, command: commands.Command, asked: Payload, person: Person, place: Place, clerk: Clerk
    ) -> dict[str, Any]:
        """What the person alone gets to see; nothing where the channel shows it."""
        channel, text = str(asked["channel_id"]), command.text
        if command.word == "mine":
            mine = await clerk.tasks(channel, assignee=person)
            return card.listing("Your open tasks" if mine else "You have no open tasks here", mine)
        tasks = await clerk.tasks(channel, text) if command.word in ("search", "link") else ()
        if command.word == "search":
            return card.listing(f"Tasks with “{text}”" if tasks else f"No task with “{text}”", tasks)
        if command.word == "link" and len(tasks) != 1:
            raise Refused(_NO_TASK)
        await self._begun(asked, person, place, text, tasks[0] if tasks else None, clerk)
        return {}

    async def _begun(
        self, asked: Payload, person: Person, place: Place, text: str, task: Card | None, clerk: Clerk
    ) -> None:
        """A message in the channel, and the wish to link it; without the wish the message does not stay."""
        channel = str(asked["channel_id"])
        title = task.title if task is not None else text
        key = f"command {asked['trigger_id']}"
        await clerk.may_post(channel, task.place if task is not None else place.id, key)
        posted = await self.voice.post(channel, content(title, f"*{literal(person.name)}*", None))
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.voice.delete, channel, str(posted["ts"]))
            await clerk.take(
                Wish(
                    key=key,
                    what=What.ATTACH if task is not None else What.CAPTURE,
                    by=person,
                    container=channel,
                    about=thread_ref(self.team, channel, str(posted["ts"])),
                    place=task.place if task is not None else place.id,
                    task=task.id if task is not None else "",
                    fields={} if task is not None else {"title": text},
                )
            )
            undo.pop_all()
