"""What a person remembers who saw everything: every edit, and what its author had before their eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sync.reconcile.model import Side

TOKEN = re.compile(r"\b[a-z]\d{6}\b")
"""What every edit writes, and no other one: its letter is the field's, its number the event's."""


def tokens(text: str) -> frozenset[str]:
    return frozenset(TOKEN.findall(text))


@dataclass(frozen=True, slots=True)
class Edit:
    """``before`` and ``after``: the tokens that its author saw in the field, and left there."""

    at_s: float
    side: Side
    object_id: str
    field: str
    token: str
    before: frozenset[str]
    after: frozenset[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """An edit of a field that holds one of a few values."""

    at_s: float
    side: Side
    object_id: str
    field: str
    value: str | None


@dataclass(slots=True)
class Said:
    """A comment: where it was written, what its author last made of it, and whether they took it back."""

    side: Side
    object_id: str
    comment_id: str
    token: str
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class File:
    side: Side
    object_id: str
    name: str
    content: bytes


@dataclass(slots=True)
class Memory:
    edits: list[Edit] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    born: dict[tuple[Side, str], str] = field(default_factory=dict)
    """The token of each object that a person made."""
    removed: set[tuple[Side, str]] = field(default_factory=set)
    """Objects that a person deleted at some time, whether or not they came back."""

    def on(self, side: Side, object_id: str) -> Iterator[Edit]:
        return (edit for edit in self.edits if (edit.side, edit.object_id) == (side, object_id))
