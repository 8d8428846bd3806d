"""What was done to the fields of all issues of a repository, out of GitHub's one list of it.

The list is newest first and cannot be asked for a time: it is read until entries come that are known
since a minute (docs.github.com/rest/issues/events, "List issue events for a repository").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from connectors.errors import RetryLater
from connectors.github.client import Client
from connectors.github.history import field_times
from connectors.github.translate import instant
from connectors.github.whereabouts import Whereabouts
from connectors.records import FieldTime, Json, Ref

_AGAIN_S = 60
"""So long an entry is told again: what it shows may be understood only with what comes after it."""
_PAGES = 50
_OFFERED_AGAIN_S = 86_400


@dataclass(frozen=True, slots=True)
class Heard:
    """Where reading stands. Times are Unix seconds; ``none_until``: the list is not offered here."""

    newest: int | None = None
    etag: str | None = None
    none_until: int = 0

    @classmethod
    def load(cls, stored: Json) -> Heard:
        return cls(**stored) if stored else cls()

    def dump(self) -> Json:
        return asdict(self)


async def heard_of(
    client: Client, known: Whereabouts, container: str, heard: Heard
) -> tuple[Mapping[Ref, Sequence[FieldTime]] | None, Heard]:
    """(what was done to fields lately, or None where that is not told; where to go on)."""
    now = int(datetime.now(UTC).timestamp() + client.clock_offset_s)
    if now < heard.none_until:
        return None, heard
    since = (heard.newest or now) - _AGAIN_S
    told: dict[Ref, list[FieldTime]] = defaultdict(list)
    newest, etag, page = heard.newest, None, None
    for at_page in range(_PAGES):
        is_over = heard.newest is None or now - heard.newest > _AGAIN_S
        try:
            listed = await client.issue_events(
                container, page=page, etag=heard.etag if is_over and at_page == 0 else None
            )
        except RetryLater as error:
            if error.limited:
                raise
            return None, heard
        if listed is None:
            return None, Heard(none_until=now + _OFFERED_AGAIN_S)
        if listed.unchanged:
            return {}, heard
        etag = listed.etag if at_page == 0 else etag
        for event in listed.items:
            ref, at = known.event_ref(event, container), instant(event["created_at"])
            newest = max(newest or 0, int(at.timestamp()))
            if ref is not None:
                told[ref] += field_times([event], datetime.fromtimestamp(since, UTC) - timedelta(seconds=1))
        page = listed.next
        if page is None or (listed.items and _at(listed.items[-1]["created_at"]) < since):
            edits = {ref: tuple(reversed(times)) for ref, times in told.items() if times}
            return edits, Heard(newest=newest, etag=etag)
    return None, Heard(newest=newest)


def _at(text: str) -> int:
    return int(instant(text).timestamp())
