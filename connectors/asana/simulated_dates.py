"""Days and moments in requests, and what they demand of each other.

https://developers.asana.com/docs/dates-and-times; for starts see ``start_on`` and ``start_at`` of
https://developers.asana.com/reference/updatetask
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from connectors.simulation import Refused

if TYPE_CHECKING:
    from connectors.asana.simulated_call import Call


def read_day(call: Call, name: str, value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if value is not None else None
    except (TypeError, ValueError) as error:
        raise Refused(400, f"{name}: Not a valid date: {value}") from error


def read_moment(call: Call, name: str, value: Any) -> datetime | None:
    try:
        return _utc(value) if value is not None else None
    except (AttributeError, TypeError, ValueError) as error:
        raise Refused(400, f"{name}: Not a valid date and time: {value}") from error


def check_dates(values: dict[str, Any], subtype: str) -> None:
    """Raises Refused: two forms of one date, a start without an end or after it, a milestone's start."""
    for day, moment in (("due_on", "due_at"), ("start_on", "start_at")):
        if values.get(day) and values.get(moment):
            raise Refused(400, f"You may only specify one of {day} and {moment}")
    due, start = _given(values, "due"), _given(values, "start")
    if "start_at" in values and "due_at" not in values:
        raise Refused(400, "start_at: You must specify due_at in the same request")
    if "start_on" in values and not {"due_on", "due_at"} & values.keys():
        raise Refused(400, "start_on: You must specify due_on or due_at in the same request")
    if start is None:
        return
    if subtype == "milestone":
        raise Refused(400, "start_on: Milestones cannot have a start date")
    if due is None:
        raise Refused(400, "start_on: You must specify due_on or due_at in the same request")
    if _day(start) > _day(due):
        raise Refused(400, "start_on: Cannot be after the due date")


def _given(values: dict[str, Any], which: str) -> date | None:
    given: date | None = values.get(f"{which}_at") or values.get(f"{which}_on")
    return given


def _day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


def _utc(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
