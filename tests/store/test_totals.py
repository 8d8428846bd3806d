"""What is cleaned away goes on counting."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import col

from sync.store import totals
from sync.store.database import Database
from sync.store.figures import figures
from sync.store.status import status
from sync.store.tables import Claim, Conflict, Connection, Delivery, Mapping, Mark, Tally, Write
from sync.store.totals import CONFLICTS, DELIVERIES, WRITES, Total, clear_away, total
from tests.store.rows import NOON, a_link, a_mapping, at


async def written(database: Database, number: int, *, first: float, state: str = "done") -> None:
    """So many updates of the external side, a second apart, by the mapping ``web``."""
    async with database.write() as session:
        mapping = (await session.execute(select(Mapping))).scalars().first()
        if mapping is None:
            mapping = await a_mapping(session)
            await a_link(session, mapping)
        for second in range(number):
            when = at(first + second)
            session.add(
                Write(
                    mapping_id=mapping.id,
                    mapping_version=1,
                    link_id=1,
                    side="external",
                    op="update",
                    state=state,
                    intent_at=when,
                    deadline_at=when,
                    done_at=when if state != "unknown" else None,
                )
            )


async def cleaned(database: Database, before: float) -> None:
    async with database.write() as session:
        await clear_away(session, WRITES, col(Write.intent_at) < at(before), col(Write.state) != "unknown")


async def test_a_total_is_what_stands_and_what_was_cleaned_away(database: Database) -> None:
    await written(database, 3, first=0)
    await written(database, 2, first=10, state="refused")
    async with database.read() as session:
        before = await total(session, WRITES)
    assert before == {
        (1, "external", "update", "done"): Total(3, at(2)),
        (1, "external", "update", "refused"): Total(2, at(11)),
    }
    for upto in (1, 2, 100, 100):
        await cleaned(database, upto)
        async with database.read() as session:
            assert await total(session, WRITES) == before
    async with database.read() as session:
        assert (await session.execute(select(Write))).first() is None
    await written(database, 1, first=200)
    async with database.read() as session:
        assert (await total(session, WRITES))[1, "external", "update", "done"] == Total(4, at(200))


async def test_the_status_counts_what_retention_took(database: Database) -> None:
    await written(database, 3, first=0)
    async with database.write() as session:
        for state in ("processed", "ignored"):
            session.add(Delivery(connection_id=2, dedupe=state, received_at=NOON, state=state))
    await cleaned(database, 100)
    async with database.write() as session:
        await clear_away(session, DELIVERIES, col(Delivery.received_at) < at(1))
    async with database.read() as session:
        seen = await status(session, version="1", now=at(300), instance={}, since=None)
    (mapping,) = seen["mappings"]
    assert mapping["writes_total"] == {"asana": 0, "external": 3}
    assert mapping["last_write_at"] == {"asana": None, "external": "2026-01-05T12:00:02.000Z"}
    assert (seen["deliveries"]["received"], seen["deliveries"]["ignored"]) == (2, 1)


async def test_tallies_of_several_are_added_and_keep_the_newest_time(database: Database) -> None:
    async with database.write() as session:
        await totals.add(
            session, [Tally(name="n", labels="a", value=1, last_at=at(5)), Tally(name="n", labels="b")]
        )
    async with database.write() as session:
        await totals.add(
            session,
            [Tally(name="n", labels="a", value=2, last_at=at(3)), Tally(name="n", labels="b", last_at=NOON)],
        )
    async with database.write() as session:
        await totals.add(session, [Tally(name="n", labels="a", value=0.5), Tally(name="n", labels="b")])
    async with database.read() as session:
        rows = (await session.execute(select(Tally).order_by(col(Tally.labels)))).scalars().all()
    assert [(row.labels, row.value, row.last_at) for row in rows] == [("a", 3.5, at(5)), ("b", 0.0, NOON)]


async def test_figures_name_services_and_count_for_removed_mappings(database: Database) -> None:
    await written(database, 3, first=0)
    await written(database, 1, first=5, state="unknown")
    await cleaned(database, 2)
    async with database.write() as session:
        mapping = await session.get_one(Mapping, 1)
        mapping.removed_at = NOON
        session.add(mapping)
        session.add(Delivery(connection_id=2, dedupe="d", event="issues", received_at=NOON, state="ignored"))
        for number, state in enumerate(("open", "dismissed")):
            session.add(
                Conflict(
                    mapping_id=1,
                    mapping_version=1,
                    link_id=1,
                    field="title",
                    kind="edit",
                    policy="last_modified",
                    state=state,
                    detected_at=NOON,
                    fingerprint=str(number),
                )
            )
    async with database.write() as session:
        assert (await session.get_one(Connection, 2)).connector == "github"
        await clear_away(session, CONFLICTS, col(Conflict.state) != "open")
    async with database.read() as session:
        seen = await figures(session, at(10))
    assert seen.writes == {("github", "update", "done"): 3}
    assert seen.ambiguous == 1
    assert seen.received == {("github", "issues", "ignored"): 1}
    assert seen.conflicts == {("last_modified",): 2}


async def test_the_backlog_tells_what_is_due_worked_on_and_deferred(database: Database) -> None:
    async with database.write() as session:
        mapping = await a_mapping(session)
        for ref, due in (("due", 5), ("due too", 10), ("claimed", 5), ("left", 5), ("later", 11)):
            session.add(
                Mark(
                    mapping_id=mapping.id,
                    side="hub",
                    ref=ref,
                    kind="task",
                    object_id=ref,
                    first_at=NOON,
                    due_at=at(due),
                )
            )
        for ref, until in (("claimed", 60), ("left", 9), ("upkeep", 60)):
            session.add(Claim(ref=ref, owner="w", mapping_id=mapping.id, lease_no=1, until=at(until)))
    async with database.read() as session:
        seen = await figures(session, at(10))
    assert seen.backlog == {("ready",): 3, ("leased",): 1, ("deferred",): 1}
