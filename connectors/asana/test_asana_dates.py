"""Due and start dates: two forms of each, no drift, and what Asana demands of a start."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.asana.dates import date_data, dates_of
from connectors.errors import Park
from connectors.records import Draft, Key, Record

if TYPE_CHECKING:
    from connectors.asana.conftest import Bench

DAY, LATER = "2026-05-01", "2026-05-08"
MOMENT = "2026-05-01T22:30:00.000Z"
KEY = Key(token="k1", url="https://github.com/acme/website/issues/12", label="acme/website#12")


@pytest.mark.parametrize(
    ("row", "due"),
    [
        ({"due_on": DAY, "due_at": None}, DAY),
        ({"due_on": "2026-05-02", "due_at": MOMENT}, MOMENT),
        ({"due_on": DAY, "due_at": "2026-05-02T00:30:00.000+02:00"}, MOMENT),
        ({"due_on": None}, None),
        ({"due_on": DAY, "due_at": "no time"}, DAY),
    ],
)
def test_a_moment_is_read_from_its_own_form_alone(row: dict[str, Any], due: str | None) -> None:
    assert dates_of(row) == {"due": due}


def test_a_date_without_a_key_is_unknown() -> None:
    assert dates_of({"start_at": None}) == {"start": None}


@pytest.mark.parametrize(
    ("fields", "standing", "data"),
    [
        ({"title": "x"}, {"due": DAY}, {}),
        ({"due": LATER}, {}, {"due_on": LATER}),
        ({"due": MOMENT}, {"due": DAY}, {"due_at": MOMENT}),
        ({"due": None}, {"due": DAY}, {"due_on": None}),
        ({"due": None}, {"due": MOMENT}, {"due_at": None}),
        ({"due": None}, {"due": LATER, "start": DAY}, {"due_on": None, "start_on": None}),
        ({"due": LATER}, {"due": None, "start": None}, {"due_on": LATER}),
        ({"start": DAY}, {"due": LATER}, {"due_on": LATER, "start_on": DAY}),
        ({"start": DAY}, {"due": MOMENT}, {"due_at": MOMENT, "start_on": DAY}),
        ({"start": None}, {"due": LATER, "start": DAY}, {"due_on": LATER, "start_on": None}),
        ({"start": None}, {"due": MOMENT, "start": MOMENT}, {"due_at": MOMENT, "start_at": None}),
        ({"start": DAY, "due": LATER}, {}, {"due_on": LATER, "start_on": DAY}),
    ],
)
def test_a_start_goes_with_its_due_date(
    fields: dict[str, Any], standing: dict[str, Any], data: dict[str, Any]
) -> None:
    assert date_data(fields, standing) == data


@pytest.mark.parametrize(
    ("fields", "standing"),
    [
        ({"start": DAY}, {"due": None}),
        ({"start": DAY, "due": None}, {"due": DAY}),
        ({"start": MOMENT}, {"due": DAY}),
    ],
)
def test_a_start_that_asana_would_refuse_is_parked(fields: dict[str, Any], standing: dict[str, Any]) -> None:
    with pytest.raises(Park) as refused:
        date_data(fields, standing)
    assert refused.value.field == "start"
    assert refused.value.fix


async def _due(bench: Bench, gid: str, due: str | None) -> Record:
    before = await bench.read(gid)
    return await bench.session.update(before.ref, {"due": due}, before)


@pytest.mark.parametrize("hours", [-12, 0, 14])
async def test_no_day_drifts_in_any_time_zone(bench: Bench, hours: int) -> None:
    """1.14: ``due_at`` and ``due_on`` clear each other; the day of a moment is in the account's zone."""
    bench.simulator.workspace.utc_offset = timedelta(hours=hours)
    gid = bench.simulator.new(bench.project, title="a", due=date(2026, 5, 1))
    assert (await bench.read(gid)).fields["due"] == DAY
    assert (await _due(bench, gid, MOMENT)).fields["due"] == MOMENT
    assert (await bench.read(gid)).fields["due"] == MOMENT
    assert bench.simulator.view(gid)["due"] == datetime(2026, 5, 1, 22, 30, tzinfo=UTC)  # type: ignore[index]
    assert (await _due(bench, gid, DAY)).fields["due"] == DAY
    assert bench.simulator.view(gid)["due"] == date(2026, 5, 1)  # type: ignore[index]
    assert (await _due(bench, gid, None)).fields["due"] is None
    assert bench.simulator.view(gid)["due"] is None  # type: ignore[index]


async def test_a_start_comes_and_goes(bench: Bench) -> None:
    gid = bench.simulator.new(bench.project, title="a", due=date(2026, 5, 8))
    before = await bench.read(gid)
    started = await bench.session.update(before.ref, {"start": DAY}, before)
    assert (started.fields["start"], started.fields["due"]) == (DAY, LATER)
    stopped = await bench.session.update(before.ref, {"start": None}, started)
    assert (stopped.fields["start"], stopped.fields["due"]) == (None, LATER)


async def test_a_task_that_loses_its_due_date_loses_its_start(bench: Bench) -> None:
    gid = bench.simulator.new(bench.project, title="a", due=date(2026, 5, 8), start=date(2026, 5, 1))
    after = await _due(bench, gid, None)
    assert (after.fields["due"], after.fields["start"]) == (None, None)


async def test_a_start_after_the_end_is_parked_by_name(bench: Bench) -> None:
    before = await bench.read(bench.simulator.new(bench.project, title="a", due=date(2026, 5, 1)))
    with pytest.raises(Park) as refused:
        await bench.session.update(before.ref, {"start": LATER}, before)
    assert refused.value.field == "start"


async def test_both_dates_of_a_new_task(bench: Bench) -> None:
    draft = Draft(fields={"title": "x", "due": MOMENT, "start": DAY})
    record = await bench.session.create(bench.project, draft, KEY)
    assert (record.fields["due"], record.fields["start"]) == (MOMENT, DAY)


async def test_a_milestone_keeps_its_kind_and_has_no_start(bench: Bench) -> None:
    gid = bench.simulator.new(bench.project, title="a", kind="milestone", due=date(2026, 5, 8))
    before = await bench.read(gid)
    assert before.read_only == {"start"}
    with pytest.raises(Park) as refused:
        await bench.session.update(before.ref, {"start": DAY}, before)
    assert refused.value.field == "start"
    await bench.session.update(before.ref, {"title": "b", "state": "closed", "due": DAY}, before)
    view = bench.simulator.view(gid)
    assert view is not None
    assert (view["kind"], view["state"], view["due"]) == ("milestone", "closed", date(2026, 5, 1))


async def test_history_tells_which_date_was_moved(bench: Bench) -> None:
    gid = bench.simulator.new(bench.project, title="a", due=date(2026, 5, 1))
    since = bench.simulator.clock.now() - timedelta(seconds=1)
    bench.simulator.edit(gid, due=datetime(2026, 5, 8, 9, tzinfo=UTC), by="bob")
    bench.simulator.edit(gid, start=date(2026, 5, 2), by="ada")
    due, start = await bench.session.field_times(bench.ref(gid), since)
    assert (due.field, due.has_values, due.before, due.after) == (
        "due",
        True,
        DAY,
        "2026-05-08T09:00:00.000Z",
    )
    assert due.author is not None
    assert due.author.name == "Bob Stone"
    assert (start.field, start.has_values) == ("start", False)
