"""The words of planning. Frozen; no I/O, no clock, no logging anywhere in this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import TypeAlias

from connectors.discussions import Comment
from connectors.records import Author, FieldKind, Record, Ref, Value
from sync.reconcile.frames import Frame, frame_of
from sync.reconcile.sides import Side as Side
from sync.reconcile.words import Words


class Mode(StrEnum):
    """How a rule updates its target."""

    OVERWRITE = "overwrite"
    IF_EMPTY = "if_empty"
    ON_CREATE = "on_create"
    APPEND = "append"


class Policy(StrEnum):
    """Who wins where both sides changed one field."""

    LAST_MODIFIED = "last_modified"
    HUB = "hub"
    EXTERNAL = "external"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One field kept in step: ``hub`` and ``external`` name the fields, ``name`` is unique in the mapping.

    ``into`` holds the sides that may be written. ``words``: what stands for what, where the values are
    words. ``apart``: words of a set that another rule keeps in step, in small letters. ``times``: sides
    whose date can be a moment. ``template`` puts the hub's title into a ``frame``, see
    :mod:`~sync.reconcile.frames`.
    """

    name: str
    hub: str
    external: str
    hub_kind: FieldKind
    external_kind: FieldKind
    into: frozenset[Side] = frozenset(Side)
    mode: Mode = Mode.OVERWRITE
    policy: Policy = Policy.LAST_MODIFIED
    words: Words = field(default_factory=Words)
    apart: Mapping[Side, frozenset[str]] = field(default_factory=dict)
    times: frozenset[Side] = frozenset(Side)
    template: str = ""
    frame: Frame | None = None

    def framed(self, external: Record) -> Rule:
        """The rule as it is for this very object."""
        return replace(self, frame=frame_of(self.template, external)) if self.template else self

    def field(self, side: Side) -> str:
        return self.hub if side is Side.HUB else self.external

    def kind(self, side: Side) -> FieldKind:
        return self.hub_kind if side is Side.HUB else self.external_kind


@dataclass(frozen=True, slots=True)
class Pair:
    """The two forms of one value."""

    hub: Value
    external: Value

    def of(self, side: Side) -> Value:
        return self.hub if side is Side.HUB else self.external


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a value was put there by a person, by our clock, and how we know: field | record | first_read."""

    at: datetime
    known_from: str
    author: Author | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who is who. ``fallback``: hub user for an unmapped person, None leaves it empty."""

    to_external: Mapping[str, str] = field(default_factory=dict)
    to_hub: Mapping[str, str] = field(default_factory=dict)
    fallback: str | None = None

    def into(self, side: Side) -> Mapping[str, str]:
        return self.to_hub if side is Side.HUB else self.to_external


Linked: TypeAlias = Mapping[Side, Mapping[str, Ref]]
"""Side -> id of an object of the other side -> its counterpart on that side."""

Same = Callable[[str, Value, Value], bool]
"""A connector's ``same(field, sent, read)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What carrying a value across needs.

    ``through[side]``: what Markdown becomes when it is written to that side and read back.
    ``same[side]``: the connector's comparison on that side. ``zone``: in which a moment has its day.
    ``linked``: counterparts of the objects that the link at hand names.
    """

    people: People
    through: Mapping[Side, Callable[[str], str]]
    same: Mapping[Side, Same]
    zone: tzinfo = UTC
    linked: Linked = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """All that planning one link may look at.

    ``seen``: by rule name; a rule without an entry was never settled. ``stamps``: by (side, rule
    name), for rules that clash; a missing one makes the plan ask for it. ``skip``: rules that are
    parked. ``into``: sides that may be written now (direction, pauses). ``titles``: what people call the
    sides, for reasons.
    """

    hub: Record
    external: Record
    rules: tuple[Rule, ...]
    seen: Mapping[str, Pair]
    translation: Translation
    stamps: Mapping[tuple[Side, str], Stamp] = field(default_factory=dict)
    skip: frozenset[str] = frozenset()
    into: frozenset[Side] = frozenset(Side)
    tie_s: float = 2.0
    titles: Mapping[Side, str] = field(default_factory=lambda: {side: f"the {side} side" for side in Side})

    def record(self, side: Side) -> Record:
        return self.hub if side is Side.HUB else self.external


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWrite:
    """Put ``value`` into ``field`` on ``side``; ``before`` stands there now.

    ``origin`` is the side whose edit it carries. ``reason`` in plain words. ``by_hand``: a person asked
    for it, so it is no move of a loop.
    """

    side: Side
    rule: str
    field: str
    value: Value
    before: Value
    reason: str
    by_hand: bool = False

    @property
    def origin(self) -> Side:
        return self.side.other


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Both sides changed one field: ``winner`` None means nothing is written (ask).

    ``kind``: edit | first_sync | overwritten.
    """

    rule: str
    field: str
    kind: str
    policy: Policy
    winner: Side | None
    values: Pair
    hub_stamp: Stamp | None
    external_stamp: Stamp | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A word that stands on ``side`` and has no counterpart on the other."""

    side: Side
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlan:
    """What to do about one link. ``settle``: pairs that stand for one value already, no write needed.

    ``undated``: (side, rule name) whose Stamp is needed first: nothing is decided about those rules.
    ``held``: rule name -> why nothing is written although the sides differ. ``unmatched``: rule name ->
    what cannot be carried until a person says what it stands for. ``awaited``: rule name -> the objects
    that have no counterpart yet; a rule for a single one is held until it has one.
    """

    writes: tuple[FieldWrite, ...] = ()
    settle: Mapping[str, Pair] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    undated: frozenset[tuple[Side, str]] = frozenset()
    held: Mapping[str, str] = field(default_factory=dict)
    unmatched: Mapping[str, Unmatched] = field(default_factory=dict)
    awaited: Mapping[str, tuple[Unmatched, ...]] = field(default_factory=dict)


class CommentStep(StrEnum):
    """What to do about one comment."""

    COPY = "copy"
    EDIT = "edit"
    DELETE = "delete"
    SETTLE = "settle"
    LIST = "list"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentLink:
    """A comment that stands on both sides, as stored. ``source``: the side a person wrote it on.

    ``copy`` is None until a copy was made for certain; a copy that is gone later keeps its Ref.
    ``root_text`` and ``copy_text`` are the settled texts.
    """

    id: int
    source: Side
    root: Ref
    copy: Ref | None
    root_text: str
    copy_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAction:
    """One step, in the order to be done. ``into`` is the side of the copy: the only one written to.

    ``comment`` is the root and ``copy`` the copy, each as read; None where it was not found.
    """

    step: CommentStep
    into: Side
    reason: str
    comment: Comment | None = None
    link: CommentLink | None = None
    copy: Comment | None = None
