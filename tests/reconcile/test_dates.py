"""A day is the same day in every time zone; a moment has one in the mapping's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import FieldKind, Value
from sync.reconcile import plan_link
from sync.reconcile.dates import carry_date, day_of
from sync.reconcile.model import Pair, Rule, Side
from tests.reconcile.world import EXTERNAL, HUB, look, rule, stamps, translation, written

BOTH = rule(FieldKind.DATE)
DAYS = rule(FieldKind.DATE, times=frozenset({HUB}))
"""The external side holds days alone."""

NOON = "2026-01-31T12:00:00.000Z"
LATE = "2026-01-31T23:30:00.000Z"

ZONES = st.sampled_from(sorted(available_timezones()))
MOMENTS = st.integers(0, 2**31).map(lambda second: datetime.fromtimestamp(second, UTC))


def planned(
    one: Rule, hub: Value, external: Value, seen: Pair | None = None, zone: str = "UTC"
) -> dict[Side, Value]:
    view = look(one, hub, external, seen, translation=replace(translation(), zone=ZoneInfo(zone)))
    return written(plan_link(replace(view, stamps=stamps(60, 0))))


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", "2026-01-31"),
        ("Europe/Berlin", "2026-02-01"),
        ("America/New_York", "2026-01-31"),
        ("Pacific/Kiritimati", "2026-02-01"),
        ("Etc/GMT+12", "2026-01-31"),
    ],
)
def test_a_moment_becomes_the_day_of_the_time_zone(zone: str, day: str) -> None:
    assert planned(DAYS, LATE, None, Pair(None, None), zone) == {EXTERNAL: day}
    assert planned(DAYS, LATE, day, zone=zone) == {}  # it is what the moment means: nothing to do


def test_a_day_goes_as_a_day() -> None:
    assert planned(DAYS, "2026-01-31", None, Pair(None, None), "Pacific/Kiritimati") == {
        EXTERNAL: "2026-01-31"
    }
    assert planned(BOTH, "2026-01-31", None, Pair(None, None)) == {EXTERNAL: "2026-01-31"}
    assert planned(BOTH, None, "2026-01-31", Pair("2026-01-31", "2026-01-31")) == {EXTERNAL: None}


def test_where_both_hold_moments_a_day_is_meant_as_a_day() -> None:
    assert planned(BOTH, "2026-01-31", NOON, Pair(NOON, NOON)) == {EXTERNAL: "2026-01-31"}


def test_one_moment_has_several_spellings() -> None:
    assert planned(BOTH, "2026-01-31T13:00:00+01:00", NOON, Pair(NOON, NOON)) == {}


def test_the_hour_stays_when_only_the_day_was_moved() -> None:
    seen = Pair(NOON, "2026-01-31")
    assert planned(DAYS, NOON, "2026-07-01", seen, "Europe/Berlin") == {HUB: "2026-07-01T11:00:00.000Z"}


def test_an_hour_moved_beside_a_moved_day_clashes_with_nothing() -> None:
    view = look(DAYS, "2026-01-31T15:00:00.000Z", "2026-02-02", Pair(NOON, "2026-01-31"))
    plan = plan_link(view)
    assert (written(plan), plan.clashes) == ({HUB: "2026-02-02T15:00:00.000Z"}, ())


def test_a_day_that_never_was_in_a_zone_stays_a_day() -> None:
    """Samoa went over the date line on the 30th of December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    moved = carry_date("2011-12-30", "2011-12-29T20:00:00.000Z", apia, times=True, whole=False)
    assert moved == "2011-12-30"


@settings(max_examples=300, deadline=None)
@given(zone=ZONES, at=MOMENTS, days=st.integers(-400, 400))
def test_no_day_ever_drifts(zone: str, at: datetime, days: int) -> None:
    """There and back again, in every zone, over every change of clocks."""
    here, moment = ZoneInfo(zone), at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    day = carry_date(moment, None, here, times=False, whole=True)
    assert isinstance(day, str)
    assert carry_date(day, moment, here, times=True, whole=False) == moment
    other = (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    moved = carry_date(other, moment, here, times=True, whole=False)
    assert moved == other or day_of(str(moved), here) == other
    assert carry_date(moved, other, here, times=False, whole=True) == other
    assert carry_date(other, None, here, times=True, whole=False) == other


@settings(max_examples=100, deadline=None)
@given(zone=ZONES, at=MOMENTS)
def test_a_second_plan_is_empty(zone: str, at: datetime) -> None:
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    day = planned(DAYS, moment, None, Pair(None, None), zone)[EXTERNAL]
    assert planned(DAYS, moment, day, Pair(moment, day), zone) == {}
    assert planned(DAYS, moment, day, None, zone) == {}


def test_numbers_are_compared_as_numbers() -> None:
    number = rule(FieldKind.NUMBER)
    assert planned(number, 1, 1.0, Pair(1, 1.0)) == {}
    assert planned(number, 2.5, 1, Pair(1, 1)) == {EXTERNAL: 2.5}
    assert planned(number, 0, 1, Pair(1, 1)) == {EXTERNAL: 0}
    assert planned(number, None, 0) == {HUB: 0}  # nothing gives way, zero does not
    assert planned(number, 1, 2, Pair(0, 0)) == {EXTERNAL: 1}
