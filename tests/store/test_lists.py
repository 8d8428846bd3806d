"""Conflicts, parked things, deliveries, history and status, in the shapes that are fixed outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors.errors import Park, ParkClass
from connectors.records import Author, Value
from sync.reconcile.model import Clash, Pair, Policy, Side, Stamp
from sync.store import conflicts, listings, parking, writes
from sync.store.database import Database
from sync.store.history import tell
from sync.store.status import last_start, status
from sync.store.tables import (
    Conflict,
    Connection,
    Cursor,
    Delivery,
    Link,
    Mapping,
    Mark,
    Parked,
    Setting,
    Subscription,
    Worker,
    Write,
)
from tests.store.rows import NOON, a_link, a_mapping, at


async def linked(database: Database, name: str = "web", numbers: int = 1) -> tuple[Mapping, Link]:
    async with database.write() as session:
        mapping = await a_mapping(session, name)
        rows = [await a_link(session, mapping, number) for number in range(1, numbers + 1)]
    return mapping, rows[0]


def clash(hub: Value, external: Value, *, winner: Side | None = Side.HUB, when: float = 5) -> Clash:
    return Clash(
        rule="title",
        field="title",
        kind="edit",
        policy=Policy.LAST_MODIFIED,
        winner=winner,
        values=Pair(hub, external),
        hub_stamp=Stamp(at(when), "field", Author("u1", "Ada")),
        external_stamp=None,
        reason="both sides changed",
    )


async def test_a_conflict_is_listed_once_with_whole_values(database: Database) -> None:
    _, link = await linked(database)
    long = "x" * 100_000
    async with database.write() as session:
        for _ in range(2):
            await conflicts.keep(session, link, clash(long, ("a", "b")), NOON, 1)
        await conflicts.keep(session, link, clash(long, ("a", "b")), NOON, 1, salt="another write")
        await conflicts.keep(session, link, clash(long, ("a", "b"), when=9), NOON, 1)
    async with database.read() as session:
        items = (await listings.conflicts_page(session, mapping="web", state="open"))["items"]
    assert len(items) == 3
    assert (items[0]["asana"]["value"], items[0]["external"]["value"]) == (long, ["a", "b"])
    assert items[0]["asana"]["author"] == {"id": "u1", "name": "Ada"}
    assert items[0]["external"]["author"] == {"id": None, "name": None}
    assert (items[0]["winner"], items[0]["asana"]["modified_at"]) == ("asana", "2026-01-05T12:00:05.000Z")
    async with database.read() as session:
        assert (await conflicts.restoring(session, [link.id])).get(link.id, []) == []
        assert (await listings.conflicts_page(session, state="dismissed"))["items"] == []
        told = (await listings.history_page(session, link.id))["items"]
    assert [item["event"] for item in told] == ["conflict"] * 3


async def test_the_same_parked_twice_is_one_entry_with_a_count(database: Database) -> None:
    mapping, link = await linked(database)
    error = Park("no such label", park_class=ParkClass.PERMISSION, fix="make it", provider_message="422")

    async def park(when: float, values: Any, owner: Link | None = link) -> None:
        async with database.write() as session:
            await parking.park(
                session,
                mapping_id=mapping.id,
                link=owner,
                what="field",
                ref="link:1",
                error=error,
                now=at(when),
                field="labels",
                values=values,
            )

    await park(0, ["a"])
    await park(7, ["b"], None)
    async with database.read() as session:
        (item,) = (await listings.parked_page(session, mapping="web"))["items"]
        assert (await listings.parked_page(session, mapping="nobody's"))["items"] == []
        entry = await parking.found(session, mapping.id, "field", "link:1")
        assert await parking.found(session, mapping.id, "field", "link:2") is None
        assert [row.field for row in (await parking.fields_parked(session, [link.id])).get(link.id, [])] in (
            ["labels"],
            [],
        )
    assert (item["attempts"], item["class"], item["fix"]) == (2, "permission", "make it")
    assert (item["first_at"], item["last_at"]) == ("2026-01-05T12:00:00.000Z", "2026-01-05T12:00:07.000Z")
    assert entry is not None
    assert entry.values == ["b"]
    async with database.write() as session:
        assert await parking.ignore(session, entry.id)
        assert not await parking.ignore(session, 999)
    async with database.read() as session:
        assert (await listings.parked_page(session))["items"] == []
    async with database.write() as session:
        await parking.unpark(session, mapping.id, "field", "link:1", field="labels")
        assert (await session.execute(select(Parked))).first() is None


async def test_pages_follow_each_other_both_ways(database: Database) -> None:
    mapping, _ = await linked(database, numbers=5)
    await linked(database, "other")
    async with database.read() as session:
        first = await listings.links_page(session, limit=2, mapping="web")
        second = await listings.links_page(session, limit=2, after=first["next"], mapping="web")
        third = await listings.links_page(session, limit=2, after=second["next"], mapping="web")
        newest = await listings.links_page(session, limit=2, newest=True, mapping="web")
        older = await listings.links_page(session, limit=9, after=newest["next"], newest=True, mapping="web")
        everything = await listings.links_page(session)
        assert await listings.is_mapping(session, "web")
        assert not await listings.is_mapping(session, "nobody's")
    ids = [[item["id"] for item in page["items"]] for page in (first, second, third)]
    assert ids == [[1, 2], [3, 4], [5]]
    assert (third["next"], older["next"]) == (None, None)
    assert [[item["id"] for item in page["items"]] for page in (newest, older)] == [[5, 4], [3, 2, 1]]
    assert len(everything["items"]) == 6
    assert mapping.name == first["items"][0]["mapping"]


async def test_a_link_item_tells_both_ends_and_whether_it_waits(database: Database) -> None:
    mapping, link = await linked(database)
    async with database.write() as session:
        row = await session.get_one(Link, link.id)
        row.external_key, row.hub_title, row.synced_at = "acme/website#1", "T", at(3)
        session.add(row)
        session.add(
            Mark(
                mapping_id=mapping.id,
                side="hub",
                ref=link.hub_ref or "",
                kind="task",
                object_id="t1",
                first_at=NOON,
                due_at=NOON,
            )
        )
    async with database.read() as session:
        (item,) = (await listings.links_page(session))["items"]
    assert item["pending"] is True
    assert item["asana"] == {"gid": "t1", "url": None, "title": "T"}
    assert (item["external"]["key"], item["external"]["connection"]) == ("acme/website#1", "web-github")
    assert (item["kind"], item["parent"], item["last_synced_at"]) == (
        "task",
        None,
        "2026-01-05T12:00:03.000Z",
    )


async def test_deliveries_and_history(database: Database) -> None:
    mapping, link = await linked(database)
    await linked(database, "other")
    async with database.write() as session:
        for connection_id, dedupe in (
            (mapping.external_connection_id, "d1"),
            (mapping.hub_connection_id, "d2"),
        ):
            session.add(
                Delivery(connection_id=connection_id, dedupe=dedupe, received_at=NOON, state="processed")
            )
        below = Link(mapping_id=mapping.id, kind="comment", parent_id=link.id, created_at=NOON)
        session.add(below)
        await session.flush()
        tell(
            session, link, "write", "title written", NOON, field="title", before=("a",), after="b", write_id=3
        )
        tell(session, below, "in", "a comment", at(1), version=7)
    async with database.read() as session:
        assert len((await listings.deliveries_page(session, mapping="web"))["items"]) == 2
        assert (await listings.deliveries_page(session, mapping="other"))["items"] == []
        (first, second) = (await listings.history_page(session, link.id))["items"]
        shown = (await listings.deliveries_page(session, limit=1))["items"][0]
    assert (first["before"], first["after"], first["write_id"]) == (["a"], "b", 3)
    assert (second["text"], second["mapping_version"]) == ("a comment", 7)
    assert (shown["connection"], shown["delivery"], shown["event"]) == ("web-github", "d1", None)


async def told(database: Database, since: datetime | None = None) -> dict[str, Any]:
    async with database.read() as session:
        return await status(session, version="1", now=at(10), instance={"id": None, "url": None}, since=since)


async def test_quiet_needs_everything_read_and_nothing_waiting(database: Database) -> None:
    assert (await told(database))["quiet"], "nothing configured"
    mapping, link = await linked(database)
    assert not (await told(database))["quiet"], "no cursor was read yet"
    async with database.write() as session:
        for connection_id, name in (
            (mapping.hub_connection_id, "p"),
            (mapping.external_connection_id, "acme/website"),
        ):
            session.add(
                Cursor(connection_id=connection_id, container=name, next_at=NOON, read_at=at(5), version=1)
            )
    assert (await told(database))["quiet"]
    assert (await told(database, since=at(4)))["quiet"]
    assert not (await told(database, since=at(6)))["quiet"], "not read since the start"

    async def unquiet(row: Any) -> bool:
        async with database.write() as session:
            session.add(row)
        quiet = (await told(database))["quiet"]
        async with database.write() as session:
            await session.delete(row)
        return not quiet

    mark = Mark(
        mapping_id=mapping.id, side="hub", ref="r", kind="t", object_id="1", first_at=NOON, due_at=at(99)
    )
    intent = Write(
        mapping_id=mapping.id,
        mapping_version=1,
        link_id=link.id,
        side="hub",
        op="create",
        intent_at=NOON,
        deadline_at=NOON,
    )
    confirming = Link(mapping_id=mapping.id, state="confirming", created_at=NOON)
    queued = Delivery(connection_id=mapping.hub_connection_id, dedupe="q", received_at=NOON, state="queued")
    for row in (mark, intent, confirming, queued):
        assert await unquiet(row), row
    async with database.write() as session:
        stored = await session.get_one(Mapping, mapping.id)
        stored.full_pass_due = True
        session.add(stored)
    assert not (await told(database))["quiet"]


async def test_status_tells_connections_mappings_and_workers(database: Database) -> None:
    mapping, link = await linked(database)
    async with database.write() as session:
        hub = await session.get_one(Connection, mapping.hub_connection_id)
        hub.paused, hub.account_id, hub.account_name = True, "u1", "Bot"
        external = await session.get_one(Connection, mapping.external_connection_id)
        external.blocked_until, external.quota = at(60), {"limit": 5, "remaining": 1, "reset_at": None}
        stored = await session.get_one(Mapping, mapping.id)
        stored.first_sync = {"total": 4, "started_at": "2026-01-05T12:00:00+00:00"}
        stored.approval = {"id": "x", "actions": []}
        for row in (hub, external, stored):
            session.add(row)
        for number in range(2):
            session.add(
                Mark(
                    mapping_id=mapping.id,
                    side="hub",
                    ref=f"r{number}",
                    kind="t",
                    object_id="1",
                    first_at=at(number),
                    due_at=at(99),
                    reason="waits for its turn",
                )
            )
        session.add(
            Write(
                mapping_id=mapping.id,
                mapping_version=1,
                link_id=link.id,
                side="external",
                op="update",
                ref=link.external_ref or "",
                state="done",
                intent_at=NOON,
                deadline_at=NOON,
                done_at=at(2),
            )
        )
        session.add(Setting(key="paused", value=True))
        session.add(Worker(id="old", pid=1, started_at=NOON, heartbeat_at=at(-60)))
        session.add(Worker(id="new", pid=2, started_at=at(1), heartbeat_at=at(9)))
        session.add(
            Subscription(
                connection_id=hub.id, container="p", key="k", state="active", target="t", created_at=NOON
            )
        )
        session.add(Conflict(**_conflict(mapping, link)))
    seen = await told(database)
    (shown,) = seen["mappings"]
    assert [row["state"] for row in seen["connections"]] == ["paused", "blocked"]
    assert seen["connections"][0]["account"] == {"id": "u1", "name": "Bot"}
    assert seen["connections"][1]["quota"]["remaining"] == 1
    assert (seen["paused"], [row["id"] for row in seen["instance"]["workers"]]) == (True, ["new"])
    assert (shown["pending"], shown["oldest_pending_at"]) == (2, "2026-01-05T12:00:00.000Z")
    assert (shown["writes_total"], shown["last_write_at"]["external"]) == (
        {"asana": 0, "external": 1},
        "2026-01-05T12:00:02.000Z",
    )
    assert shown["conflicts_open"] == 1
    assert (shown["first_sync"]["phase"], shown["first_sync"]["done"], shown["first_sync"]["total"]) == (
        "writing",
        2,
        4,
    )
    assert shown["waiting"] == [
        {"reason": "waits for its turn", "number": 2, "until": "2026-01-05T12:01:39.000Z"}
    ]
    assert shown["first_sync"]["eta_s"] == 89, "it does not end before the last one's turn"
    assert shown["approval"] == {"id": "x", "actions": []}
    assert [(row["side"], row["state"]) for row in shown["subscriptions"]] == [("asana", "active")]
    async with database.read() as session:
        assert await last_start(session, at(10)) == at(1)
        assert await last_start(session, at(1000)) is None
    async with database.write() as session:
        stored = await session.get_one(Mapping, mapping.id)
        stored.state, stored.paused, stored.approval = "first_sync", True, {"approved": [1]}
        session.add(stored)
    (shown,) = (await told(database))["mappings"]
    assert (shown["state"], shown["approval"], shown["first_sync"]["phase"]) == ("paused", None, "listing")


def _conflict(mapping: Mapping, link: Link) -> dict[str, Any]:
    return {
        "mapping_id": mapping.id,
        "mapping_version": 1,
        "link_id": link.id,
        "field": "title",
        "kind": "edit",
        "policy": "hub",
        "detected_at": NOON,
        "fingerprint": "f",
    }


async def test_which_writes_are_asked_for(database: Database) -> None:
    mapping, link = await linked(database)

    def write(op: str, state: str, when: float, ref: str = "r") -> Write:
        return Write(
            mapping_id=mapping.id,
            mapping_version=1,
            link_id=link.id,
            side="hub",
            op=op,
            ref=ref,
            state=state,
            intent_at=at(when),
            deadline_at=at(when),
            done_at=at(when) if state == "done" else None,
        )

    async with database.write() as session:
        session.add_all(
            [
                write("update", "done", 1),
                write("update", "unknown", 2),
                write("delete", "done", 3),
                write("delete", "refused", 4),
                write("create", "intent", 5),
                write("comment_edit", "done", 6),
                write("comment_edit", "done", 7),
            ]
        )
    async with database.read() as session:
        assert [row.op for row in (await writes.unresolved(session, [link.id]))[link.id]] == [
            "update",
            "create",
        ]
        assert await writes.unresolved(session, []) == {}
        assert [row.op for row in await writes.recent(session, ["r"], at(0))] == ["update"]
        assert await writes.recent(session, ["r"], at(2)) == []
        assert [row.op for row in await writes.last_of(session, "r", 2)] == ["comment_edit", "comment_edit"]
        assert await writes.count_since(session, mapping.id, ["delete"], at(0)) == 1
        assert await writes.update_counts(session, [link.id], at(0)) == {link.id: 2}
        newest = await writes.newest_of(session, [link.id], "comment_edit", at(0))
        assert newest[link.id].intent_at == at(7)
