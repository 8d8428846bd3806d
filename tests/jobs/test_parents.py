"""Sub-issues and subtasks: a part lies in the project and below its whole, on both sides."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from sync.jobs.asked import by_hand
from sync.jobs.asked.audit import audit
from sync.store.tables import Conflict, Link, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World

RULES = {"fields": [{"asana": name, "external": name} for name in ("title", "state", "parent")]}


@pytest.fixture
async def world(build: Build) -> World:
    return await build(GitHubSimulator, **RULES)


def issue(world: World, title: str, **more: Any) -> str:
    return world.external.new(world.container, title=title, by="ada", **more)


def put(world: World, issue: str, parent: str | None) -> None:
    assert isinstance(world.external, GitHubSimulator)
    world.external.edit(issue, parent=parent, by="ada")


def task(world: World, title: str) -> str:
    """The task of this title."""
    (found,) = [gid for gid in world.tasks() if world.hub.workspace.tasks[gid].name == title]
    return found


def above(world: World, title: str) -> tuple[str | None, str | None]:
    """What stands above the task and above the issue of this title, by their titles."""
    parents = world.hub.workspace.tasks[task(world, title)].parent
    (here,) = [
        view for each in world.things() if (view := world.external.view(each)) and view["title"] == title
    ]
    parent = world.external.view(here["parent"]) if here["parent"] else None
    return (
        world.hub.workspace.tasks[parents].name if parents else None,
        parent["title"] if parent else None,
    )


async def in_step(world: World) -> bool:
    """Whether a complete comparison finds nothing to write, and nobody is asked."""
    before = len(world.writes())
    await world.settle(full=True)
    return len(world.writes()) == before and await world.rows(Conflict) == await world.rows(Parked) == []


async def test_a_sub_issue_becomes_a_subtask_that_lies_in_the_project(world: World) -> None:
    whole, part = issue(world, "Whole"), issue(world, "Part")
    put(world, part, whole)
    await world.settle()
    assert above(world, "Part") == ("Whole", "Whole")
    assert task(world, "Part") in world.tasks(), "it is a task of the project, too"
    assert await in_step(world)


async def test_a_subtask_in_the_project_becomes_a_sub_issue(world: World) -> None:
    whole = world.hub.new(world.project, title="Whole", by="ada")
    world.hub.new(world.project, title="Part", parent=whole, by="ada")
    world.hub.workspace.add_task(world.hub.people["ada"].gid, source="web", name="Step", parent=whole)
    await world.settle()
    assert above(world, "Part") == ("Whole", "Whole")
    assert len(world.things()) == 2, "a subtask that lies in no project stays in Asana"
    assert await in_step(world)


@pytest.mark.chaos
async def test_a_part_moves_to_another_whole_and_out_again_from_either_side(world: World) -> None:
    first, second, part = (issue(world, title) for title in ("First", "Second", "Part"))
    put(world, part, first)
    await world.settle()
    put(world, part, second)
    await world.settle(full=True)
    assert above(world, "Part") == ("Second", "Second")
    world.hub.edit(task(world, "Part"), parent=task(world, "First"), by="ada")
    await world.settle()
    assert above(world, "Part") == ("First", "First")
    world.hub.edit(task(world, "Part"), parent=None, by="ada")
    await world.settle()
    assert above(world, "Part") == (None, None)
    put(world, part, second)
    await world.settle(full=True)
    put(world, part, None)
    await world.settle(full=True)
    assert above(world, "Part") == (None, None)
    assert await in_step(world)


async def test_the_audit_finds_parts_and_their_wholes_in_step(world: World) -> None:
    put(world, issue(world, "Part"), issue(world, "Whole"))
    await world.settle()
    world.clock.advance(3600)
    assert (await audit(world.engine, await world.route())).divergent == []
    assert await world.rows(Conflict) == []


async def test_a_parent_without_a_task_is_waited_for_and_not_lost(build: Build) -> None:
    world = await build(GitHubSimulator, filter={"labels": ["bug"]}, **RULES)
    whole, part = issue(world, "Whole"), issue(world, "Part", labels=["bug"])
    put(world, part, whole)
    status = await world.settle()
    assert status["quiet"], "nobody waits for what may never come"
    assert world.task()["parent"] is None
    writes = len(world.hub.journal.writes())
    await world.settle(full=True)
    assert len(world.hub.journal.writes()) == writes
    world.external.edit(whole, labels=["bug"])
    await world.compare()
    await world.settle()
    assert above(world, "Part") == ("Whole", "Whole")
    assert (await world.rows(Link, kind="task"))[0].awaits == ""
    assert await in_step(world)


async def test_linking_the_parent_by_any_way_looks_at_its_parts_again(build: Build) -> None:
    world = await build(
        GitHubSimulator, since="all", match={"mode": "match_then_create"}, first=False, **RULES
    )
    whole, part = issue(world, "Whole"), issue(world, "Part")
    put(world, part, whole)
    world.hub.new(world.project, title="Whole", by="bob")
    world.hub.new(world.project, title="Part", by="bob")
    await world.settle()
    assert above(world, "Part") == ("Whole", "Whole")
    assert await in_step(world)


async def test_what_would_lie_below_itself_is_parked_with_the_reason(world: World) -> None:
    one, two = issue(world, "One"), issue(world, "Two")
    await world.settle()
    put(world, one, two)
    world.hub.edit(task(world, "Two"), parent=task(world, "One"), by="ada")
    await world.settle(full=True)
    entries = await world.rows(Parked)
    assert {entry.field for entry in entries} == {"parent"}
    assert all("below itself" in entry.fix for entry in entries)
    world.external.edit(one, title="Still in step")
    await world.settle()
    assert task(world, "Still in step")


async def test_a_chain_deeper_than_asana_allows_is_parked_and_the_rest_of_it_stands(world: World) -> None:
    chain = [issue(world, f"Level {level}") for level in range(7)]
    for upper, lower in pairwise(chain):
        put(world, lower, upper)
    await world.settle(full=True)
    entry = await world.the(Parked)
    assert (entry.what, entry.field, entry.park_class) == ("field", "parent", "rejected")
    assert "five levels" in entry.fix
    found = [above(world, f"Level {level}") for level in range(7)]
    assert [here == there for here, there in found].count(False) == 1


async def test_both_sides_moved_it_and_one_of_them_is_kept_for_a_person(world: World) -> None:
    first, second, part = (issue(world, title) for title in ("First", "Second", "Part"))
    issue(world, "Third")
    put(world, part, first)
    await world.settle()
    put(world, part, second)
    await world.settle(full=True)
    world.hub.edit(task(world, "Part"), parent=task(world, "First"), by="ada")
    put(world, part, None)
    await world.settle(full=True)
    here, there = above(world, "Part")
    assert here == there
    entry = await world.the(Conflict)
    assert (entry.field, entry.kind) == ("parent", "edit")
    lost = None if here else "First"
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    await world.settle()
    assert above(world, "Part") == (lost, lost)


async def test_an_older_github_without_sub_issues_goes_on_without_them(world: World) -> None:
    assert isinstance(world.external, GitHubSimulator)
    world.external.world.sub_issues = False
    whole = world.hub.new(world.project, title="Whole", by="ada")
    world.hub.new(world.project, title="Part", parent=whole, by="ada")
    await world.settle(full=True)
    assert above(world, "Part") == ("Whole", None)
    assert await in_step(world)


async def test_without_a_rule_subtasks_stay_in_asana_and_sub_issues_come_without_a_parent(
    build: Build,
) -> None:
    world = await build(GitHubSimulator)
    whole, part = issue(world, "Whole"), issue(world, "Part")
    put(world, part, whole)
    above_all = world.hub.new(world.project, title="Top", by="ada")
    world.hub.new(world.project, title="Below", parent=above_all, by="ada")
    await world.settle()
    assert above(world, "Part") == (None, "Whole")
    assert len(world.things()) == 3
