"""Comments: each once, from the one who wrote it to its copy, through three tools."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.asana.translate import comment_ref
from connectors.changes import Change
from connectors.simulation import Fault
from sync.jobs.asked import by_hand
from sync.jobs.watching.news import marks_for
from sync.reconcile.model import Side
from sync.store.tables import Conflict, Link, Mapping, Mark, Parked, Write
from tests.jobs.conftest import Build
from tests.jobs.world import World


def texts(view: dict[str, Any]) -> list[str]:
    return [comment["text"] for comment in view["comments"]]


async def look_at_comments(world: World, item: str) -> None:
    await world.mark(Side.EXTERNAL, item, comments=True)
    await world.work()


async def test_comments_cross_in_order_and_once(world: World) -> None:
    item, task = await world.paired()
    world.external.comment(item, "first", by="bob")
    world.external.comment(item, "second", by="ada")
    world.hub.comment(task, "third", by="ada")
    await world.settle()
    assert [text.split("\n")[-1] for text in texts(world.task())] == ["third", "first", "second"]
    (copy,) = [text for text in texts(world.thing()) if "third" in text]
    assert copy.startswith("**[Ada")
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before
    rows = await world.rows(Link, kind="comment")
    assert {row.author for row in rows} == {"Ada Lovelace", "ada", "bob"}
    parent = await world.link()
    assert all(row.parent_id == parent.id and row.root for row in rows)


async def test_equal_texts_are_two_comments(world: World) -> None:
    item, _ = await world.paired()
    for _ in range(2):
        world.external.comment(item, "+1", by="bob")
    await world.settle()
    assert len(texts(world.task())) == 2


async def test_edits_and_deletions_go_from_root_to_copy(world: World) -> None:
    item, _task = await world.paired()
    comment = world.external.comment(item, "typpo", by="bob")
    await world.look()
    world.external.edit_comment(comment, "typo")
    await world.look()
    assert texts(world.task())[0].endswith("typo")
    world.external.delete_comment(comment)
    await world.look()
    await world.look()
    assert texts(world.task()) == []
    assert {row.state for row in await world.rows(Link, kind="comment")} == {"unlinked"}


async def test_a_changed_copy_is_listed_and_not_copied_back(world: World) -> None:
    item, task = await world.paired()
    comment = world.external.comment(item, "root", by="bob")
    await world.look()
    (copy,) = world.task()["comments"]
    world.hub.edit_comment(copy["id"], "changed by somebody")
    await world.mark(Side.HUB, task, comments=True)
    await world.work()
    assert texts(world.thing()) == ["root"]
    entry = await world.the(Conflict)
    assert (entry.field, entry.kind, entry.winner) == ("comments", "divergent", "external")
    assert "changed by somebody" in entry.hub["value"]
    world.external.delete_comment(comment)
    await look_at_comments(world, item)
    assert len(texts(world.task())) == 1, "the changed copy stays"


async def test_a_deleted_copy_does_not_come_back(world: World) -> None:
    item, _task = await world.paired()
    world.external.comment(item, "root", by="bob")
    await world.look()
    (copy,) = world.task()["comments"]
    world.hub.delete_comment(copy["id"])
    await look_at_comments(world, item)
    await look_at_comments(world, item)
    assert texts(world.task()) == []
    assert texts(world.thing()) == ["root"]
    assert (await world.the(Conflict)).field == "comments"


async def test_both_gone_is_forgotten(world: World) -> None:
    item, _task = await world.paired()
    comment = world.external.comment(item, "root", by="bob")
    await world.look()
    (copy,) = world.task()["comments"]
    world.hub.delete_comment(copy["id"])
    world.external.delete_comment(comment)
    await look_at_comments(world, item)
    assert (await world.the(Link, kind="comment")).state == "unlinked"
    assert await world.rows(Conflict) == []


async def test_a_late_listing_deletes_nothing(build: Build) -> None:
    world = await build(settings_={"stale_seconds": 60})
    world.clock.stop()
    item = world.external.new(world.container, title="Broken link")
    await world.look()
    world.external.clock.advance(100)
    comment = world.external.comment(item, "root", by="bob")
    await world.look()
    assert len(texts(world.task())) == 1
    world.external.visible_after_s = 50  # the item is shown, its comment is not
    await look_at_comments(world, item)
    assert "before our own writes" in await world.waiting()
    assert len(texts(world.task())) == 1
    assert (await world.the(Link, kind="comment")).state == "active"
    world.external.visible_after_s = 0
    world.clock.advance(6)
    await world.work()
    assert await world.rows(Mark) == []
    world.external.delete_comment(comment)
    for _ in range(3):
        world.clock.advance(61)
        await look_at_comments(world, item)
    assert texts(world.task()) == [], "a deletion that lasts is one"


async def with_an_edited_comment(build: Build) -> tuple[World, str]:
    """A world and its item; the comment was copied long ago, and edited a moment ago."""
    world = await build(settings_={"stale_seconds": 60})
    world.clock.stop()
    item = world.external.new(world.container, title="Broken link")
    comment = world.external.comment(item, "old", by="bob")
    await world.look()
    world.hub.clock.advance(100)
    world.clock.advance(61)
    world.external.edit_comment(comment, "new")
    return world, item


async def test_a_late_listing_does_not_undo_an_edit(build: Build) -> None:
    world, item = await with_an_edited_comment(build)
    await look_at_comments(world, item)
    assert texts(world.task())[0].endswith("new")
    world.hub.visible_after_s = 50  # as it was before our edit
    await look_at_comments(world, item)
    assert "before our own writes" in await world.waiting()
    assert await world.rows(Conflict) == []
    world.hub.visible_after_s = 0
    world.clock.advance(6)
    await world.work()
    assert texts(world.task())[0].endswith("new")
    assert await world.rows(Conflict) == []


@pytest.mark.parametrize("kind", ["reset_after", "garbage", "502"])
async def test_a_comment_whose_answer_is_lost_is_there_once_and_holds_back_later_ones(
    world: World, kind: str
) -> None:
    item, _task = await world.paired()
    world.hub.faults.add(Fault(kind=kind, method="POST", path="/stories"))  # type: ignore[arg-type]
    world.external.comment(item, "first", by="bob")
    world.external.comment(item, "second", by="bob")
    world.clock.stop()
    await world.look()
    assert len(texts(world.task())) == (0 if kind == "502" else 1), "the second one waits for the first"
    world.clock.run()
    await world.settle()
    assert [text.split("\n")[-1] for text in texts(world.task())] == ["first", "second"]


async def test_a_lost_edit_and_a_lost_deletion_are_looked_up(world: World) -> None:
    item, _task = await world.paired()
    comment = world.external.comment(item, "old", by="bob")
    await world.settle()
    world.hub.faults.add(Fault(kind="reset_after", method="PUT", path="/stories/"))
    world.external.edit_comment(comment, "new")
    await world.settle()
    assert texts(world.task())[0].endswith("new")
    assert len([e for e in world.hub.journal.by("PUT", "/stories/") if e.committed]) == 1
    world.hub.faults.add(Fault(kind="502", method="PUT", path="/stories/"))
    world.external.edit_comment(comment, "newer")
    await world.settle()
    assert texts(world.task())[0].endswith("newer")
    world.hub.faults.add(Fault(kind="reset_after", method="DELETE", path="/stories/"))
    world.external.delete_comment(comment)
    await world.settle()
    assert texts(world.task()) == []
    assert (await world.the(Link, kind="comment")).state == "unlinked"
    assert {row.state for row in await world.rows(Write) if row.op.startswith("comment")} <= {
        "done",
        "not_done",
    }


async def test_a_late_listing_does_not_deny_an_edit_whose_answer_was_lost(build: Build) -> None:
    world, item = await with_an_edited_comment(build)
    world.hub.faults.add(Fault(kind="garbage", method="PUT", path="/stories/"))
    await look_at_comments(world, item)
    world.hub.visible_after_s = 50
    world.clock.advance(6)
    await world.work()
    assert "answer to a comment was lost" in await world.waiting()
    world.hub.visible_after_s = 0
    world.clock.advance(6)
    await world.work()
    assert texts(world.task())[0].endswith("new")
    assert len(world.hub.journal.by("PUT", "/stories/")) == 1


async def test_a_lost_deletion_that_did_not_happen_is_done_again(world: World) -> None:
    item, _ = await world.paired()
    comment = world.external.comment(item, "old", by="bob")
    await world.settle()
    world.hub.faults.add(Fault(kind="502", method="DELETE", path="/stories/"))
    world.external.delete_comment(comment)
    await world.settle()
    assert texts(world.task()) == []


async def test_a_refused_comment_is_parked_and_does_not_hold_back_the_others(github: World) -> None:
    _issue, task = await github.paired()
    github.hub.comment(task, "x" * 70000, by="ada")  # more than GitHub takes
    github.hub.comment(task, "short", by="ada")
    await github.settle()
    assert [text.split("\n")[-1] for text in texts(github.thing())] == ["short"]
    entry = await github.the(Parked)
    assert entry.what == "comment"
    asked = len(github.external.journal.by("POST", "/comments$"))
    await github.settle(full=True)
    assert len(github.external.journal.by("POST", "/comments$")) == asked, "the same text is not sent again"
    long = github.task()["comments"][0]["id"]
    github.hub.edit_comment(long, "shortened")
    await github.settle(full=True)
    assert sorted(text.split("\n")[-1] for text in texts(github.thing())) == ["short", "shortened"]
    assert await github.rows(Parked) == []
    assert await by_hand.retry(github.engine, entry.id, None) == 0


async def test_history_and_direction_of_comments(build: Build) -> None:
    world = await build(
        first=False, since="all", comments={"to_asana": True, "from_asana": False, "history": False}
    )
    world.external.clock.advance(-3600)
    item = world.external.new(world.container, title="Old")
    world.external.comment(item, "long ago", by="bob")
    world.external.clock.advance(3600)
    await world.settle()
    world.external.comment(item, "now", by="bob")
    world.hub.comment(world.tasks()[0], "stays", by="ada")
    await world.settle()
    assert [text.split("\n")[-1] for text in texts(world.task())] == ["stays", "now"]
    assert texts(world.thing()) == ["long ago", "now"]


async def test_lost_rows_of_comments_are_adopted(world: World) -> None:
    item, _ = await world.paired()
    world.external.comment(item, "root", by="bob")
    await world.look()
    async with world.engine.database.write() as session:
        await session.delete(await session.get_one(Link, (await world.the(Link, kind="comment")).id))
    before = len(world.writes())
    await look_at_comments(world, item)
    assert len(world.writes()) == before
    assert (await world.the(Link, kind="comment")).made_by == "adopt"


@pytest.mark.chaos
async def test_comments_pass_through_a_chain_under_the_name_of_who_wrote_them(build: Build) -> None:
    world = await build()
    other = world.external.new_container("second")
    document = world.configured()
    (first,) = document["mappings"]
    document["connections"].append({**document["connections"][1], "name": "third"})
    item, task = await world.paired()
    second = {
        **first,
        "name": "second",
        "connection": "third",
        "container": other,
        "match": {"mode": "match_only"},
    }
    twin = world.external.new(other, title="Twin")
    await world.apply_document({**document, "mappings": [first, second]})
    mapping = next(row for row in await world.rows(Mapping) if row.name == "second")
    await by_hand.link(
        world.engine,
        mapping.id,
        lambda record: record.ref.id == twin,
        lambda record: record.ref.id == task,
    )
    await world.settle()
    comment = world.external.comment(item, "from afar", by="bob")
    await world.settle()
    (copy,) = world.external.view(twin)["comments"]  # type: ignore[index]
    assert copy["text"].startswith("**[bob](")
    assert copy["text"].endswith("from afar")
    assert texts(world.thing()) == ["from afar"], "it does not come back"
    passed_on = next(row for row in await world.rows(Link, kind="comment") if row.mapping_id == mapping.id)
    assert (passed_on.author, passed_on.root.endswith(f":{comment}")) == ("bob", True)
    world.external.edit_comment(comment, "from afar, edited")
    await world.settle()
    (copy,) = world.external.view(twin)["comments"]  # type: ignore[index]
    assert copy["text"].startswith("**[bob](")
    assert copy["text"].endswith("edited")


async def test_a_change_that_names_a_comment_alone_marks_its_task(world: World) -> None:
    _item, task = await world.paired()
    comment = world.hub.comment(task, "root", by="ada")
    await world.settle()
    route = await world.route()
    site = route.end(Side.HUB).connection.site
    changes = [Change(ref=comment_ref(site, gid), comments=True) for gid in (comment, "999", comment)]
    async with world.engine.database.read() as session:
        marked = await marks_for(session, route, Side.HUB, changes)
    assert {(str(mark.ref), mark.comments) for mark in marked} == {(f"asana:{site}:task:{task}", True)}
    async with world.engine.database.read() as session:
        assert await marks_for(session, route, Side.EXTERNAL, changes[:1]) == []


async def test_a_paused_direction_holds_up_no_comment_of_the_other(world: World) -> None:
    item, task = await world.paired()
    await world.settle()
    await world.change(Mapping, {"paused_directions": ["from_asana"]})
    world.external.comment(item, "goes on", by="bob")
    world.hub.comment(task, "waits", by="ada")
    await world.look()
    assert len(texts(world.task())) == 2
    assert len(texts(world.thing())) == 1
    assert all("comments and files wait" in mark.reason for mark in await world.rows(Mark))
    world.hub.journal.clear()
    for _ in range(3):
        world.clock.advance(3)
        await world.work()
    assert world.hub.journal.by("GET", "/stories$") == [], "nothing more was told"
    world.external.comment(item, "goes on, too", by="bob")
    await world.look()
    assert len(texts(world.task())) == 3
    await world.change(Mapping, {"paused_directions": []})
    world.clock.advance(31)
    await world.settle()
    assert (len(texts(world.task())), len(texts(world.thing()))) == (3, 3)
