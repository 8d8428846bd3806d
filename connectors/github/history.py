"""GitHub's own history of an issue: what its timeline says about fields. Pure.

Edits of the body leave no entry. Of sets an entry tells one element, not what stood there. A milestone
is told by its title, and another one in its place as two entries: the old one taken off, the new one set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.github.fields import STATE_REASON, TYPE, Payload
from connectors.github.translate import author_of, instant
from connectors.records import CLOSED, OPEN, PARENT, FieldTime, Value

_MILESTONE: Final = "milestone"

_FIELD_OF_EVENT = {
    "renamed": "title",
    "closed": "state",
    "reopened": "state",
    "assigned": "assignee",
    "unassigned": "assignee",
    "labeled": "labels",
    "unlabeled": "labels",
    "milestoned": _MILESTONE,
    "demilestoned": _MILESTONE,
    "issue_type_added": TYPE,
    "issue_type_changed": TYPE,
    "issue_type_removed": TYPE,
    "parent_issue_added": PARENT,
    "parent_issue_removed": PARENT,
}
_AT_ONCE = timedelta(seconds=1)

_Values = tuple[Value, Value] | None
"""(before, after) where the history tells both."""


def field_times(
    events: Iterable[Payload], since: datetime, milestones: Mapping[str, str] | None = None
) -> Iterator[FieldTime]:
    """What a timeline, oldest entry first, says about fields since then.

    Args:
        milestones: number -> title; without them no values of milestones are told.
    """
    placed = _Milestones({title: number for number, title in (milestones or {}).items()})
    for event in events:
        kind, created_at = event.get("event"), event.get("created_at")
        if kind not in _FIELD_OF_EVENT or not created_at:
            continue
        field, at = _FIELD_OF_EVENT[kind], instant(created_at)
        values = placed.values(event, at) if field == _MILESTONE else _values(kind, event)
        if at < since:
            continue
        actor = author_of(event["actor"]) if event.get("actor") else None
        if field == "state":  # the reason goes with it
            yield FieldTime(field=STATE_REASON, at=at, author=actor)
        before, after = values or (None, None)
        yield FieldTime(
            field=field, at=at, author=actor, has_values=values is not None, before=before, after=after
        )


def _values(kind: str, event: Payload) -> _Values:
    if kind == "closed":
        return OPEN, CLOSED
    if kind == "reopened":
        return CLOSED, OPEN
    rename = event.get("rename")
    if kind == "renamed" and rename:
        return str(rename["from"]), str(rename["to"])
    before, after = (_id(event.get(name)) for name in ("prev_issue_type", "issue_type"))
    if kind == "issue_type_changed" and before and after:
        return before, after
    if kind == "issue_type_added" and after:
        return None, after
    return None


def _id(type_: Payload | None) -> str | None:
    return str(type_["id"]) if type_ and type_.get("id") is not None else None


@dataclass(slots=True)
class _Milestones:
    """``stood``: what stood there after the last entry, where ``known``. ``left``: what went, and when."""

    numbers: Mapping[str, str]
    known: bool = False
    stood: str | None = None
    left: tuple[str | None, datetime] | None = None

    def values(self, event: Payload, at: datetime) -> _Values:
        number = self.numbers.get(str((event.get("milestone") or {}).get("title")))
        if number is None:
            self.known, self.left = False, None
            return None
        if event["event"] == "demilestoned":
            self.known, self.stood, self.left = True, None, (number, at)
            return number, None
        before, known = self.stood, self.known
        if self.left is not None and at - self.left[1] <= _AT_ONCE:
            before = self.left[0]
        self.known, self.stood, self.left = True, number, None
        return (before, number) if known else None
