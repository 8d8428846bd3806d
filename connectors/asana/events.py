"""Asana's events, from webhooks and from ``/events``: what each tells us to look at. Pure.

Events carry no values, no id and no order (https://developers.asana.com/docs/webhooks-guide): all
events of a task become one Change, and only a deletion is taken for more than a hint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.asana.custom_fields import PREFIX
from connectors.asana.dates import moment
from connectors.asana.translate import Row, comment_ref, task_ref
from connectors.changes import Change
from connectors.records import Author, FieldTime, Gone, Ref

_EPOCH = datetime.fromtimestamp(0, UTC)
_COMMENT = "comment_added"
_DISCUSSED = (_COMMENT, "attachment_added")
"""Stories after which the comments and files of a task are looked at."""


_FIELD = {
    "name": "title",
    "assignee": "assignee",
    "due_on": "due",
    "due_at": "due",
    "start_on": "start",
    "start_at": "start",
}
"""What events call a field of whose values stories tell."""


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


def edits_of(events: Iterable[Any], site: str) -> dict[Ref, tuple[FieldTime, ...]]:
    """What was done to single fields, without values; one action may be several events."""
    found: dict[Ref, dict[FieldTime, None]] = {}
    for event in events:
        at, name = moment(_text(event, "created_at")), _field_of(event)
        if at is None or not name:
            continue
        kind = kind_of(event)
        task = (_part(event, "resource") if kind == "task" else _part(event, "parent")).get("gid")
        actor = _part(event, "user").get("gid")
        if isinstance(task, str) and task:
            time = FieldTime(field=name, at=at, author=Author(actor, actor) if actor else None)
            found.setdefault(task_ref(site, task), {})[time] = None
    return {ref: tuple(times) for ref, times in found.items()}


def latest_edits(events: Sequence[Any], within: timedelta) -> list[Any]:
    """Of the events about single fields the latest ones: those ``within`` that time of the newest."""
    times = [moment(_text(event, "created_at")) if _field_of(event) else None for event in events]
    newest = max((at for at in times if at is not None), default=None)
    if newest is None:
        return []
    return [
        event for event, at in zip(events, times, strict=True) if at is not None and at >= newest - within
    ]


def _field_of(event: Any) -> str:
    """The field that was changed; empty where stories tell no value of it."""
    if kind_of(event) == "story":
        return "section" if _part(event, "resource").get("resource_subtype") == "section_changed" else ""
    change = _part(event, "change")
    if change.get("field") == "custom_fields":
        gid = _part(change, "new_value").get("gid")
        return f"{PREFIX}{gid}" if gid else ""
    return _FIELD.get(str(change.get("field")), "")


def kind_of(event: Any) -> str:
    """The type of what an event is about; empty where it does not say."""
    return str(_part(event, "resource").get("resource_type") or _text(event, "type"))


def with_events(listed: Sequence[Change], told: Sequence[Change]) -> tuple[Change, ...]:
    """One Change for each object out of a listing and the events read after it.

    A comment may be edited while its task stays as it was: then the task's record says nothing new,
    and is left out lest the Change be taken for an echo.
    """
    changes = {change.ref: change for change in listed}
    for ref, event in _by_task(told).items():
        seen = changes.get(ref)
        if seen is None or seen.record is None:
            changes[ref] = event
            continue
        came_back = event.at is not None and seen.record.modified_at > event.at
        gone = None if came_back else event.gone
        record = None if event.comments else seen.record
        comments = seen.comments or event.comments
        changes[ref] = replace(seen, actor=event.actor, record=record, comments=comments, gone=gone)
    return tuple(changes.values())


def _by_task(told: Sequence[Change]) -> dict[Ref, Change]:
    """What was told of a task itself, and of a comment of which only a look showed whose it is, as one."""
    found: dict[Ref, Change] = {}
    for change in told:
        before = found.get(change.ref)
        if before is not None:
            change = replace(
                change,
                at=max(filter(None, (before.at, change.at)), default=None),
                actor=change.actor if change.actor == before.actor else None,
                comments=change.comments or before.comments,
                gone=change.gone or before.gone,
            )
        found[change.ref] = change
    return found


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
