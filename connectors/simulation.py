"""What every simulator shares: clock, faults, request journal, webhook outbox, limits, serving.

A simulator is a provider's stand-in for tests, demo and benchmarks: same URLs, authentication,
paging, limits and quirks, spoken to over loopback HTTP by the real client code. The provider's rules
live in ``connectors/<name>/simulator.py``; faults of the network act here, in front of them::

    client -> Wire: journal -> admission (limits) -> fault -> the provider's routes
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.simulation_network import Exchange, Fault, Faults, Journal, Refused, Wire, serve, serve_app
from connectors.simulation_webhooks import Outbox, Outgoing, Sent

__all__ = [
    "Clock",
    "Exchange",
    "Fault",
    "Faults",
    "Journal",
    "Lagging",
    "Outbox",
    "Outgoing",
    "RateLimit",
    "Refused",
    "Sent",
    "Simulator",
    "serve",
    "serve_app",
]

T = TypeVar("T")

LONGEST_LAG = timedelta(minutes=2)
"""Replaced states older than this are forgotten."""


class Clock:
    """The provider's clock: real UTC time plus a skew that tests may move."""

    def __init__(self, skew_s: float = 0.0) -> None:
        self.skew_s = skew_s

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.skew_s)

    def advance(self, seconds: float) -> None:
        self.skew_s += seconds


class Lagging(Generic[T]):
    """Records by id of which readers may be shown an older state, as behind a lagging replica.

    Records must be replaced, never changed in place. ``None`` marks a removed one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: dict[str, T] = {}
        self._older: dict[str, list[tuple[datetime, T | None]]] = defaultdict(list)

    def __getitem__(self, key: str) -> T:
        return self._newest[key]

    def __setitem__(self, key: str, record: T) -> None:
        self._remember(key)
        self._newest[key] = record

    def __delitem__(self, key: str) -> None:
        self._remember(key)
        del self._newest[key]

    def _remember(self, key: str) -> None:
        now = self._clock.now()
        kept = [entry for entry in self._older.get(key, ()) if now - entry[0] < LONGEST_LAG]
        self._older[key] = [*kept, (now, self._newest.get(key))]

    def __contains__(self, key: str) -> bool:
        return key in self._newest

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._newest))

    def __len__(self) -> int:
        return len(self._newest)

    def get(self, key: str) -> T | None:
        return self._newest.get(key)

    def values(self) -> list[T]:
        return list(self._newest.values())

    def seen(self, key: str, lag_s: float) -> T | None:
        """The record as a reader sees it whose view is ``lag_s`` behind."""
        since = self._clock.now() - timedelta(seconds=lag_s)
        for replaced_at, before in self._older.get(key, ()) if lag_s else ():
            if replaced_at > since:
                return before
        return self._newest.get(key)

    def all_seen(self, lag_s: float) -> list[T]:
        if not lag_s:
            return self.values()
        keys = dict.fromkeys([*self._newest, *self._older])
        return [record for key in keys if (record := self.seen(key, lag_s)) is not None]


class RateLimit:
    """At most ``limit`` requests of one token in any ``window_s``; rejected ones count, too."""

    def __init__(self, clock: Clock, *, limit: int, window_s: float = 60.0) -> None:
        self.limit = limit
        self.window_s = window_s
        self._clock = clock
        self._times: dict[str, deque[datetime]] = defaultdict(deque)

    def take(self, token: str) -> float | None:
        """Count one request; the seconds to wait if it is one too many."""
        now, times = self._clock.now(), self._times[token]
        while times and times[0] <= now - timedelta(seconds=self.window_s):
            times.popleft()
        times.append(now)
        if len(times) <= self.limit:
            return None
        return (times[-max(self.limit, 1)] - now).total_seconds() + self.window_s


@runtime_checkable
class Windows(Protocol):
    """A tool in which people ask for tasks: in a window of the app's, and by the buttons of a card."""

    async def capture(self, object_id: str, title: str, *, by: str) -> None:
        """Somebody opens the window at an object, and submits it with this title once it is filled in."""

    def buttons(self, object_id: str) -> Sequence[str]:
        """What the buttons of the card below the object say; nothing while there is none."""

    async def press_card(self, object_id: str, button: str, *, by: str) -> None:
        """Somebody presses the one that says so."""


