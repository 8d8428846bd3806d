"""The connector contract: what every folder in ``connectors/`` promises.

A folder exports ``connector``, an instance of a :class:`Connector` subclass. It says what the
provider is and can do, reads webhook calls (pure), and opens a :class:`Session` with an account.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pydantic import BaseModel

from connectors.changes import Delivery, Echo, Handshake, Page, Received, Secrets, Subscribed
from connectors.discussions import Attachment, AttachmentDraft, Comment, CommentDraft, Content, Discussion
from connectors.errors import Park, ParkClass, Unreadable
from connectors.interactions import Answer, Card, Clerk, Hearer, Interaction
from connectors.records import (
    Account,
    Container,
    Draft,
    Fields,
    FieldSpec,
    FieldTime,
    Found,
    Json,
    Key,
    Record,
    Ref,
    User,
    Value,
)

if TYPE_CHECKING:
    from connectors.consent import App
    from connectors.http import Outbound  # looking at what is stored needs no HTTP client
    from connectors.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What can be asked without credentials.

    ``kinds``: object kinds that are synced; ``creatable``: those that we may create.
    ``webhooks``: "none", "secret" (we choose the secret), "handshake" (the provider sends it) or "app": one
    address serves all containers; an admin enters it at the provider, whose secret is a credential.
    ``clock_resolution_s``: how finely the provider dates changes. ``exact_create``: the same key
    twice makes one object. ``preconditions``: a stale ``expected`` is refused by the provider.
    ``attachments``: "none"; "files" (objects have files, which can be added and read), or "texts" (a file
    is a link in a text: it can be read, and none can be added). ``largest_attachment``: bytes that an
    added file may have. ``sections``: objects lie in sections. ``hidden_key``: people need not see the
    key of what we create; where False the key is the visible link to the counterpart. ``selective``:
    most objects are mere talk, so that none becomes a task unless a filter names it or a person does.
    ``interactions``: people ask for something from inside the tool. ``cards``: a captured object shows
    its task, see :meth:`Session.show_card`.
    ``container_word`` and ``container_example``: for messages.
    """

    kinds: tuple[str, ...]
    creatable: tuple[str, ...]
    webhooks: str = "none"
    clock_resolution_s: float = 1.0
    exact_create: bool = False
    preconditions: bool = False
    comments: bool = True
    comment_edits: bool = True
    attachments: str = "none"
    largest_attachment: int = 0
    sections: bool = False
    hidden_key: bool = True
    selective: bool = False
    interactions: bool = False
    cards: bool = False
    container_word: str = "container"
    container_example: str = ""


