"""What a complete listing is compared with: one end of each link, and what was settled."""

from __future__ import annotations

from typing import Any

from sync.reconcile.model import Pair, Side
from sync.store import links
from sync.store.database import Database
from sync.store.settled import SettledEnd, ends_of, expected
from tests.store.rows import NOON, a_link, a_mapping, issue, task


async def test_an_end_knows_what_was_settled(database: Database) -> None:
    values = {
        "title": Pair('ö\U0001f600 "x"', "o"),
        "labels": Pair(("a", "b"), ()),
        "assignee": Pair(None, "ada"),
    }
    async with database.write() as session:
        mapping = await a_mapping(session)
        link = await a_link(session, mapping, hub_comments_version="7")
        await links.settle(session, {link.id: values}, NOON)
        await links.note_first_read(session, link.id, Side.HUB, "notes", {"value": "later"})
    async with database.read() as session:
        hub = await ends_of(session, mapping.id, Side.HUB, [str(task()), "nobody's"])
        external = await ends_of(session, mapping.id, Side.EXTERNAL, [str(issue())])
        assert await ends_of(session, mapping.id, Side.HUB, []) == {}
    assert hub == {str(task()): SettledEnd(link.id, True, "7", values)}
    assert external[str(issue())].seen == values


async def test_only_active_links_are_calm_and_ended_ones_are_none(database: Database) -> None:
    states: dict[int, dict[str, Any]] = {
        1: {},
        2: {"state": links.PARKED},
        3: {"gone": {"side": "hub", "proof": "410", "at": "2026-01-05T12:00:00.000Z"}},
        4: {"state": links.UNLINKED},
        5: {"state": links.DORMANT},
    }
    async with database.write() as session:
        mapping, other = await a_mapping(session), await a_mapping(session, "other")
        ids = {number: (await a_link(session, mapping, number, **more)).id for number, more in states.items()}
        await a_link(session, other, 6)
    async with database.read() as session:
        found = await ends_of(session, mapping.id, Side.EXTERNAL, [str(issue(number)) for number in range(7)])
        rows = [row async for row in expected(session, mapping.id)]
    assert {end.link_id: end.calm for end in found.values()} == {
        ids[1]: True,
        ids[2]: False,
        ids[3]: False,
        ids[5]: False,
    }
    assert sorted(rows) == [(ids[number], str(task(number)), str(issue(number))) for number in (1, 2, 3)]
