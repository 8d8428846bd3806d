"""The fields of a task write: what may be written, and in which form.

https://developers.asana.com/reference/updatetask
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.asana import simulated_richtext as richtext
from connectors.asana.simulated_call import Call
from connectors.asana.simulated_dates import check_dates, read_day, read_moment
from connectors.asana.simulated_records import Task
from connectors.simulation import Refused

_IGNORED = {"liked", "assignee_section", "assignee_status", "custom_type", "custom_type_status_option"}
"""Documented and accepted, without a meaning here."""
PLACING = {"projects", "memberships", "tags", "followers", "parent", "workspace"}
"""Only when a task is made."""
WRITABLE = {
    "name",
    "notes",
    "html_notes",
    "completed",
    "assignee",
    "due_on",
    "due_at",
    "start_on",
    "start_at",
    "external",
    "approval_status",
    "resource_subtype",
    "custom_fields",
}
_APPROVALS = ("pending", "approved", "rejected", "changes_requested")
_SUBTYPES = ("default_task", "milestone", "approval")


def task_values(
    call: Call, data: dict[str, Any], allowed: set[str], task: Task | None = None
) -> dict[str, Any]:
    """The fields of a task write, checked; without custom fields and those that place a new task.

    Args:
        task: as it stands; None: it is being made.
    """
    for name in data:
        if name not in allowed | _IGNORED:
            raise Refused(400, f"{name}: Cannot write this property")
    if {"notes", "html_notes"} <= data.keys():
        raise Refused(400, "Only one of notes and html_notes can be specified")
    if task is not None and task.resource_subtype == "custom" and "completed" in data:
        raise Refused(400, "completed: The status of this task's type decides whether it is completed")
    values: dict[str, Any] = {}
    for name in data.keys() & (WRITABLE - {"notes", "html_notes", "custom_fields"}):
        value = _READ[name](call, name, data[name])
        if name != "external" or call.token.oauth:
            values[name] = value
    if "notes" in data:
        values["html_notes"] = richtext.from_text(typed("notes", data["notes"], str))
    if "html_notes" in data:
        html = typed("html_notes", data["html_notes"], str)
        values["html_notes"] = richtext.read_back(
            html, comment=False, named=call.answers.named, autolink=call.autolink
        )
    check_dates(values, values.get("resource_subtype", task.resource_subtype if task else "default_task"))
    return values


def typed(name: str, value: Any, type_: type) -> Any:
    if not isinstance(value, type_):
        raise Refused(400, f"{name}: Value is not a {type_.__name__}: {value!r}")
    return value


def _one_of(words: tuple[str, ...]) -> Callable[[Call, str, Any], Any]:
    def read(call: Call, name: str, value: Any) -> Any:
        if value not in words:
            raise Refused(400, f"{name}: Must be one of {', '.join(words)}")
        return value

    return read


_READ: dict[str, Callable[[Call, str, Any], Any]] = {
    "name": lambda call, name, value: richtext.printable(typed(name, value, str)),
    "completed": lambda call, name, value: typed(name, value, bool),
    "assignee": lambda call, name, value: call.user(name, value).gid if value is not None else None,
    "external": lambda call, name, value: typed(name, value, dict),
    "approval_status": _one_of(_APPROVALS),
    "resource_subtype": _one_of(_SUBTYPES),
    "due_on": read_day,
    "start_on": read_day,
    "due_at": read_moment,
    "start_at": read_moment,
}
