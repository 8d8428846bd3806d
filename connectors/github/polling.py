"""Where polling of one list stands, and how it goes on: pure.

GitHub's lists are sorted by a time of whole seconds and filtered by it. Paging by number over a list
that people change while it is read skips what slips over the edge of a page, so pages go by key: the
next one asks for everything since the last time seen. Only where one second fills more than a page is
its rest read by number, again and again until a reading shows nothing new.

A poll starts two minutes before the newest time seen: what became visible late is still found, and
``seen`` keeps what was known already from being reported again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from connectors.github.calls import PER_PAGE, Listed
from connectors.github.fields import Payload
from connectors.github.translate import instant
from connectors.records import Json

OVERLAP_S = 120

_TOLD = (
    "updated_at",
    "title",
    "body",
    "state",
    "state_reason",
    "labels",
    "assignees",
    "comments",
    "locked",
    "draft",
    "type",
    "issue_field_values",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an item looked like: time of its update in Unix seconds, digest, number of its comments."""

    at: int
    digest: str
    comments: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """Between two requests. Times are Unix seconds, None is the beginning.

    ``since`` is where a poll starts: it stays the same as long as it can, for the sake of ``etag``.
    ``at`` is how far a poll in the middle has come; ``page`` the rest of an overfull second, ``slipped``
    whether this reading of it has shown something new.
    """

    since: int | None = None
    etag: str | None = None
    at: int | None = None
    page: str | None = None
    slipped: bool = False
    seen: Mapping[str, Seen] = field(default_factory=dict)

    @property
    def midway(self) -> bool:
        return self.at is not None or self.page is not None

    @property
    def start(self) -> int | None:
        """What the next request asks for."""
        return self.since if self.at is None else self.at

    def dump(self) -> Json:
        return {
            "since": self.since,
            "etag": self.etag,
            "at": self.at,
            "page": self.page,
            "slipped": self.slipped,
            "seen": {id: [seen.at, seen.digest, seen.comments] for id, seen in self.seen.items()},
        }

    @classmethod
    def load(cls, stored: Json) -> Position:
        seen = {id: Seen(at, digest, comments) for id, (at, digest, comments) in stored["seen"].items()}
        return cls(**{**stored, "seen": seen})


def beginning(newest: Sequence[Payload]) -> Position:
    """The present of a list, by its newest items: GitHub's own times, no clock of ours."""
    if not newest:
        return Position()
    seen = {str(item["node_id"]): look(item) for item in newest}
    since = max(known.at for known in seen.values()) - OVERLAP_S
    return Position(since=since, seen={id: known for id, known in seen.items() if known.at >= since})


def advance(position: Position, listed: Listed) -> tuple[Sequence[Payload], Position]:
    """What is new on a page, and where to go on. ``midway`` tells that more pages follow at once."""
    if listed.unchanged:
        return (), position
    looks = {str(item["node_id"]): (item, look(item)) for item in listed.items}
    new = [item for id, (item, known) in looks.items() if position.seen.get(id) != known]
    seen = {**position.seen, **{id: known for id, (_, known) in looks.items()}}
    last = max((known.at for _, known in looks.values()), default=None)

    # Whether GitHub's `since` includes the second itself is not written: ask for one second more.
    key = None if last is None else last - 1
    ahead = key is not None and (position.start is None or key > position.start)
    full_second = (position.start or 0) + 1
    slipped = position.slipped or (
        position.page is not None and any(seen[str(item["node_id"])].at <= full_second for item in new)
    )
    if listed.next and not ahead:
        return new, replace(position, page=listed.next, slipped=slipped, seen=seen, etag=None)
    if slipped:
        return new, replace(position, page=None, slipped=False, seen=seen, etag=None, at=position.start)
    if listed.next and key is not None:
        kept = _since(seen, key - OVERLAP_S)
        return new, Position(since=position.since, at=key, seen=kept)
    return new, _finished(position, listed, seen)


def _finished(position: Position, listed: Listed, seen: Mapping[str, Seen]) -> Position:
    newest = max((known.at for known in seen.values()), default=None)
    if newest is None:
        return Position(since=position.since, etag=listed.etag)
    since = position.since
    if position.midway or since is None or newest - since > 2 * OVERLAP_S:
        since = newest - OVERLAP_S
    # A full page without a next one looks the same when the next one comes into being.
    reusable = since == position.since and len(listed.items) < PER_PAGE
    return Position(since=since, etag=listed.etag if reusable else None, seen=_since(seen, since))


def _since(seen: Mapping[str, Seen], at: int) -> Mapping[str, Seen]:
    return {id: known for id, known in seen.items() if known.at >= at}


def look(item: Payload) -> Seen:
    """An issue or comment in short. The digest finds edits within one second, and of labels."""
    told: list[Any] = [item.get(name) for name in _TOLD]
    milestone = item.get("milestone") or {}
    told += [milestone.get(name) for name in ("number", "title", "due_on")]
    digest = blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8).hexdigest()
    count = item.get("comments")
    at = int(instant(item["updated_at"]).timestamp())
    return Seen(at, digest, count if isinstance(count, int) else 0)


def since_text(at: int | None) -> str | None:
    """A time as GitHub's ``since`` takes it."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
