"""The neutral words connectors and sync speak. Frozen, no I/O.

Field values are what JSON holds: text, a number, a closed set of words, or a tuple of texts for a set.

================  ====================================  ===============================================
field             kind                                  value
================  ====================================  ===============================================
title             text                                  str, one line
notes             markdown                              str, GitHub-flavoured Markdown, without key and
                                                        back-link
state             state                                 "open" | "closed"
assignee          person (one) or people (several)      user id | None, or tuple of user ids, first is
                                                        first
followers         people                                tuple of user ids, sorted
labels            set                                   tuple of names, sorted
due, start        date                                  a day "2026-01-31", or a moment in UTC
                                                        "2026-01-31T10:00:00.000Z", or None
section           choice                                section id, of the container that is looked at:
                                                        records tell it in ``places``
milestone         choice                                milestone id | None
custom:<id>       any but markdown and state            by its kind; of a choice the option's id, of a
                                                        set the options' names
================  ====================================  ===============================================

In Markdown, notes and comments alike, a mention is ``[@Ada Lovelace](user:1200)``, a link to a user id of
that provider (:mod:`connectors.richtext.mentions`). A connector reads the mentions that its provider acts
on into this form and writes them out of it; what only reads like a mention it makes harmless.

A choice is an id, so that renaming an option is no edit of every object that has it; its FieldSpec
tells the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

Value: TypeAlias = str | bool | int | float | tuple[str, ...] | None
Fields: TypeAlias = Mapping[str, Value]
Json: TypeAlias = Any
"""Anything ``json.dumps`` takes; used for cursors only the connector understands."""

OPEN = "open"
CLOSED = "closed"

SECTION = "section"
"""The field that tells where in a container an object lies: written like any other, read in ``places``."""


@dataclass(frozen=True, slots=True)
class Ref:
    """The identity of one remote object: never a name or number that people can change.

    ``address`` is how the connector reached it last (GitHub: ``acme/website#12``); it may be out of
    date and is no part of the identity.
    """

    connector: str
    site: str
    kind: str
    id: str
    address: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.connector}:{self.site}:{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something, as the provider names them. ``id`` is a user id as in people fields."""

    id: str
    name: str
    url: str = ""
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """Marks an object that we create, so that it is found again after a lost answer.

    ``token`` is random and unique; ``url`` and ``label`` point to the counterpart and are the key
    where the provider can hide no token. ``backlink`` False asks the connector to show no link where
    it has another place for the key.
    """

    token: str
    url: str
    label: str
    backlink: bool = True


@dataclass(frozen=True, slots=True)
class Backlink:
    """A visible link to the counterpart, no part of the text."""

    url: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Snapshot of one object.

    ``fields`` may lack a field that this way of reading does not carry: a missing field is unknown,
    not empty. ``version`` orders snapshots of one object (compare as text; equal is "not newer").
    ``places`` maps each container the object is in to its section there (None: no section known).
    ``keys`` holds every key token and counterpart URL found on the object. ``read_only`` names
    fields that cannot be written on this very object. ``created_by_us`` tells that the connection's
    own account made it. ``backlink`` is shown beside the key, where it is not the key itself; in the
    ``expected`` of an update it is the one that shall stand there with the next text.
    """

    ref: Ref
    fields: Fields
    version: str
    created_at: datetime
    modified_at: datetime
    places: Mapping[str, str | None]
    url: str
    key: str
    author: Author | None = None
    created_by_us: bool = False
    parent: Ref | None = None
    keys: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    backlink: Backlink | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The object is deleted, and ``proof`` says how we know (410, trash flag, verified event)."""

    proof: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """The object cannot be seen; that proves nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The object lives on under another identity (GitHub transfer)."""

    to: Ref


Found: TypeAlias = Record | Gone | Hidden | Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a new object shall hold. ``section`` is where it lands, where the provider has sections."""

    fields: Fields
    section: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment of an object, ``text`` without our header.

    ``source_url`` is the link in our header: it is the key of a copy and only trusted where
    ``by_us``. ``modified_at`` is None where the provider tells no time of an edit.
    """

    ref: Ref
    parent: Ref
    text: str
    author: Author
    created_at: datetime
    url: str
    modified_at: datetime | None = None
    by_us: bool = False
    source_url: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDraft:
    """A copy to be made, headed by ``author_name`` in bold with a link to ``source_url``."""

    text: str
    author_name: str
    source_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The provider's history tells that somebody added a file, or that it came with a copied object."""

    at: datetime
    author: Author | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussion:
    """What was said and added below one object: all its comments, oldest first, and what is told of files."""

    comments: tuple[Comment, ...] = ()
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file of an object.

    ``url`` leads a person to it for good, if only behind a login: never an address that ends within
    minutes or that is itself the permission. It is the key of a copy that is a link. ``comment`` is
    the comment it hangs below. ``size`` in bytes, None where it is not told. ``is_link``: it is kept
    elsewhere, and there are no bytes to read.
    """

    ref: Ref
    parent: Ref
    name: str
    url: str
    created_at: datetime
    author: Author | None = None
    comment: Ref | None = None
    size: int | None = None
    is_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentDraft:
    """A file to be added. Where its bytes are not at hand, a link named ``name`` to ``url`` is added."""

    name: str
    url: str
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file was found to hold when it was read: bytes, SHA-256 in hex, media type (RFC 9110 8.3)."""

    size: int
    sha256: str
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTime:
    """One entry of the provider's history: ``field`` was changed at ``at``.

    ``has_values`` tells whether ``before`` and ``after`` are known.
    """

    field: str
    at: datetime
    author: Author | None = None
    has_values: bool = False
    before: Value = None
    after: Value = None


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
    ``complete_listing`` tells that this page and those before it since the start listed everything.
    """

    changes: tuple[Change, ...]
    cursor: Json
    more: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who the credentials are. ``site`` and ``id`` are pinned at the first check."""

    id: str
    name: str
    site: str
    clock_offset_s: float = 0.0
    missing: tuple[str, ...] = ()
    """Sentences: which permission is missing and which feature that costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """Something a connection can be asked to list: project, repository, channel."""

    id: str
    name: str
    url: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Section id -> name, in order."""
    public: bool = False


class FieldKind(StrEnum):
    """How two forms of a field are compared, merged and carried over."""

    TEXT = "text"
    MARKDOWN = "markdown"
    STATE = "state"
    CHOICE = "choice"
    SET = "set"
    NUMBER = "number"
    DATE = "date"
    PERSON = "person"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field a container's objects have.

    ``options`` of a choice or a closed set: id -> name, in order; ids that stand in records and can no
    longer be chosen are left out. ``times`` tells that a date can be a moment, not only a day.
    """

    name: str
    kind: FieldKind
    label: str
    writable: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    times: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user of a provider, for matching people."""

    id: str
    name: str
    login: str = ""
    email: str = ""
    active: bool = True


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

    ``changes`` may be empty: then ``ignored`` says why. ``container_gone`` says that the container
    itself was deleted or moved away.
    """

    dedupe: str
    changes: tuple[Change, ...] = ()
    ignored: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """The provider wants an echo; ``secret`` is stored before it is answered."""

    secret: str = field(repr=False)
    reply_headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A webhook at the provider, as it stands there."""

    id: str
    target: str
    active: bool
    secret: str | None = field(default=None, repr=False)
    reason: str = ""
    last_delivery_at: datetime | None = None
