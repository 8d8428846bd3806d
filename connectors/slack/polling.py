"""Polling a channel: Slack lists no changes, so the newest messages are compared with the last look. Pure.

A position holds a digest of each thread in a window of the newest :data:`WINDOW`. What is older is told
of by events, and by the full pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.changes import Change, Page
from connectors.records import Json
from connectors.slack import translate
from connectors.slack.people import Payload, View
from connectors.slack.places import thread_ref

WINDOW = 200

Digest = list[str]


@dataclass(frozen=True, slots=True)
class Position:
    """``since``: where the window begins. ``seen``: digest by time. ``next_page`` and ``found``: of a look
    that goes on."""

    since: str = "0"
    seen: Mapping[str, Digest] = field(default_factory=dict)
    next_page: str = ""
    found: Mapping[str, Digest] = field(default_factory=dict)

    @classmethod
    def from_json(cls, cursor: Json) -> Position:
        given: dict[str, Any] = cursor if isinstance(cursor, dict) else {}
        return cls(
            str(given.get("since", "0")),
            given.get("seen", {}),
            str(given.get("next", "")),
            given.get("found", {}),
        )

    def to_json(self) -> Json:
        return {"since": self.since, "seen": self.seen, "next": self.next_page, "found": self.found}


def page(
    position: Position, messages: Sequence[Payload], following: str, channel: str, view: View, *, first: bool
) -> Page:
    """What one page of history tells.

    Args:
        following: cursor of the page after it; of the ``first`` look ever only one page is needed.
    """
    living = [each for each in messages if translate.is_object(each, view.us)]
    found = {**position.found, **{str(each["ts"]): translate.digest(each) for each in living}}
    if first:
        return Page(changes=(), cursor=_rested(found, following).to_json())
    changes = [
        _change(each, digest, position.seen.get(str(each["ts"])), channel, view)
        for each in living
        if (digest := found[str(each["ts"])]) != position.seen.get(str(each["ts"]))
    ]
    if following:
        going_on = Position(position.since, position.seen, following, found)
        return Page(changes=tuple(changes), cursor=going_on.to_json(), more=True)
    missing = sorted(set(position.seen) - set(found))
    changes += [Change(ref=thread_ref(view.us.team, channel, ts)) for ts in missing]
    return Page(changes=tuple(changes), cursor=_rested(found, "").to_json())


def _rested(found: Mapping[str, Digest], following: str) -> Position:
    """The position after a whole look: the window is what was found last."""
    newest = sorted(found, key=float)[-WINDOW:]
    whole = len(found) <= WINDOW and not following
    since = "0" if whole or not newest else newest[0]
    return Position(since=since, seen={ts: found[ts] for ts in newest})


def _change(message: Payload, digest: Digest, before: Digest | None, channel: str, view: View) -> Change:
    """A message gets no newer by its replies: where those differ, its record would say that nothing is."""
    record = translate.record(message, channel, view)
    replies = digest[1] != (before[1] if before else "0:")
    return Change(ref=record.ref, at=record.modified_at, record=None if replies else record, comments=replies)
