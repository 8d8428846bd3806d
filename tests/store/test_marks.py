"""Marks: storms collapse, what moved meanwhile stays, live goes before backfill."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from sync.reconcile.model import Side
from sync.store import leases, marks
from sync.store.database import Database
from sync.store.tables import Mapping, Mark
from tests.store.rows import NOON, a_mapping, at, issue, task


async def put(database: Database, mapping: Mapping, *numbers: int, when: float = 0, **more: Any) -> None:
    async with database.write() as session:
        new = [
            marks.NewMark(mapping_id=mapping.id, side=Side.EXTERNAL, ref=issue(number), **more)
            for number in numbers
        ]
        await marks.put(session, new, at(when))


async def stored(database: Database) -> list[Mark]:
    async with database.read() as session:
        return list((await session.execute(select(Mark).order_by(Mark.id))).scalars())  # type: ignore[arg-type]


async def the_mapping(database: Database, name: str = "web") -> Mapping:
    async with database.write() as session:
        return await a_mapping(session, name)


async def test_a_storm_is_one_mark(database: Database) -> None:
    mapping = await the_mapping(database)
    async with database.write() as session:
        given = await marks.put(
            session,
            [
                marks.NewMark(
                    mapping_id=mapping.id,
                    side=Side.EXTERNAL,
                    ref=issue(1, "acme/website#1" if number else ""),
                    seen_at=at(number),
                    comments=number == 1,
                    gone="410" if number == 0 else "",
                    lane=marks.BACKFILL if number else marks.LIVE,
                )
                for number in range(3)
            ],
            NOON,
        )
    assert given == 1
    await put(database, mapping, 1, when=5, delivery_id=7)
    (mark,) = await stored(database)
    assert (mark.counter, mark.lane, mark.comments, mark.gone) == (2, "live", True, "410")
    assert (mark.seen_at, mark.delivery_id, mark.address) == (at(2), 7, "acme/website#1")
    assert (mark.first_at, mark.due_at) == (NOON, NOON)


async def test_many_at_once(database: Database) -> None:
    mapping = await the_mapping(database)
    await put(database, mapping, *range(450))
    assert len(await stored(database)) == 450


async def test_a_live_one_does_not_wait_for_a_batch_full_of_others(database: Database) -> None:
    mapping = await the_mapping(database)
    await put(database, mapping, *range(30), lane=marks.BACKFILL)
    async with database.read() as session:
        assert len(await marks.due(session, mapping.id, at(10), 15)) == 15
    await put(database, mapping, 99)
    async with database.read() as session:
        lanes = [mark.lane for mark in await marks.due(session, mapping.id, at(10), 15)]
    assert lanes == [marks.LIVE, *[marks.BACKFILL] * 3]
    await put(database, mapping, *range(100, 130))
    async with database.read() as session:
        assert {mark.lane for mark in await marks.due(session, mapping.id, at(10), 15)} == {marks.LIVE}


async def test_live_ones_first_and_the_oldest_of_them(database: Database) -> None:
    mapping = await the_mapping(database)
    await put(database, mapping, 1, lane=marks.BACKFILL)
    await put(database, mapping, 2, when=2)
    await put(database, mapping, 3, when=1)
    await put(database, mapping, 4, due_at=at(60))
    async with database.read() as session:
        due = await marks.due(session, mapping.id, at(10), 10)
        assert [mark.object_id for mark in due] == ["i3", "i2", "i1"]
        assert len(await marks.due(session, mapping.id, at(10), 2)) == 2
        assert await marks.next_due(session, mapping.id) == NOON
        assert await marks.next_due(session, 99) is None


async def test_a_live_change_brings_a_waiting_mark_forward(database: Database) -> None:
    mapping = await the_mapping(database)
    await put(database, mapping, 1, lane=marks.BACKFILL, due_at=at(60))
    await put(database, mapping, 1, due_at=at(5))
    await put(database, mapping, 1, lane=marks.BACKFILL, due_at=at(90))
    (mark,) = await stored(database)
    assert (mark.lane, mark.due_at) == ("live", at(5))


async def test_what_moved_meanwhile_stays_as_a_fresh_one(database: Database) -> None:
    mapping = await the_mapping(database)
    await put(database, mapping, 1, 2, seen_at=at(1))
    before = await stored(database)
    await put(database, mapping, 2, when=3)
    async with database.write() as session:
        await marks.postpone(session, [marks.Postponed(before[1], at(2), "busy")])
    async with database.write() as session:
        await marks.clear(session, before, at(4))
    (left,) = await stored(database)
    assert (left.object_id, left.attempts, left.reason, left.first_at) == ("i2", 0, "", at(4))
    assert left.seen_at is None, "what was looked at says nothing of what came since"


async def test_postponing_counts_and_spares_what_moved(database: Database) -> None:
    mapping = await the_mapping(database)
    await put(database, mapping, 1, 2)
    read = await stored(database)
    await put(database, mapping, 2)
    async with database.write() as session:
        await marks.postpone(session, [marks.Postponed(each, at(30), "later", recheck=True) for each in read])
        await marks.postpone(
            session, [marks.Postponed(each, at(40), "later", attempt=False) for each in read]
        )
    one, two = await stored(database)
    assert (one.due_at, one.attempts, one.rechecks, one.reason) == (at(40), 1, 1, "later")
    assert two.due_at == NOON


async def test_which_mappings_have_something_to_do(database: Database) -> None:
    busy, later, paused = [await the_mapping(database, name) for name in ("busy", "later", "paused")]
    await put(database, busy, 1)
    await put(database, later, 1, due_at=at(60))
    await put(database, paused, 1)
    async with database.write() as session:
        row = await session.get_one(Mapping, paused.id)
        row.paused = True
        session.add(row)
    async with database.read() as session:
        assert list(await marks.mappings_due(session, at(1))) == [busy.id]
    async with database.write() as session:
        await marks.hurry(session, [later.id], at(1))
        await marks.put_off(session, busy.id, at(1), at(20))
    async with database.read() as session:
        assert list(await marks.mappings_due(session, at(1))) == [later.id]
        assert await marks.next_due(session, busy.id) == at(20)
    async with database.write() as session:
        assert await leases.take_lease(session, later.id, "a worker", at(1), at(61))
    async with database.read() as session:
        assert list(await marks.mappings_due(session, at(2))) == [], "somebody works on it"
        assert later.id in await marks.mappings_due(session, at(62)), "its lease is over"


async def test_one_ref_in_two_mappings_is_two_marks(database: Database) -> None:
    one, two = await the_mapping(database, "one"), await the_mapping(database, "two")
    async with database.write() as session:
        new = [marks.NewMark(mapping_id=row.id, side=Side.HUB, ref=task()) for row in (one, two)]
        assert await marks.put(session, new, NOON) == 2
    assert len(await stored(database)) == 2
