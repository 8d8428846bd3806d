"""Asana's events, from webhooks and from ``/events``: what each tells us to look at. Pure.

Events carry no values, no id and no order (https://developers.asana.com/docs/webhooks-guide): all
events of a task become one Change, and only a deletion is taken for more than a hint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.asana.dates import moment
from connectors.asana.translate import Row, comment_ref, task_ref
from connectors.changes import Change
from connectors.records import Gone, Ref

_EPOCH = datetime.fromtimestamp(0, UTC)
_COMMENT = "comment_added"
_DISCUSSED = (_COMMENT, "attachment_added")
"""Stories after which the comments and files of a task are looked at."""


@dataclass(frozen=True, slots=True)
class _Event:
    ref: Ref
    at: datetime | None
    actor: str | None
    action: str
    comments: bool


def changes_of(events: Iterable[Any], site: str) -> tuple[tuple[Change, ...], str]:
    """(one Change for each task, why the other events were left alone)."""
    readable, ignored = [], set()
    for event in events:
        read = _read(event, site)
        if isinstance(read, str):
            ignored.add(read)
        else:
            readable.append(read)
    readable.sort(key=lambda event: event.at or _EPOCH)
    found: dict[Ref, Change] = {}
    for event in readable:
        found[event.ref] = _noted(found.get(event.ref), event)
    return tuple(found.values()), "; ".join(sorted(ignored))


def kind_of(event: Any) -> str:
    """The type of what an event is about; empty where it does not say."""
    return str(_part(event, "resource").get("resource_type") or _text(event, "type"))


def with_events(listed: Sequence[Change], told: Sequence[Change]) -> tuple[Change, ...]:
    """One Change for each object out of a listing and the events read after it.

    A comment may be edited while its task stays as it was: then the task's record says nothing new,
    and is left out lest the Change be taken for an echo.
    """
    changes = {change.ref: change for change in listed}
    for event in told:
        seen = changes.get(event.ref)
        if seen is None or seen.record is None:
            changes[event.ref] = event
            continue
        came_back = event.at is not None and seen.record.modified_at > event.at
        gone = None if came_back else event.gone
        record = None if event.comments else seen.record
        changes[event.ref] = replace(seen, actor=event.actor, record=record, gone=gone)
    return tuple(changes.values())


def _noted(before: Change | None, event: _Event) -> Change:
    gone = before.gone if before else None
    if event.action == "deleted":
        gone = Gone("Asana's deleted event")
    elif event.action == "undeleted":
        gone = None
    return Change(
        ref=event.ref,
        at=event.at,
        # Several users in one Change: unknown, so that nobody takes it for our own echo.
        actor=event.actor if before is None or before.actor == event.actor else None,
        comments=event.comments or (before is not None and before.comments),
        gone=gone,
    )


def _read(event: Any, site: str) -> _Event | str:
    """The event, or why it is none of ours."""
    resource, parent = _part(event, "resource"), _part(event, "parent")
    kind, gid = kind_of(event), resource.get("gid")
    action = _text(event, "action")
    if not isinstance(gid, str) or not gid:
        return "an event without a resource"
    at, actor = moment(_text(event, "created_at")), _part(event, "user").get("gid")
    if kind == "task":
        return _Event(task_ref(site, gid), at, actor, action, comments=False)
    if kind != "story":
        return f"{kind} {action}: not synced"
    subtype = resource.get("resource_subtype", _COMMENT)
    task = parent.get("gid")
    if task and parent.get("resource_type", "task") == "task":
        # What happens to a story is no more than a change of its task.
        return _Event(task_ref(site, task), at, actor, "changed", subtype in _DISCUSSED)
    if subtype == _COMMENT:
        return _Event(comment_ref(site, gid), at, actor, "changed", comments=True)
    return f"story {action} without its task: not synced"


def _part(event: Any, name: str) -> Row:
    part = event.get(name) if isinstance(event, dict) else None
    return part if isinstance(part, dict) else {}


def _text(event: Any, name: str) -> str:
    text = event.get(name) if isinstance(event, dict) else None
    return text if isinstance(text, str) else ""