class Session(ABC):
    """One connection, open. Every method may raise the errors of :mod:`connectors.errors`."""

    @abstractmethod
    async def check(self) -> Account:
        """Who we are, whether the credentials work, and the clock offset (provider minus ours, seconds)."""

    @abstractmethod
    async def containers(self) -> Sequence[Container]:
        """Everything that can be mapped, for pickers."""

    @abstractmethod
    async def container(self, container: str) -> Container:
        """One container with its sections; PauseMapping where it cannot be seen."""

    async def lacks(self, container: str) -> Sequence[str]:
        """What the account may not do in the container, and what goes without it: one sentence each.

        Asked by reading alone, by a person and not while syncing. PauseMapping where it cannot be seen.
        """
        return ()

    @abstractmethod
    async def fields(self, container: str) -> Sequence[FieldSpec]:
        """The fields of the container's objects, as they are now; every process asks before all else."""

    @abstractmethod
    async def people(self, container: str) -> Sequence[User]:
        """Users that can be assigned in the container."""

    @abstractmethod
    async def changes(self, container: str, cursor: Json) -> Page:
        """What may have changed since the cursor; None starts at the provider's present without history.

        One call makes a small, bounded number of requests. Overlaps are allowed, gaps are not.
        """

    @abstractmethod
    async def listing(self, container: str, cursor: Json) -> Page:
        """Complete listing of the container's objects with Records; None starts, ``more`` False ends it."""

    @abstractmethod
    async def fetch_many(self, refs: Sequence[Ref]) -> Mapping[Ref, Found]:
        """Read these objects, fresh. Every ref asked for is a key of the answer."""

    async def versions(self, container: str, since: datetime) -> Mapping[str, str] | None:
        """The version of every object of the container that changed since then, by id.

        A few pages prove that everything else is as it was, however many objects that are. None where
        the provider has no such listing, or more has changed than a few pages hold. What changes
        without moving an object's version (labels, tags, sections at some) does not show, nor does an
        object that left the container: polling tells of those.
        """
        return None

    @abstractmethod
    async def create(self, container: str, draft: Draft, key: Key) -> Record:
        """Make one object that carries the key. Not repeated by the connector, ever."""

    @abstractmethod
    async def find_created(self, container: str, key: Key, since: datetime) -> Sequence[Record]:
        """Objects made by our account since then that carry the key."""

    @abstractmethod
    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        """Change these fields only; sets by the difference to ``expected``. Answers what now stands there."""

    @abstractmethod
    async def delete(self, ref: Ref, expected: Record) -> None:
        """Delete the object. An object already gone is success."""

    @abstractmethod
    async def comments(self, ref: Ref) -> Sequence[Comment]:
        """All comments of the object, oldest first, complete."""

    @abstractmethod
    async def add_comment(self, ref: Ref, draft: CommentDraft) -> Comment:
        """Post one comment with our header."""

    @abstractmethod
    async def edit_comment(self, comment: Ref, draft: CommentDraft) -> Comment:
        """Replace the text of a comment that we posted; its Ref address leads to it."""

    @abstractmethod
    async def delete_comment(self, comment: Ref) -> None:
        """Delete a comment that we posted; already gone is success."""

    async def discussion(self, ref: Ref) -> Discussion:
        """The comments, and what the provider's history tells of files on the way."""
        return Discussion(comments=tuple(await self.comments(ref)))

    async def attachments(self, record: Record, discussion: Discussion) -> Sequence[Attachment]:
        """The files of an object that was read a moment ago, complete, oldest first.

        Files that the notes show within the text are left out where the notes carry a link to them
        across. Comments that are not in ``discussion`` are as if they did not exist.
        """
        return ()

    async def read_attachment(self, attachment: Attachment, into: BinaryIO, limit: int) -> Content:
        """Write its bytes into an empty file.

        Raises:
            OnlyLinked: more than ``limit`` bytes, or the provider has none.
            Park: the account may not read it, or it is gone.
        """
        raise _without_attachments()

    async def add_attachment(self, ref: Ref, draft: AttachmentDraft, content: BinaryIO | None) -> Attachment:
        """Add one file, or where there is no ``content`` a link. Never repeated."""
        raise _without_attachments()

    @abstractmethod
    async def field_times(self, ref: Ref, since: datetime) -> Sequence[FieldTime]:
        """The provider's own history of the object's fields since then; empty where it keeps none."""

    @abstractmethod
    def same(self, field: str, sent: Value, read: Value) -> bool:
        """Whether what is read can be what was sent, after the provider's own rewriting."""

    def through(self, text: str) -> str:
        """What Markdown becomes when it is written here and read back, as far as is known beforehand."""
        return text

    async def subscribe(self, container: str, target: str, secret: str) -> Subscribed:
        """Create the webhook, or adopt the one that already leads to ``target``."""
        raise _without_webhooks()

    async def subscription(self, container: str, id: str) -> Subscribed | None:
        """How the webhook stands at the provider; None if it is gone."""
        raise _without_webhooks()

    async def unsubscribe(self, container: str, id: str) -> None:
        """Remove the webhook; already gone is success."""
        raise _without_webhooks()

    async def recent(self, container: str, text: str, limit: int) -> Sequence[Record]:
        """Objects of the container whose title contains the text, changed last first; a person waits.

        What was changed just now, or is found by a deep search only, may be missing.
        """
        return ()

    async def interact(self, interaction: Interaction, clerk: Clerk) -> Answer:
        """Answer a person's request; the provider waits for a few seconds at most.

        What fails is told to the person in the answer. An error that is raised means: nothing was done.
        """
        raise _without_interactions()

    async def show_card(self, ref: Ref, card: Card, shown: str, key: str) -> str:
        """Show a task below the object, or change what is shown there; its address is returned.

        Args:
            shown: the address of the card that stands there, empty for a new one.
            key: marks a new one, so that it is found again after a lost answer.
        """
        raise _without_interactions()

    async def find_card(self, ref: Ref, key: str, since: datetime) -> str | None:
        """The address of the card that carries the key, None where there is none."""
        raise _without_interactions()

    async def whisper(self, ref: Ref, person: str, text: str) -> None:
        """Tell one person something about the object that nobody else sees; at most once, maybe never."""
        raise _without_interactions()

    async def redeliver(self, container: str, id: str, since: datetime) -> int:
        """Ask for the webhook's calls since then that nobody took, once each; how many are on their way.

        0 where the provider repeats them by itself, keeps none, or does not tell.
        """
        return 0

    async def listen(self, hearer: Hearer) -> None:
        """Open the connection over which the provider tells of changes, and pass on what comes over it.

        Each delivery is acknowledged once ``hearer`` has taken it. Ends where the provider closes the
        connection; it is then to be opened again.

        Raises:
            RetryLater: it was cut, or could not be opened.
        """
        raise _without_webhooks()

    @abstractmethod
    async def aclose(self) -> None:
        """Release sockets."""