class Simulator(ABC):
    """A provider's stand-in, with what people do in the provider's own user interface.

    The methods for people are synchronous and make the events and webhooks that the real thing makes;
    ``by`` is a name out of :attr:`people`, the first person where it is left out.
    """

    name: ClassVar[str]
    people: Mapping[str, Any]
    """By name: at least ``ada`` and ``bob``, and the account whose token :meth:`connection` gives."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.outbox = Outbox()
        self.visible_after_s = 0.0
        """Reads and lists show a write only after this time; the write's own answer shows it at once."""
        self.base_url = "http://127.0.0.1"
        """Where it is served; set by :func:`serve`."""

    @abstractmethod
    def routes(self) -> Sequence[BaseRoute]:
        """The provider's endpoints."""

    def refusal(self, refused: Refused) -> dict[str, Any]:
        """The body of an error, in the provider's shape."""
        return {"message": refused.message, **refused.extra}

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A client opens a web socket, where the provider has them."""
        await send({"type": "websocket.close", "code": 1008})

    def admission(self, exchange: Exchange) -> Refused | None:
        """Limits that apply before anything is looked at. The exchange is in the journal already."""
        return None

    def did(self, exchange: Exchange) -> bool:
        """Whether the provider's answer tells that a write was done."""
        return exchange.method not in ("GET", "HEAD") and 200 <= exchange.provider_status < 300

    @cached_property
    def wire(self) -> Wire:
        return Wire(self)

    @property
    def app(self) -> ASGIApp:
        """The provider as an ASGI application, faults included."""
        return self.wire

    @abstractmethod
    def connection(self, base_url: str) -> dict[str, Any]:
        """``{"settings": {...}, "credentials": {...}}`` for the configuration file."""

    @abstractmethod
    def new_container(self, name: str) -> str:
        """A new project, repository, ...; its id as used in the configuration file."""

    @abstractmethod
    def new(
        self, container: str, *, title: str, notes: str = "", by: str | None = None, **fields: Any
    ) -> str:
        """A new object; its id as in the connector's refs. Fields: ``labels``, ``assignee``, ``kind``."""

    @abstractmethod
    def edit(self, object_id: str, *, by: str | None = None, **fields: Any) -> None:
        """Change ``title``, ``notes``, ``state`` (open, closed), ``assignee``, ``labels``, ``section``."""

    @abstractmethod
    def comment(self, object_id: str, text: str, *, by: str | None = None) -> str:
        """A new comment; its id."""

    @abstractmethod
    def edit_comment(self, comment_id: str, text: str) -> None:
        """The author changes a comment."""

    @abstractmethod
    def delete_comment(self, comment_id: str) -> None:
        """The author deletes a comment."""

    def attach(self, object_id: str, name: str, content: bytes, *, by: str | None = None) -> str:
        """A person adds a file, where there are attachments; its id, or that of the text it is a link in."""
        raise LookupError(f"{self.name} has no attachments")

    @abstractmethod
    def remove(self, object_id: str, *, by: str | None = None) -> None:
        """Delete the object as a person would."""

    @abstractmethod
    def view(self, object_id: str) -> dict[str, Any] | None:
        """What a person sees: title, notes (the provider's own source), state, assignee, labels, comments
        (each id, text, author) and more; None if it is deleted."""

    @abstractmethod
    def objects(self, container: str) -> list[str]:
        """Ids of all living objects."""

    def install(self, url: str, interactions: str = "") -> None:
        """An admin enters addresses in the settings of the app, where one serves all containers.

        Args:
            url: where events go.
            interactions: where what people ask for goes; left out, the same.
        """
        raise LookupError(f"{self.name} has no apps")

    def further_field(self, container: str, name: str, options: Sequence[str] | None = None) -> str | None:
        """A further field of the objects there: a choice of these options, or a day. What field rules call
        it; None where there are no such fields. In :meth:`edit` and :meth:`view` it is one of ``values``."""
        return None

    def choices(self, container: str) -> Mapping[str, Mapping[str, str]]:
        """What people pick from there: field -> id -> name, in order. Nothing where they type everything."""
        return {}
