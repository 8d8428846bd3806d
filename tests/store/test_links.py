"""The mapping table: ends, Seen, comments below, and what ends with a link."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from connectors.discussions import Comment
from connectors.records import Author, Record
from sync.reconcile.model import Pair, Side
from sync.store import links
from sync.store.database import Database
from sync.store.tables import Connection, Link, Seen, Write
from tests.store.rows import NOON, a_link, a_mapping, at, issue, task


def record(version: str, title: str = "T") -> Record:
    return Record(
        ref=issue(1, "acme/website#1"),
        fields={"title": title},
        version=version,
        created_at=NOON,
        modified_at=at(int(version)),
        places={},
        url="https://h/1",
        key="acme/website#1",
    )


async def test_an_end_is_described_and_never_grows_older(database: Database) -> None:
    async with database.write() as session:
        mapping = await a_mapping(session)
        link = await a_link(session, mapping)
        links.describe(link, Side.EXTERNAL, record("5"))
        links.describe(link, Side.EXTERNAL, record("3", "U"))
        connection = await session.get_one(Connection, mapping.external_connection_id)
        assert links.end(link, Side.EXTERNAL, connection) == issue(1)
        assert (link.external_version, link.external_at) == ("5", at(5))
        assert (link.external_title, link.external_key) == ("U", "acme/website#1")
        links.set_end(link, Side.EXTERNAL, None)
        assert links.end(link, Side.EXTERNAL, connection) is None


async def test_living_links_by_either_end(database: Database) -> None:
    async with database.write() as session:
        mapping, other = await a_mapping(session), await a_mapping(session, "other")
        for number in range(450):
            await a_link(session, mapping, number)
        await a_link(session, other, 1)
        await a_link(session, mapping, 999, state="unlinked")
    refs = [str(task(number)) for number in range(450)]
    async with database.read() as session:
        found = await links.by_refs(session, mapping.id, [*refs, str(issue(7)), str(task(999)), "nobody's"])
        assert len(found) == 451
        assert found[str(issue(7))] is found[str(task(7))]
        shared = await links.sharing(session, mapping.id, [str(task(1))])
        assert [row.mapping_id for row in shared] == [other.id]


async def test_one_object_has_one_living_link_in_a_mapping(database: Database) -> None:
    async with database.write() as session:
        mapping = await a_mapping(session)
        await a_link(session, mapping, 1, state="unlinked")
        await a_link(session, mapping, 1)
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await a_link(session, mapping, 1, external_ref=str(issue(2)))


async def test_both_halves_of_seen_move_together(database: Database) -> None:
    async with database.write() as session:
        link = await a_link(session, await a_mapping(session))
        await links.note_first_read(
            session, link.id, Side.HUB, "title", {"value": "x", "at": "t", "by": None}
        )
        assert links.pairs((await links.seen_of(session, [link.id]))[link.id]) == {}
        await links.settle(session, {link.id: {"title": Pair("a", "b"), "labels": Pair(("x",), ())}}, NOON)
        await links.settle(session, {}, NOON)
        await links.note_first_read(session, link.id, Side.EXTERNAL, "title", {"value": "y"})
    async with database.read() as session:
        rows = (await links.seen_of(session, [link.id]))[link.id]
        assert links.pairs(rows) == {"title": Pair("a", "b"), "labels": Pair(("x",), ())}
        assert rows["title"].hub_read is None
        assert rows["title"].external_read == {"value": "y"}
    async with database.write() as session:
        await links.settle(session, {link.id: {"title": Pair("c", "d")}}, at(1))
        row = (await session.execute(select(Seen).where(Seen.field == "title"))).scalar_one()  # type: ignore[arg-type]
        assert (row.hub_before, row.external_before, row.moved_at) == ("a", "b", at(1))
        assert row.external_read is None
        assert await links.seen_of(session, []) == {}


async def test_comments_hang_below_and_end_with_their_link(database: Database) -> None:
    async with database.write() as session:
        mapping = await a_mapping(session)
        link = await a_link(session, mapping)
        comment = Link(
            mapping_id=mapping.id, kind="comment", parent_id=link.id, source="hub", created_at=NOON
        )
        links.describe_comment(
            comment,
            Side.HUB,
            Comment(
                ref=task(50),
                parent=task(),
                text="t",
                author=Author("u", "ada"),
                created_at=NOON,
                url="https://c",
            ),
        )
        session.add(comment)
        session.add(
            Write(
                mapping_id=mapping.id,
                mapping_version=1,
                link_id=link.id,
                side="hub",
                op="update",
                intent_at=NOON,
                deadline_at=NOON,
            )
        )
        await session.flush()
        assert [row.hub_url for row in await links.comments_of(session, link.id)] == ["https://c"]
        parents = await links.parents_of(session, mapping.id, Side.HUB, [str(task(50)), str(task(51))])
        assert {ref: row.id for ref, row in parents.items()} == {str(task(50)): link.id}
        assert await links.parents_of(session, mapping.id, Side.EXTERNAL, [str(task(50))]) == {}
        known = await links.comments_known(session, mapping.id, Side.HUB, [str(task(50)), str(task(51))])
        assert known == {str(task(50))}
        assert await links.ended(session, mapping.id, [str(task())]) == frozenset()
    async with database.write() as session:
        await links.unlink(session, link, "for a reason", at(1))
    async with database.read() as session:
        assert {row.state for row in (await session.execute(select(Link))).scalars()} == {"unlinked"}
        assert await links.comments_of(session, link.id) == []
        assert await links.parents_of(session, mapping.id, Side.HUB, [str(task(50))]) == {}
        assert await links.ended(session, mapping.id, [str(task()), str(task(2))]) == {str(task())}
        assert (await session.execute(select(Write))).scalar_one().state == "not_done"
