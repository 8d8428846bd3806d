"""A pane where people talk, and use the app that is installed there: shortcut, modals, buttons, commands.

What the person entered in a modal is kept here, as the tool's own client keeps it, until it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from sync.demo.page.blocks import Entered, Json, entered, filled
from sync.demo.page.panes import Form, Missing, Pane
from sync.demo.stage import End

COMMAND = "/"
_CLOSED = "This window is closed. Open it again at the message."


class Asked(Protocol):
    """What came of asking the app: ``status`` of its answer, None where there was none in time."""

    @property
    def status(self) -> int | None: ...
    @property
    def answer(self) -> Any: ...
    @property
    def errors(self) -> Mapping[str, str]: ...


@runtime_checkable
class Chat(Protocol):
    """A simulator of a tool where people talk."""

    done: ClassVar[str]
    """The reaction that closes a thread."""

    async def shortcut(self, user: str, object_id: str | None, callback_id: str) -> Asked: ...
    async def command(self, user: str, channel: str, command: str, text: str) -> Asked: ...
    async def submit(self, view_id: str, values: Entered, user: str) -> Asked: ...
    async def cancel(self, view_id: str, user: str) -> Asked: ...
    async def suggest(self, user: str, view_id: str, action_id: str, typed: str) -> Asked: ...
    async def press(
        self,
        user: str,
        action_id: str,
        *,
        view_id: str = "",
        object_id: str = "",
        values: Entered | None = None,
        **state: Any,
    ) -> Asked: ...
    def modals_of(self, user: str) -> Sequence[Json]: ...
    def whispers_to(self, user: str) -> Sequence[Json]: ...


class Unanswered(Exception):
    """The app did not answer, or with an error; the text is what people are told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the channel; ``id`` and ``view`` only of those that everybody sees."""

    message: Json
    id: str = ""
    view: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """Under whose name a message stands, be it the app's. ``picture``: of whom; empty for the app's own."""

    name: str
    picture: str = ""
    is_app: bool = False


@dataclass
class _Drafts:
    """Of one open modal: what was entered, and what the app objected to, by block."""

    entered: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class Talk(Pane):
    """A channel."""

    has_app = True

    def __init__(self, end: End, chat: Chat) -> None:
        super().__init__(end)
        self._chat = chat
        self._drafts: dict[str, _Drafts] = {}
        self._people = {person.id: person for person in end.simulator.people.values()}
        self._app = next(id for id, person in self._people.items() if person.bot)
        self.names = {id: person.title for id, person in self._people.items()}

    def seen(self) -> object:
        people = self.end.simulator.people
        return (
            self.views(),
            [self._chat.modals_of(each) for each in people],
            [len(self._chat.whispers_to(each)) for each in people],
            {view_id: drafts.errors for view_id, drafts in self._drafts.items()},
        )

    def entries(self, me: str) -> list[Entry]:
        """The channel as one person sees it, oldest first."""
        said = [Entry(view["message"], id, view) for id, view in self.views().items()]
        said += [Entry({**message, "user": self._app}) for message in self._chat.whispers_to(me)]
        return sorted(said, key=lambda entry: str(entry.message["ts"]))

    def author(self, message: Json) -> Author:
        person = self._people[message["user"]]
        if not person.bot:
            return Author(person.title, person.name)
        told = message.get("username", "")
        known = next((each.name for each in self._people.values() if each.title == told), told)
        return Author(told or person.title, known, is_app=True)

    @staticmethod
    def at(message: Json) -> datetime:
        return datetime.fromtimestamp(float(message["ts"]), UTC)

    async def say(self, text: str, *, by: str) -> None:
        """Send what was typed below the channel; what begins with a slash goes to the app."""
        text = text.replace("\r\n", "\n").strip()
        if text.startswith(COMMAND):
            command, _, rest = text.partition(" ")
            _answered(await self._chat.command(by, self.container, command, rest.strip()))
        elif text:
            self.end.simulator.new(self.container, title=text, by=by)

    def react(self, id: str, name: str, *, by: str) -> None:
        """Give a reaction, or take one's own away."""
        given = self.view(id)["reactions"]
        if name == self._chat.done:
            self.end.simulator.edit(id, by=by, state="open" if name in given else "closed")
            return
        mine = {each for each, people in given.items() if by in people}
        self.end.simulator.edit(id, by=by, reactions=sorted(mine ^ {name}))

    @staticmethod
    def opens(view: Mapping[str, Any], linked: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
        """Addresses that buttons in a thread lead to -> name of the pane, and the object there.

        Args:
            linked: by name of a pane, the object there that is linked with the thread.
        """
        return {
            element["url"]: (name, other)
            for each in (view, *view["comments"])
            for block in each["message"].get("blocks", ())
            for element in block.get("elements", ())
            for name, other in linked.items()
            if other in element.get("url", "").split("/")
        }

    # the app

    async def shortcut(self, id: str, callback_id: str, *, by: str) -> None:
        """Choose a shortcut in the menu of a message."""
        self.view(id)
        _answered(await self._chat.shortcut(by, id, callback_id))

    async def press(self, id: str, action: str, *, by: str) -> None:
        """Press a button of a message, be it the first one of a thread or a reply."""
        if not any(id in (root, *_replies(view)) for root, view in self.views().items()):
            raise Missing("This message was deleted.")
        _answered(await self._chat.press(by, action, object_id=id))

    def modal(self, me: str) -> Json | None:
        """What is open at a person, on top, with what they entered so far."""
        opened = self._chat.modals_of(me)
        return filled(opened[-1], self._of(opened[-1]["id"]).entered) if opened else None

    def errors(self, view_id: str) -> Mapping[str, str]:
        return self._of(view_id).errors

    def enter(self, view_id: str, form: Form, *, by: str) -> Entered:
        """Keep what stands in the modal's form; all that was entered so far."""
        drafts = self._of(view_id)
        drafts.entered |= entered(self._view(view_id, by), form)
        return drafts.entered

    async def press_in_modal(self, view_id: str, action: str, form: Form, *, by: str) -> None:
        """Press a button, or choose in a menu at whose change the app wants to be asked."""
        values = self.enter(view_id, form, by=by)
        self._of(view_id).errors = {}
        state = next((actions[action] for actions in values.values() if action in actions), {})
        chosen = {name: value for name, value in state.items() if name != "type"}
        _answered(await self._chat.press(by, action, view_id=view_id, values=values, **chosen))

    async def suggestions(self, view_id: str, action: str, typed: str, *, by: str) -> Sequence[Json]:
        """What the app offers in a menu of its own."""
        self._view(view_id, by)
        return list(_answered(await self._chat.suggest(by, view_id, action, typed)).answer["options"])

    async def submit(self, view_id: str, form: Form, *, by: str) -> None:
        values = self.enter(view_id, form, by=by)
        asked = _answered(await self._chat.submit(view_id, values, by))
        self._of(view_id).errors = asked.errors

    async def cancel(self, view_id: str, *, by: str) -> None:
        self._view(view_id, by)
        await self._chat.cancel(view_id, by)

    def _view(self, view_id: str, by: str) -> Json:
        found = next((view for view in self._chat.modals_of(by) if view["id"] == view_id), None)
        if found is None:
            raise Missing(_CLOSED)
        return found

    def _of(self, view_id: str) -> _Drafts:
        return self._drafts.setdefault(view_id, _Drafts())


def _replies(view: Mapping[str, Any]) -> Sequence[str]:
    return [reply["id"] for reply in view["comments"]]


def _answered(asked: Asked) -> Asked:
    if asked.status != 200:
        raise Unanswered("The app did not answer in time. Nothing was done: try again in a moment.")
    return asked
