"""What a change of a task's fields drags along, and the history that it leaves. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from connectors.asana.simulated_records import Link, Task

# field -> (the story it makes, those stories' names for the old and new value)
_HISTORY = {
    "name": ("name_changed", "name"),
    "html_notes": ("notes_changed", None),
    "approval_status": ("approval_status_changed", "approval_status"),
    "resource_subtype": ("resource_subtype_changed", "resource_subtype"),
}
_DATES = ("due_on", "due_at", "start_on", "start_at")
EVENT_FIELD = {"html_notes": "notes"}
"""What events call a field, where that is not its name."""


def dragged(subtype: str, values: dict[str, Any]) -> dict[str, Any]:
    """With the fields that others drag along: approvals, and the two forms of a date."""
    values = dict(values)
    if subtype == "approval":
        if "approval_status" in values:
            values["completed"] = values["approval_status"] != "pending"
        elif "completed" in values:
            values["approval_status"] = "approved" if values["completed"] else "pending"
        elif "resource_subtype" in values:
            values["approval_status"] = "pending"
    for day, moment in (("due_on", "due_at"), ("start_on", "start_at")):
        if day in values or moment in values:
            at = values.get(moment)
            values |= {moment: at, day: None if at else values.get(day)}
    if "due_on" in values and not (values["due_on"] or values["due_at"]):
        values |= {"start_on": None, "start_at": None}  # no start without an end
    return values


def history(before: Task, task: Task, values: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """The stories that a change of fields makes: subtype and old and new values."""
    for name, (subtype, told) in _HISTORY.items():
        if name in values:
            told_values = {f"old_{told}": getattr(before, name), f"new_{told}": getattr(task, name)}
            yield subtype, told_values if told else {}
    if "assignee" in values:
        yield ("assigned", {"assignee": Link("user", task.assignee)}) if task.assignee else ("unassigned", {})
    if "completed" in values:
        yield "marked_complete" if task.completed else "marked_incomplete", {}
    if any(name in values for name in _DATES):
        yield "due_date_changed", {"old_dates": _dates(before), "new_dates": _dates(task)}


def _dates(task: Task) -> dict[str, Any]:
    """The three that stories tell of."""
    return story_dates(start_on=task.start_on, due_at=task.due_at, due_on=task.due_on)


def story_dates(*, start_on: date | None, due_at: datetime | None, due_on: date | None) -> dict[str, Any]:
    """As stories write dates: a day that is none is left out."""
    return {"start_on": start_on, "due_at": due_at} | ({"due_on": due_on} if due_on else {})


def union(old: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*old, *(value for value in more if value)]))
