"""The neutral words for how a provider tells of changes: listings and webhooks. Frozen, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.records import Fields, FieldTime, Gone, Json, Moved, Record, Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A hint to look at ``ref``: never the truth.

    ``record`` is there where the listing carried the object whole. ``comments`` tells that its
    comments may have changed, too; ``new_comments`` names them where all that happened is that they
    were written. ``gone`` is proof from a verified event. ``previous`` holds the
    values that stood in a field before, where the provider's echo names them. ``actor`` is the user
    id, None for the system or unknown.
    """

    ref: Ref
    at: datetime | None = None
    actor: str | None = None
    record: Record | None = None
    comments: bool = False
    new_comments: tuple[Ref, ...] = ()
    gone: Gone | None = None
    moved: Moved | None = None
    previous: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of changes. ``cursor`` goes on from here; ``more`` asks to go on at once.

    ``lost`` tells that changes before this page are lost for good: a full pass is needed.
    ``edits``: what was lately done to single fields, oldest first, where the provider tells that of all
    objects at once; what was done in the minute before may be told again. None where it does not tell:
    then objects are asked one by one (:meth:`connectors.base.Session.field_times`).
    """

    changes: tuple[Change, ...]
    cursor: Json
    more: bool = False
    lost: bool = False
    edits: Mapping[Ref, Sequence[FieldTime]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook call as it came in. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a delivery is checked against: newest secret first; ``pending`` while the handshake is awaited."""

    active: tuple[str, ...] = field(default=(), repr=False)
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A genuine delivery. ``dedupe`` is the provider's id of it, or a digest of the body.

    ``changes`` may be empty: then ``ignored`` says why. ``container``: what it is about, where one
    address serves all containers of a connection.
    """

    dedupe: str
    changes: tuple[Change, ...] = ()
    ignored: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """The provider wants an echo; ``secret`` is stored before it is answered."""

    secret: str = field(repr=False)
    reply_headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Echo:
    """The provider checks the address: it wants this text said back, and nothing is stored."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A webhook at the provider, as it stands there."""

    id: str
    target: str
    active: bool
    secret: str | None = field(default=None, repr=False)
    reason: str = ""
    last_delivery_at: datetime | None = None