class Connector(ABC):
    """What a folder exports as ``connector``."""

    name: ClassVar[str]
    title: ClassVar[str]
    settings: ClassVar[type[BaseModel]]
    """Settings model; each field has a title and a description."""
    credentials: ClassVar[type[BaseModel]]
    """Credentials model; every secret is a pydantic ``SecretStr``."""
    capabilities: ClassVar[Capabilities]

    @abstractmethod
    def site(self, settings: BaseModel) -> str:
        """Host (or workspace) the refs of this connection belong to, known without a call."""

    @abstractmethod
    def base_url(self, settings: BaseModel) -> str:
        """Where the outbound client may send requests."""

    @abstractmethod
    def open(
        self,
        settings: BaseModel,
        credentials: BaseModel,
        outbound: Outbound,
        tokens: Tokens | None = None,
    ) -> Session:
        """A session over the given client; makes no request.

        Args:
            tokens: what the provider handed out for these credentials, where it does; None: nobody shares it.
        """

    @abstractmethod
    def limits(self, settings: BaseModel) -> Mapping[str, float]:
        """``reads`` and ``writes`` in flight, ``per_minute`` requests: for the gate.

        ``creates_per_minute``, ``creates_per_hour``: new objects and comments, where they are limited.
        """

    def listens(self, settings: BaseModel) -> bool:
        """Whether a connection is to be kept open over which the provider tells of changes ("app")."""
        return False

    def manifest(self, events: str, interactions: str, *, authorised: bool = False) -> Json:
        """What an admin gives the provider to make the app ("app"), which then calls these addresses.

        Without addresses the app calls nobody: we keep a connection open to it. ``authorised``: an account
        authorises it (:meth:`app`), and lands at the address of interactions.
        """
        return None

    def app(self, settings: BaseModel, credentials: BaseModel) -> App | None:
        """The OAuth app in the credentials, which an account authorises; None where there is none."""
        return None

    def secrets(self, credentials: BaseModel) -> Secrets:
        """What calls to the one address of an app are checked against ("app")."""
        return Secrets()

    def receive(
        self, delivery: Delivery, secrets: Secrets, settings: BaseModel, now: datetime
    ) -> Received | Handshake | Echo:
        """Check and read one webhook call. Pure.

        Raises:
            BadSignature: not from the provider, or too old.
            Unreadable: signed, but not readable.
        """
        raise Unreadable(f"{self.title} sends no webhooks")

    def interaction(
        self, delivery: Delivery, credentials: BaseModel, settings: BaseModel, now: datetime
    ) -> Interaction:
        """Check and read one request of a person. Pure.

        Raises:
            BadSignature: not from the provider, or too old.
            Unreadable: signed, but not readable.
        """
        raise Unreadable(f"{self.title} sends no requests of people")


def _without_attachments() -> Park:
    return Park("this provider has no attachments", park_class=ParkClass.NOT_SUPPORTED)


def _without_interactions() -> Park:
    return Park("nobody asks for anything from inside this provider", park_class=ParkClass.NOT_SUPPORTED)


def _without_webhooks() -> Park:
    return Park("this provider has no webhooks", park_class=ParkClass.NOT_SUPPORTED)
