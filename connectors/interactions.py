"""What people ask for from inside a tool, in neutral words, and who answers them. No I/O.

A request (a shortcut, a form, a press on a card) is read by the connector alone, pure:
:meth:`connectors.base.Connector.interaction`. Its session then answers it, within the time the provider
gives, with the help of a :class:`Clerk`, who knows projects, people and tasks and notes what is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from connectors.changes import Delivery, Received
from connectors.records import Fields, FieldSpec, Json, Ref, User

ME = "me"
"""As an assignee in a :class:`Wish`: whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """A genuine request of a person; ``payload`` means something to the connector alone."""

    kind: str
    payload: Json = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider gets at once; ``then`` is done after that, while nobody waits for the answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    then: Callable[[], Awaitable[None]] | None = None


class Hearer(Protocol):
    """Who takes what a provider tells over a connection that is kept open."""

    async def tell(self, delivery: Delivery, received: Received) -> None:
        """Take a delivery: once this is over, it is stored."""

    async def ask(self, interaction: Interaction) -> Answer:
        """Answer a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks, as the provider vouches for it.

    ``outsider`` says in one sentence why nothing is done for them (a guest, a member of another
    organisation); it is empty for everybody else.
    """

    id: str
    name: str
    outsider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A project that tasks of a container may go to. ``id`` means something to the clerk alone."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What can be said about a new task in a place: its sections (id -> name), and the other fields."""

    place: Place
    sections: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[FieldSpec, ...] = ()


DELETED = "deleted"
"""The state of a card whose task is no more: nothing can be done to it."""
ALONE = "alone"
"""The state of a card below an object that is no more."""
ENDED = "ended"
"""The state of a card whose task and object live on, each by itself: a person ended their link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A task as it is shown in another tool. ``due`` as in :mod:`connectors.records`.

    ``state``: that of the task, :data:`DELETED`, or :data:`ALONE` or :data:`ENDED`: then the task lives on,
    and nothing is done to it from there any more.
    ``place``: where it lies, in answers to people; empty in what is shown below objects.
    """

    id: str
    title: str
    url: str
    project: str
    state: str
    assignee: str = ""
    due: str | None = None
    place: str = ""


class What(StrEnum):
    """What a person asks for."""

    CAPTURE = "capture"
    ATTACH = "attach"
    CHANGE = "change"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants done about one object of a container.

    ``key`` is the provider's id of the request: the same one twice is one wish. ``place`` says where a
    captured task goes, ``task`` (its id) to which one the object is attached. ``fields`` are those of the
    task, ids as in :class:`Form`, also in sets. ``whole_thread``: also the comments from before;
    ``in_step``: go on following.
    """

    key: str
    what: What
    by: Person
    container: str
    about: Ref
    place: str = ""
    task: str = ""
    fields: Fields = field(default_factory=dict)
    text: str = ""
    whole_thread: bool = True
    in_step: bool = True


class Refused(Exception):
    """A wish that is not granted. ``reason`` is for the person; ``field`` names what caused it, if known."""

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Clerk(Protocol):
    """What is known of the hub, as far as a container's mappings allow it to be shown there."""

    async def places(self, container: str, text: str = "") -> Sequence[Place]:
        """The projects whose name contains the text; the one used last in the container comes first."""

    async def form(self, container: str, place: str) -> Form:
        """What can be filled in. Raises Refused where the container may not send tasks there."""

    async def people(self, container: str, place: str, text: str = "") -> Sequence[User]:
        """Whom a task there can be assigned to, by name or email."""

    async def tasks(
        self, container: str, text: str = "", assignee: Person | None = None, *, free: bool = False
    ) -> Sequence[Card]:
        """Tasks in the container's projects by name or address, changed last first.

        Args:
            assignee: only open ones that are assigned to this person.
            free: only those that stand for nothing in the container's tool yet.

        Raises:
            Refused: nobody knows who that person is in the hub.
            RetryLater: no project's tasks could be had in time.
        """

    async def task_of(self, about: Ref) -> Card | None:
        """The task that an object has already, as it was seen last."""

    async def may_post(self, container: str, place: str, key: str) -> None:
        """Asked before the connector posts something in the container by itself, for the wish of that key.

        Raises:
            Refused: an admin paused it, or the wish was noted before.
        """

    async def take(self, wish: Wish) -> None:
        """Note a wish for good; it is carried out soon after.

        Raises:
            Refused: it is not granted, and why.
        """
