"""When was a value put there by a person: four sources, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.records import Author, FieldTime, Record, Ref
from sync.jobs.merging.stamps import carried, first_read, standing
from sync.jobs.routing.route import End
from sync.reconcile.model import Rule, Side
from sync.store.tables import Seen, Write
from tests.jobs.world import World

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ADA = Author("u-ada", "ada")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def record(title: str, *, modified: float = 100, version: str = "v9") -> Record:
    return Record(
        ref=Ref("memory", "main", "item", "i1"),
        fields={"title": title},
        version=version,
        created_at=NOON,
        modified_at=at(modified),
        places={},
        url="",
        key="",
    )


def ours(title: str, *, begun: float, done: float | None = None, **more: Any) -> Write:
    return Write(
        mapping_id=1,
        mapping_version=1,
        link_id=1,
        side="external",
        op="update",
        fields={"title": title},
        intent_at=at(begun),
        deadline_at=at(begun + 30),
        done_at=at(begun if done is None else done),
        **more,
    )


def change(title: str, seconds: float, **more: Any) -> FieldTime:
    return FieldTime(field="title", at=at(seconds), author=ADA, has_values=True, after=title, **more)


@pytest.fixture
async def end(world: World) -> End:
    return (await world.route()).end(Side.EXTERNAL)


@pytest.fixture
async def title(world: World) -> Rule:
    return next(rule for rule in (await world.route()).rules if rule.name == "title")


def test_a_value_that_we_wrote_carries_the_time_of_the_edit(end: End, title: Rule) -> None:
    origin = {"title": {"at": "2026-01-05T12:00:07.000Z", "by": {"id": "u-ada", "name": "ada"}}}
    writes = [ours("x", begun=50, origin=origin)]
    stamp = carried(end, record("x"), title, writes)
    assert stamp is not None
    assert (stamp.at, stamp.known_from, stamp.author) == (at(7), "field", ADA)
    assert carried(end, record("y"), title, writes) is None, "somebody wrote over it"
    assert carried(end, record("x"), title, []) is None
    rewritten = [ours(" x ", begun=50, origin=origin, answer={"title": "X!"})]
    assert carried(end, record("X!"), title, rewritten) is not None, "as the provider rewrote it"


def test_only_the_newest_write_of_the_field_counts(end: End, title: Rule) -> None:
    origin = {"title": {"at": "2026-01-05T12:00:07.000Z", "by": None}}
    other = Write(**{**ours("x", begun=60).model_dump(), "fields": {"notes": "n"}})
    assert carried(end, record("x"), title, [other, ours("x", begun=50, origin=origin)]) is not None
    assert carried(end, record("x"), title, [ours("y", begun=60), ours("x", begun=50, origin=origin)]) is None


@pytest.mark.parametrize(
    ("history", "writes", "expected"),
    [
        ([change("a", 10), change("b", 20)], [], (20, "field")),
        ([change("a", 10), change("b", 20)], [ours("b", begun=20)], (10, "field")),
        ([change("b", 20)], [ours("b", begun=10)], (20, "field")),
        ([change("c", 20)], [ours("b", begun=20)], (20, "field")),
        ([], [], (100, "record")),
    ],
    ids=["newest", "less our echo", "not near in time", "another value at the same time", "nothing known"],
)
def test_the_fields_own_history_less_our_own_entries(
    end: End,
    title: Rule,
    history: Sequence[FieldTime],
    writes: Sequence[Write],
    expected: tuple[float, str],
) -> None:
    stamp = standing(end, record("b"), title, writes, history, None)
    assert (stamp.at, stamp.known_from) == (at(expected[0]), expected[1])


def test_an_entry_without_values_near_our_write_is_our_echo(end: End, title: Rule) -> None:
    bare = FieldTime(field="title", at=at(20))
    assert standing(end, record("b"), title, [ours("b", begun=20)], [bare], None).known_from == "record"
    assert standing(end, record("b"), title, [], [bare], None).at == at(20)


def test_the_first_time_it_was_read_comes_before_the_records_time(end: End, title: Rule) -> None:
    seen = Seen(
        link_id=1, field="title", external_read={"value": "b", "at": "2026-01-05T12:00:30.000Z", "by": None}
    )
    stamp = standing(end, record("b"), title, [], [], seen)
    assert (stamp.at, stamp.known_from) == (at(30), "first_read")
    assert standing(end, record("c"), title, [], [], seen).known_from == "record", "another value"


def test_a_time_that_our_own_write_made_is_no_edits_time(end: End, title: Rule) -> None:
    writes = [ours("other", begun=40, answer_version="v9")]
    assert standing(end, record("b"), title, writes, [], None).at == at(40)
    assert standing(end, record("b", version="v10"), title, writes, [], None).at == at(100)


def test_times_are_brought_to_our_clock(end: End, title: Rule) -> None:
    end.connection.clock_offset_s = 60
    assert end.offset == timedelta(seconds=60)
    assert standing(end, record("b"), title, [], [change("b", 90)], None).at == at(30)
    assert first_read(end, record("b"), title)["at"] == "2026-01-05T12:00:40.000Z"
    end.connection.clock_offset_s = 0.9
    assert end.offset == timedelta(0), "below the resolution of a Date header"


async def test_a_provider_without_history_has_the_records_time(world: World) -> None:
    from connectors.simulation import Fault
    from sync.store.tables import Conflict

    item, task = await world.paired(title="Start")
    world.external.edit(item, title="Outside", by="bob")
    world.hub.clock.advance(10)
    world.hub.edit(task, title="Inside", by="ada")
    world.hub.clock.advance(-10)
    world.external.faults.add(Fault(kind="503", method="GET", path="/history"))
    await world.settle()
    entry = await world.the(Conflict)
    assert (entry.winner, entry.external["time_from"]) == ("hub", "record")
