"""What happens in a simulated workspace: the ``/events`` streams.

https://developers.asana.com/reference/events: at most 100 events per token; 412 with a fresh token at
the top level for a first, expired or superseded one.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.asana.simulated_records import Link, rfc3339
from connectors.simulation import Clock, Refused

EVENTS_PER_TOKEN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, without id or number, as at Asana. ``user`` None is the system.

    ``audience`` are the resources whose streams and webhooks show it: events bubble up from stories to
    tasks, parent tasks and projects.
    """

    user: str | None
    created_at: datetime
    action: str
    resource: Link
    parent: Link | None = None
    change: dict[str, Any] | None = None
    audience: frozenset[str] = field(default=frozenset(), repr=False)

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "user": Link("user", self.user) if self.user else None,
            "created_at": rfc3339(self.created_at),
            "action": self.action,
            "resource": self.resource,
            "parent": self.parent,
        }
        return record | ({"change": self.change} if self.change else {})


@dataclass(slots=True)
class _Position:
    """Where a sync token stands. A chain starts with each 412."""

    resource: str
    chain: str
    index: int
    since: datetime


class EventLog:
    """Every event of the workspace, by resource; ``listeners`` are told what one action made.

    Switches: ``after_s`` (events show up late in the streams), ``token_life_s``, ``lost`` (the streams
    miss what happens, as at-most-once allows).
    """

    def __init__(self, clock: Clock) -> None:
        self.after_s = 0.0
        self.token_life_s = 24 * 3600.0
        self.lost = False
        self.listeners: list[Callable[[Sequence[Event]], None]] = []
        self._clock = clock
        self._streams: dict[str, list[Event]] = defaultdict(list)
        self._tokens: dict[str, _Position] = {}
        self._used: dict[str, int] = defaultdict(int)

    def record(self, events: Sequence[Event]) -> None:
        """What one action of one user made."""
        for event in events if not self.lost else ():
            for resource in event.audience:
                self._streams[resource].append(event)
        for listener in self.listeners:
            listener(events)

    def expire_tokens(self) -> None:
        """Every token given out so far answers 412 from now on."""
        self._tokens.clear()

    def read(self, resource: str, token: str | None) -> tuple[Sequence[Event], str, bool]:
        """Events since the token, the next token, whether there is more.

        Raises:
            Refused: 412 with a fresh token.
        """
        stream = self._streams[resource]
        now = self._clock.now()
        shown = len(stream)
        while shown and stream[shown - 1].created_at > now - timedelta(seconds=self.after_s):
            shown -= 1
        position = self._tokens.get(token or "")
        if (
            position is None
            or position.resource != resource
            or position.index < self._used[position.chain]
            or now - position.since > timedelta(seconds=self.token_life_s)
        ):
            fresh = self._token(_Position(resource, secrets.token_hex(4), len(stream), now))
            raise Refused(
                412,
                "Sync token invalid or too old. If you are attempting to keep resources in sync, you must "
                "fetch the full dataset for this query now and use the new sync token for the next sync.",
                sync=fresh,
            )
        self._used[position.chain] = position.index
        end = max(min(shown, position.index + EVENTS_PER_TOKEN), position.index)
        if end == position.index:
            return (), token or "", False
        fresh = self._token(_Position(resource, position.chain, end, now))
        return stream[position.index : end], fresh, end < shown

    def _token(self, position: _Position) -> str:
        token = f"{position.chain}{secrets.token_hex(12)}"
        self._tokens[token] = position
        return token


def changed(field: str, action: str = "changed", value: Link | None = None) -> dict[str, Any]:
    """The ``change`` of an event: values only where they are resources themselves."""
    key = {"changed": "new_value", "added": "added_value", "removed": "removed_value"}[action]
    return {"field": field, "action": action} | ({key: value} if value else {})


def seen_by(event: Event, filters: Collection[dict[str, Any]]) -> bool:
    """Whether any of a webhook's filters lets the event through; without filters all do."""
    return not filters or any(_passes(event, filter_) for filter_ in filters)


def _passes(event: Event, filter_: dict[str, Any]) -> bool:
    fields = filter_.get("fields")
    return (
        filter_.get("resource_type") in (None, event.resource.kind)
        and filter_.get("resource_subtype") in (None, event.resource.subtype)
        and filter_.get("action") in (None, event.action)
        and (not fields or (event.change is not None and event.change["field"] in fields))
    )
