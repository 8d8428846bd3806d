"""What the sync wrote is put back: only what nobody touched since, and by writes like any other."""

from __future__ import annotations

from typing import Any

from sync.jobs.asked import undoing
from sync.store.tables import Conflict, Revert, Write
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def reverted(world: World) -> dict[str, Any]:
    """Everything since the beginning."""
    mapping, since = (await world.route()).mapping, world.engine.in_s(-3600)
    ids = await undoing.undo(world.engine, mapping.id, since)
    await undoing.finish(world.engine, mapping.id, ids)
    return await undoing.told(world.engine, mapping.id, since, ids)


async def test_a_field_goes_back_on_both_sides_and_what_stood_there_is_listed(github: World) -> None:
    item, _ = await github.paired(title="As it was", labels=["ui"])
    for title in ("First change", "Second change"):
        github.external.edit(item, title=title, by="bob")
        await github.settle()
    last = max(row.id for row in await github.rows(Write))
    mapping = (await github.route()).mapping
    seen = await undoing.foretell(github.engine, mapping.id, github.engine.in_s(-3600))
    assert await github.rows(Revert) == [], "to foretell stores nothing"
    assert [(each["from"], each["to"]) for each in seen["fields"]] == [("Second change", "As it was")]
    told = await reverted(github)
    assert (github.task()["title"], github.thing()["title"]) == ("As it was", "As it was")
    assert [(each["field"], each["state"]) for each in told["fields"]] == [("title", "done")]
    assert [each["op"] for each in told["left"]] == ["create"]
    (entry,) = await github.rows(Conflict)
    assert (entry.kind, entry.external["value"]) == ("overwritten", "Second change")
    assert {row.op for row in await github.rows(Write) if row.id > last} == {"update"}
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before, "it stays as it was put back"


async def test_the_same_revert_again_changes_nothing(world: World) -> None:
    item, _ = await world.paired(title="One", labels=["ui"])
    world.external.edit(item, title="Two", labels=["bug"])
    await world.settle()
    await reverted(world)
    assert (world.task()["title"], world.task()["labels"]) == ("One", ["ui"])
    before = len(world.writes())
    assert (await reverted(world))["fields"] == []
    await world.settle(full=True)
    assert len(world.writes()) == before
    world.external.edit(item, title="Three")
    await world.settle()
    await reverted(world)
    assert (world.task()["title"], world.thing()["title"]) == ("One", "One"), "what came after it is undone"


async def test_what_somebody_edited_since_stays(world: World) -> None:
    item, task = await world.paired(title="One", notes="kept")
    world.external.edit(item, title="Two", notes="changed")
    await world.settle()
    world.hub.edit(task, title="By hand", by="bob")
    await world.settle()
    told = await reverted(world)
    states = {each["field"]: (each["side"], each["state"]) for each in told["fields"]}
    assert states["notes"] == ("asana", "done")
    assert world.thing()["notes"] == "kept"
    assert states["title"] == ("external", "skipped"), "bob edited what we had written"
    assert (world.task()["title"], world.thing()["title"]) == ("By hand", "By hand")
    world.external.edit(item, title="Three")
    await world.settle()
    mapping, since = (await world.route()).mapping, world.engine.in_s(-3600)
    world.hub.edit(task, title="Meanwhile", by="ada")
    ids = await undoing.undo(world.engine, mapping.id, since)
    await undoing.finish(world.engine, mapping.id, ids)
    (title,) = [
        each
        for each in (await undoing.told(world.engine, mapping.id, since, ids))["fields"]
        if each["field"] == "title"
    ]
    assert title["state"] == "skipped"
    assert "edited since" in title["reason"]
    assert world.task()["title"] == "Meanwhile"


async def test_a_one_way_mapping_puts_back_the_side_it_writes(build: Build) -> None:
    world = await build(direction="to_asana")
    item, _ = await world.paired(title="One")
    world.external.edit(item, title="Two")
    await world.settle()
    await reverted(world)
    assert (world.task()["title"], world.thing()["title"]) == ("One", "Two")
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before, "until the source changes again"


async def test_a_paused_mapping_reverts_when_it_is_resumed(world: World) -> None:
    item, _ = await world.paired(title="One")
    world.external.edit(item, title="Two")
    await world.settle()
    mapping = (await world.route()).mapping
    await world.change(type(mapping), {"paused": True})
    told = await reverted(world)
    assert [each["state"] for each in told["fields"]] == ["open"]
    assert world.task()["title"] == "Two"
    await world.change(type(mapping), {"paused": False})
    await world.settle()
    assert world.task()["title"] == "One"
    assert (await world.the(Revert)).state == "done"
