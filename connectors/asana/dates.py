"""Due and start dates: a day or a moment, which Asana keeps in two parameters each. Pure.

A moment is read from ``due_at`` alone: the ``due_on`` beside it is the day in somebody's time zone.
https://developers.asana.com/docs/dates-and-times
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.errors import Park, ParkClass
from connectors.records import Fields, Value

DATE_FIELDS = ("due_on", "due_at", "start_on", "start_at")
"""``opt_fields`` of both dates."""


def moment(text: Any) -> datetime | None:
    """An Asana time (ISO 8601, milliseconds, UTC) as aware UTC; None where it is not one."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def timestamp(at: datetime) -> str:
    """As Asana writes it, so that text compares like time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_moment(value: Value) -> bool:
    return isinstance(value, str) and "T" in value


def day_or_moment(day: Any, at: Any) -> str | None:
    """One date out of its two forms; None where there is none."""
    read = moment(at)
    if read is not None:
        return timestamp(read)
    return day if isinstance(day, str) and day else None


def dates_of(row: Mapping[str, Any]) -> dict[str, Value]:
    """``due`` and ``start`` of a task; without a key for it a date is unknown."""
    return {
        name: day_or_moment(row.get(f"{name}_on"), row.get(f"{name}_at"))
        for name in ("due", "start")
        if f"{name}_on" in row or f"{name}_at" in row
    }


def date_data(fields: Fields, standing: Fields) -> dict[str, str | None]:
    """The parameters that write ``due`` and ``start``.

    A start is taken, and taken away, only together with the due date; a task that loses its due date
    loses its start (https://developers.asana.com/reference/updatetask, ``start_on``).

    Args:
        standing: what the task holds now.

    Raises:
        Park: a start without a due date, or with a time where the due date has none.
    """
    if not {"due", "start"} & fields.keys():
        return {}
    due = fields["due"] if "due" in fields else standing.get("due")
    start = fields["start"] if "start" in fields else standing.get("start")
    if "start" in fields and start is not None:
        _check_start(start, due)
    written = _form("due", due, standing)
    if "start" in fields or (due is None and start is not None):
        written |= _form("start", start if due is not None else None, standing)
    return written


def same_date(sent: Value, read: Value) -> bool:
    """One day, or one moment however it is written."""
    if is_moment(sent) and is_moment(read):
        return moment(sent) == moment(read)
    return sent == read


def _check_start(start: Value, due: Value) -> None:
    if due is None:
        raise Park(
            "Asana takes a start date only for a task that has a due date",
            park_class=ParkClass.NOT_SUPPORTED,
            field="start",
            fix="Give the task a due date, then retry.",
        )
    if is_moment(start) and not is_moment(due):
        raise Park(
            "Asana takes a start with a time only for a task whose due date has a time",
            park_class=ParkClass.NOT_SUPPORTED,
            field="start",
            fix="Give the task's due date a time, or its start none, then retry.",
        )


def _form(name: str, value: Value, standing: Fields) -> dict[str, str | None]:
    """The parameter for the value; nothing is said by the one in which the date stands."""
    in_time = is_moment(value if value is not None else standing.get(name))
    return {f"{name}_at" if in_time else f"{name}_on": None if value is None else str(value)}
