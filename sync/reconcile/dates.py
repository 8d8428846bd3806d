"""Days and moments: what a date of one side is on the other.

A day is the same day everywhere: no time zone ever moves it. A moment is a day only in a time zone, the
mapping's; it becomes one where the other side holds days alone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

from connectors.records import Value


def is_moment(value: Value) -> bool:
    return isinstance(value, str) and "T" in value


def carry_date(value: Value, current: Value, zone: tzinfo, *, times: bool, whole: bool) -> Value:
    """What a date field shall hold so that it stands for ``value`` of the other side.

    Args:
        current: what stands there now.
        times: whether it can hold a moment.
        whole: whether the other side can, so that a day over there is meant as a day.
    """
    if value is None or value == "":
        return None
    if is_moment(value):
        return value if times else day_of(str(value), zone)
    if not times or whole or not is_moment(current):
        return value
    return _on(str(value), str(current), zone)


def day_of(moment: str, zone: tzinfo) -> str:
    """The day on which that moment lies."""
    return instant(moment).astimezone(zone).date().isoformat()


def instant(moment: str) -> datetime:
    at = datetime.fromisoformat(moment)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _on(day: str, moment: str, zone: tzinfo) -> str:
    """The same time of another day: who moves the day of an appointment has said nothing of its hour."""
    if day_of(moment, zone) == day:
        return moment
    time = instant(moment).astimezone(zone).time()
    there = datetime.combine(date.fromisoformat(day), time, zone)
    moved = there.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # some days never were in some zones, where the date line was moved
    return moved if day_of(moved, zone) == day else day
