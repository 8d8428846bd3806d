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
parent            object                                id of the object it is a part of | None
blocked_by        objects                               tuple of ids of what it waits for, sorted
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

PARENT = "parent"
"""The field that tells of which object another one is a part: its subtask, its sub-issue."""

BLOCKED_BY = "blocked_by"
"""The field that tells for which objects another one waits: its dependencies."""


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
    ``expected`` of an update it is the one that shall stand there with the next text. ``named``: there,
    too, the objects that values may name, by id, with their addresses. ``marked_by``: who gave it each of
    its words (reactions), first of all.
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
    keys: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    backlink: Backlink | None = None
    named: Mapping[str, Ref] = field(default_factory=dict)
    marked_by: Mapping[str, Author] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """The object is deleted, and ``proof`` says how we know (410, trash flag, verified event)."""

    proof: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """The object cannot be seen; that proves nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Within(Hidden):
    """No object, but a part of one (a reply in a thread).

    ``record`` tells of the part as if it were an object, ``whole`` is the object that it is a part of.
    """

    record: Record
    whole: Ref


@dataclass(frozen=True, slots=True)
class Moved:
    """The object lives on under another identity (GitHub transfer)."""

    to: Ref


Found: TypeAlias = Record | Gone | Hidden | Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a new object shall hold. ``section`` is where it lands, where the provider has sections.

    The objects that it names are written once it is there: a refusal then concerns that field alone. So
    may be whatever the provider refuses, unless it is ``whole``: then nothing is written later.
    """

    fields: Fields
    section: str | None = None
    whole: bool = False


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
    """Anybody in the world can read it; what all members of a workspace can is not public."""


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
    OBJECT = "object"
    OBJECTS = "objects"


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
