"""What a preview lists is what the passes write, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.memory.simulator import MemorySimulator
from connectors.simulation import Simulator
from sync.jobs.asked.preview import opened_route, preview
from sync.jobs.configuring.in_force import connection_row, in_force
from sync.jobs.configuring.prospect import prospect_of
from sync.reconcile.model import Side
from sync.store.tables import Link, Mapping, Parked, Write
from tests.jobs.conftest import Build
from tests.jobs.world import World, read

Listed = tuple[str, str, str, str]
"""Operation, side written to, object that it comes from, what is written."""


async def foretold(world: World, **asked: Any) -> dict[str, Any]:
    route = await opened_route(world.engine, (await world.the(Mapping)).id)
    assert route is not None
    found = await preview(world.engine, route, known_as=route.mapping.id, limit=1000, **asked)
    return found.told()


def listed(told: dict[str, Any]) -> list[Listed]:
    return sorted(
        (
            item["op"],
            item["side"],
            item["source"]["ref"],
            repr(sorted((name, values["after"]) for name, values in item["fields"].items())),
        )
        for item in told["items"]
    )


async def written(world: World, after: int = 0) -> list[Listed]:
    """What the write log says was done."""
    links = {row.id: row for row in await world.rows(Link)}
    found: list[Listed] = []
    for row in await world.rows(Write, state="done"):
        if row.id <= after:
            continue
        link = links[row.link_id]
        source = getattr(links[link.parent_id or link.id], f"{Side(row.side).other}_ref")
        fields = {"text": row.plan["root_text"]} if row.op.startswith("comment") else row.fields
        side = "asana" if row.side == "hub" else row.side
        found.append((row.op, side, source, repr(sorted(fields.items()))))
    return sorted(found)


@pytest.mark.parametrize("external", [MemorySimulator, GitHubSimulator])
async def test_a_first_sync_writes_what_was_listed_one_by_one(
    build: Build, external: type[Simulator]
) -> None:
    world = await build(
        external, first=False, since="all", match={"mode": "match_then_create"}, comments={"history": True}
    )
    pair = world.external.new(world.container, title="Stands on both", notes="text", by="ada", labels=["ui"])
    world.hub.new(world.project, title="Stands on  both", by="ada")
    world.external.comment(pair, "Before the mapping", by="bob")
    lone = world.external.new(world.container, title="Only there", by="bob", assignee="ada")
    world.external.comment(lone, "First", by="ada")
    world.external.comment(lone, "Second", by="bob")
    closed = world.external.new(world.container, title="Done there", by="bob")
    world.external.edit(closed, state="closed")
    task = world.hub.new(world.project, title="Only here", by="ada", labels=["urgent"])
    world.hub.comment(task, "From the task", by="ada")
    world.hub.attach(task, "plan.txt", b"one, two, three", by="ada")
    phases: list[tuple[str, int, int | None]] = []
    told = await foretold(world, tell=lambda *seen: phases.append(seen))
    assert world.writes() == [], "a preview writes nothing"
    assert told["writes"] == len(told["items"]) > 8
    assert told["matched"] == 1
    assert [entry["kind"] for entry in told["conflicts"]] == []
    assert phases[-1] == ("planning", 4, 4)
    await world.settle()
    assert listed(told) == await written(world)
    again = await foretold(world)
    assert (again["writes"], again["in_step"]) == (0, 4), again["items"]


async def test_what_differs_is_told_field_by_field_and_every_clash(build: Build) -> None:
    world = await build(first=False, since="all", match={"mode": "match_only"}, conflict="external")
    item = world.external.new(world.container, title="The same", notes="outside", labels=["a"])
    task = world.hub.new(world.project, title="The same", notes="inside", labels=["b"])
    told = await foretold(world)
    (clash,) = told["conflicts"]
    assert (clash["field"], clash["winner"], clash["kind"]) == ("notes", "external", "first_sync")
    by_side = {entry["side"]: entry["fields"] for entry in told["items"]}
    assert by_side["external"] == {"labels": {"before": ["a"], "after": ["a", "b"]}}
    assert by_side["asana"]["notes"]["after"] == "outside"
    await world.settle()
    assert listed(told) == await written(world)
    assert (item, task) == ((await world.link()).external_id, (await world.link()).hub_id)


async def test_a_change_of_the_mapping_writes_what_was_listed_for_it(build: Build) -> None:
    rules = [{"asana": "title", "external": "title"}]
    world = await build(GitHubSimulator, fields=rules, filter={"labels": ["bug"]})
    await world.paired(title="Stays", labels=["bug", "ui"], notes="not mapped yet")
    await world.paired(title="Leaves", labels=["bug"])
    world.external.new(world.container, title="Enters", labels=["ui"], by="ada")
    await world.settle()
    last = max(row.id for row in await world.rows(Write))
    wider = [*rules, {"asana": "notes", "external": "notes"}, {"asana": "labels", "external": "labels"}]
    configuration = read(world.configured(filter={"labels": ["ui"]}, fields=wider))
    present = await in_force(world.engine)
    rows = {
        each.name: connection_row(world.engine, each, present) for each in configuration.connections.values()
    }
    (config,) = configuration.mappings.values()
    prospect = prospect_of(world.engine, configuration, config, rows, present)
    assert prospect.known is not None
    route = await prospect.route(world.engine)
    found = await preview(world.engine, route, known_as=prospect.known.id, limit=1000)
    told = found.told()
    assert (await world.the(Mapping)).version == 1, "nothing is applied"
    await world.apply()
    await world.settle()
    assert listed(told) == await written(world, after=last)
    assert {item["op"] for item in told["items"]} == {"create", "update"}


async def test_a_later_edit_is_listed_as_the_pass_will_write_it(github: World) -> None:
    item, task = await github.paired(title="Start")
    last = max(row.id for row in await github.rows(Write))
    github.external.edit(item, title="Later", labels=["ui"])
    github.hub.comment(task, "Look", by="ada")
    told = await foretold(github)
    assert {entry["link"] for entry in told["items"]} == {(await github.link()).id}
    await github.settle()
    assert listed(told) == await written(github, after=last)


async def test_lookalikes_are_said_before_they_are_made(build: Build) -> None:
    world = await build(first=False, since="all")
    world.external.new(world.container, title="Login  fails")
    world.hub.new(world.project, title="login fails")
    (told,) = (await foretold(world))["duplicates"]
    assert (told["title"], [other["title"] for other in told["like"]]) == ("Login  fails", ["login fails"])
    await world.apply(match={"mode": "match_then_create"})
    world.hub.new(world.project, title="Login fails")
    seen = await foretold(world)
    assert len(seen["ambiguities"]) == 3
    await world.settle()
    assert [row.park_class for row in await world.rows(Parked)] == ["ambiguous"] * 3
    assert seen["writes"] == 0 == len(world.writes()), "nothing is made before a person decides"


async def test_the_time_that_limits_leave_is_told(build: Build) -> None:
    world = await build(GitHubSimulator, first=False, since="all")
    for number in range(71):
        world.hub.new(world.project, title=f"Task {number}")
    told = await foretold(world)
    assert told["time"] == {"seconds": 60.0, "governed_by": "GitHub: 70 new objects and comments a minute"}
    await world.apply(limits={"creates_per_hour": 30})
    told = await foretold(world)
    assert told["time"] == {"seconds": 7200.0, "governed_by": "the mapping's limit: 30 new objects an hour"}
