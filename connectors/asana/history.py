"""Asana's own history of a task: the stories that no person writes -> when a field was changed. Pure.

A story's text is in somebody's language and changes with Asana: ``resource_subtype`` and the old and new
values are read (https://developers.asana.com/reference/stories).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.asana.custom_fields import PREFIX
from connectors.asana.dates import day_or_moment, moment
from connectors.asana.stories import STORY_FIELDS
from connectors.asana.translate import Row, author_of
from connectors.records import CLOSED, OPEN, FieldTime, Value

HISTORY_FIELDS = (
    *STORY_FIELDS,
    *(
        f"{age}_{name}"
        for age in ("old", "new")
        for name in (
            "name",
            "section",
            "dates",
            "text_value",
            "number_value",
            "enum_value",
            "multi_enum_values.name",
            "date_value",
            "people_value",
        )
    ),
    "custom_field.name",
    "assignee",
)
"""``opt_fields`` of the history."""

_FIELD = {
    "name_changed": "title",
    "notes_changed": "notes",
    "marked_complete": "state",
    "marked_incomplete": "state",
    "assigned": "assignee",
    "unassigned": "assignee",
    "follower_added": "followers",
    "added_to_tag": "labels",
    "removed_from_tag": "labels",
    "section_changed": "section",
}
"""resource_subtype -> the field it is the history of."""

_ASSIGNEE = "assignee"
_CUSTOM = "_custom_field_changed"

_Values = tuple[Value, Value] | None
"""(before, after) where the story tells both."""


def field_times(rows: Iterable[Row], since: datetime) -> list[FieldTime]:
    """The history of the task's fields since then, oldest first."""
    times = sorted((time for row in rows for time in _times(row)), key=lambda time: time.at)
    return [time for time in _with_assignees(times) if time.at >= since]


def _with_assignees(times: Iterable[FieldTime]) -> Iterator[FieldTime]:
    """A story names only whom the task came to: who had it before is what the story before says."""
    last: FieldTime | None = None
    for time in times:
        if time.field != _ASSIGNEE:
            yield time
            continue
        known = time.has_values and last is not None and last.has_values
        yield (
            replace(time, before=last.after, has_values=True)
            if known and last
            else replace(time, has_values=False)
        )
        last = time


def _times(row: Row) -> Iterator[FieldTime]:
    at = moment(row.get("created_at"))
    if at is None:
        return
    for field, values in _told(str(row.get("resource_subtype")), row):
        before, after = values or (None, None)
        yield FieldTime(
            field=field,
            at=at,
            author=author_of(row),
            has_values=values is not None,
            before=before,
            after=after,
        )


def _told(subtype: str, row: Row) -> Iterator[tuple[str, _Values]]:
    """The fields that a story is about, with their values."""
    if subtype == "due_date_changed":
        yield from _dates(row)
    elif subtype.endswith(_CUSTOM):
        gid = _part(row, "custom_field").get("gid")
        if gid:
            yield PREFIX + gid, _custom(subtype.removesuffix(_CUSTOM), row)
    elif subtype in _FIELD:
        yield _FIELD[subtype], _plain(subtype, row)


def _plain(subtype: str, row: Row) -> _Values:
    if subtype == "marked_complete":
        return OPEN, CLOSED
    if subtype == "marked_incomplete":
        return CLOSED, OPEN
    if subtype == "unassigned":
        return None, None
    if subtype == "assigned" and (assignee := _part(row, _ASSIGNEE).get("gid")):
        return None, str(assignee)
    old, new = row.get("old_name"), row.get("new_name")
    if subtype == "name_changed" and isinstance(old, str) and isinstance(new, str):
        return old, new
    old, new = row.get("old_section"), row.get("new_section")
    if subtype == "section_changed" and isinstance(old, dict) and isinstance(new, dict):
        return old.get("gid"), new.get("gid")
    return None


def _dates(row: Row) -> Iterator[tuple[str, _Values]]:
    """One story tells of both dates. Of a start it tells the day alone: that is no value to compare."""
    old, new = _part(row, "old_dates"), _part(row, "new_dates")
    if not (old or new):
        yield "due", None
        return
    before, after = (day_or_moment(dates.get("due_on"), dates.get("due_at")) for dates in (old, new))
    if before != after:
        yield "due", (before, after)
    if before == after or old.get("start_on") != new.get("start_on"):
        yield "start", None


def _custom(type_: str, row: Row) -> _Values:
    """The values of a custom field, as :func:`connectors.asana.custom_fields.custom_values` has them."""
    name = "multi_enum_values" if type_ == "multi_enum" else f"{type_}_value"
    keys = f"old_{name}", f"new_{name}"
    if not any(key in row for key in keys):
        return None
    before, after = (_value(type_, row.get(key)) for key in keys)
    return before, after


def _value(type_: str, told: Any) -> Value:
    if type_ == "date" and isinstance(told, Mapping):
        return day_or_moment(told.get("due_on"), told.get("due_at"))
    if type_ == "enum" and isinstance(told, Mapping):
        return str(told.get("gid"))
    if type_ in ("multi_enum", "people"):
        key = "name" if type_ == "multi_enum" else "gid"
        listed = told if isinstance(told, list) else []
        return tuple(sorted(str(each.get(key)) for each in listed if isinstance(each, Mapping)))
    if type_ == "text":
        return str(told or "")
    return told if isinstance(told, int | float) else None


def _part(row: Row, name: str) -> Row:
    part = row.get(name)
    return part if isinstance(part, Mapping) else {}
