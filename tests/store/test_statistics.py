"""Queries that run all day find what they look for by an index, however many links there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sync.reconcile.model import Side
from sync.store import links, marks, status
from sync.store.database import Database
from sync.store.settled import ends_of
from sync.store.statistics import INDEXES
from tests import stores
from tests.store.rows import NOON

pytestmark = pytest.mark.skipif(stores.ON_SERVERS, reason="PostgreSQL counts by itself")

REFS = [f"asana:w:task:{number}" for number in range(100)]
Query = Callable[[AsyncSession], Awaitable[object]]

ALL_DAY: dict[str, Query] = {
    "links by refs": lambda session: links.by_refs(session, 1, REFS),
    "links of sharers": lambda session: links.sharing(session, 1, REFS),
    "ended links": lambda session: links.ended(session, 1, REFS),
    "ends and what was settled": lambda session: ends_of(session, 1, Side.EXTERNAL, REFS),
    "known comments": lambda session: links.comments_known(session, 1, Side.HUB, REFS),
    "marks that are due": lambda session: marks.due(session, 1, NOON, 50),
    "the next mark": lambda session: marks.next_due(session, 1),
    "mappings with due marks": lambda session: marks.mappings_due(session, NOON),
    "whether something is to be done": lambda session: status.busy(session, [1]),
}
_SMALL = ("SCAN mapping", "SCAN CONSTANT ROW", "SCAN (subquery")
_WHOLE_MAPPING = (
    "ix_link_mapping_kind_state (mapping_id=? AND kind=?)",
    "ix_link_mapping_id ",
    "TEMP B-TREE FOR ORDER",
)


@pytest.mark.parametrize("what", ALL_DAY)
async def test_nothing_reads_a_whole_table(
    what: str, database: Database, statements: list[tuple[str, Any]]
) -> None:
    async with database.read() as session:
        await ALL_DAY[what](session)
        asked = [(sql, parameters) for sql, parameters in statements if sql.startswith("SELECT")]
        assert asked
        for sql, parameters in asked:
            connection = await session.connection()
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            steps = [str(row[3]) for row in rows]
            slow = [
                step
                for step in steps
                if (step.startswith("SCAN") and not step.startswith(_SMALL))
                or any(words in step for words in _WHOLE_MAPPING)
            ]
            assert not slow, f"{sql}: {steps}"


async def test_each_index_of_a_large_table_is_told_of(database: Database) -> None:
    async with database.read() as session:
        for table, told in INDEXES.items():
            present = await session.execute(text(f"SELECT name FROM pragma_index_list('{table}')"))
            assert set(told) == set(present.scalars()), table
        stored = await session.execute(text("SELECT idx FROM sqlite_stat1"))
        assert set(stored.scalars()) == {name for told in INDEXES.values() for name in told}
