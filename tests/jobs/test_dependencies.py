"""Dependencies: a task waits for others, and its issue is blocked by theirs."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from sync.jobs.asked import by_hand
from sync.store.tables import Conflict, Link, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World

RULES = {"fields": [{"asana": name, "external": name} for name in ("title", "state", "blocked_by")]}


@pytest.fixture
async def world(build: Build) -> World:
    return await build(GitHubSimulator, **RULES)


def issue(world: World, title: str, *blockers: str, **more: Any) -> str:
    return world.external.new(world.container, title=title, by="ada", blocked_by=blockers, **more)


def block(world: World, issue: str, *blockers: str) -> None:
    """A person on GitHub says what it waits for, and for nothing else."""
    assert isinstance(world.external, GitHubSimulator)
    world.external.edit(issue, blocked_by=blockers, by="ada")


def depend(world: World, title: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    """A person in Asana does."""
    ada = world.hub.people["ada"].gid
    others = {
        name: [task(world, one) for one in titles] for name, titles in (("add", add), ("remove", remove))
    }
    world.hub.workspace.change_dependencies(task(world, title), ada, **others)


def task(world: World, title: str) -> str:
    """The task of this title, in whichever project."""
    tasks = world.hub.workspace.tasks
    (found,) = [gid for gid in map(str, tasks) if tasks[gid].name == title]
    return found


def waits_for(world: World, title: str) -> tuple[set[str], set[str]]:
    """The titles of what the task waits for, and of what its issue does."""
    tasks = world.hub.workspace.tasks
    views = [view for each in world.things() if (view := world.external.view(each))]
    (here,) = [view for view in views if view["title"] == title]
    blockers = [world.external.view(each) for each in here["blocked_by"]]
    return (
        {tasks[gid].name for gid in tasks[task(world, title)].dependencies},
        {view["title"] for view in blockers if view is not None},
    )


async def in_step(world: World) -> bool:
    """Whether a complete comparison finds nothing to write, and nobody is asked."""
    before = len(world.writes())
    await world.settle(full=True)
    return len(world.writes()) == before and await world.rows(Conflict) == await world.rows(Parked) == []


async def test_dependencies_go_both_ways_and_each_element_on_its_own(world: World) -> None:
    one, two, three = (issue(world, title) for title in ("One", "Two", "Three"))
    part = issue(world, "Part", one)
    await world.settle()
    assert waits_for(world, "Part") == ({"One"}, {"One"})
    depend(world, "Part", add=("Two",))
    block(world, part, one, three)
    await world.settle(full=True)
    assert waits_for(world, "Part") == ({"One", "Two", "Three"},) * 2, "nobody's is lost"
    depend(world, "Part", remove=("One",))
    block(world, part, one, two)
    await world.settle(full=True)
    assert waits_for(world, "Part") == ({"Two"}, {"Two"})
    depend(world, "Part", remove=("Two",))
    await world.settle()
    assert waits_for(world, "Part") == (set(), set())
    assert await in_step(world)


async def test_what_is_new_in_asana_takes_its_dependencies_along(world: World) -> None:
    for title in ("First", "Then"):
        world.hub.new(world.project, title=title, by="ada")
    depend(world, "Then", add=("First",))
    await world.settle()
    assert waits_for(world, "Then") == ({"First"}, {"First"})
    assert await in_step(world)


async def test_each_one_without_a_counterpart_is_waited_for_and_the_others_are_not_kept_back(
    build: Build,
) -> None:
    world = await build(GitHubSimulator, filter={"labels": ["bug"]}, **RULES)
    one, two = issue(world, "One"), issue(world, "Two")
    there = issue(world, "There", labels=["bug"])
    part = issue(world, "Part", one, two, there, labels=["bug"])
    status = await world.settle()
    assert status["quiet"], "nobody waits for what may never come"
    tasks = world.hub.workspace.tasks
    assert tasks[task(world, "Part")].dependencies == (task(world, "There"),)
    assert await in_step(world)
    for late in (two, one):  # in another order than they are named
        world.external.edit(late, labels=["bug"])
        await world.compare()
        await world.settle()
    assert waits_for(world, "Part") == ({"One", "Two", "There"},) * 2
    links = await world.rows(Link, kind="task")
    assert {link.awaits for link in links} == {""}
    block(world, part, two)
    await world.settle(full=True)
    assert waits_for(world, "Part") == ({"Two"}, {"Two"})
    assert await in_step(world)


async def test_a_dependency_on_a_task_that_nobody_syncs_stays_where_it_is(world: World) -> None:
    issue(world, "One")
    issue(world, "Part")
    await world.settle()
    world.hub.new(world.hub.new_container("Elsewhere"), title="Private", by="ada")
    depend(world, "Part", add=("One", "Private"))
    await world.settle()
    assert waits_for(world, "Part") == ({"One", "Private"}, {"One"})
    depend(world, "Part", remove=("One",))
    await world.settle()
    assert waits_for(world, "Part") == ({"Private"}, set())
    assert await in_step(world)


@pytest.mark.chaos
async def test_an_issue_may_wait_for_one_of_another_repository_of_the_project(build: Build) -> None:
    world = await build(GitHubSimulator, **RULES)
    app, document = world.external.new_container("acme/app"), world.configured()
    create = {"to_asana": True, "from_asana": False}
    document["mappings"].append(
        {**document["mappings"][0], "name": "app", "container": app, "create": create}
    )
    await world.apply_document(document)
    await world.settle()
    far = world.external.new(app, title="Far", by="ada")
    issue(world, "Near", far)
    await world.settle()
    assert waits_for(world, "Near") == ({"Far"}, {"Far"})
    depend(world, "Near", remove=("Far",))
    await world.settle()
    assert waits_for(world, "Near") == (set(), set())
    depend(world, "Near", add=("Far",))
    await world.settle()
    assert waits_for(world, "Near") == ({"Far"}, {"Far"})
    assert await in_step(world)


@pytest.mark.chaos
async def test_a_circle_is_parked_with_the_reason_and_the_rest_goes_on(world: World) -> None:
    one, two, three = (issue(world, title) for title in ("One", "Two", "Three"))
    await world.settle()
    block(world, one, two, three)
    depend(world, "Two", add=("One",))
    await world.settle(full=True)
    entries = await world.rows(Parked)
    assert {(entry.what, entry.field, entry.park_class) for entry in entries} == {
        ("field", "blocked_by", "rejected")
    }
    assert all("wait for itself" in entry.fix for entry in entries)
    assert waits_for(world, "One") == ({"Three"}, {"Two", "Three"}), "the one that may stand stands"
    world.external.edit(one, title="Still in step")
    depend(world, "Two", remove=("One",))
    await world.settle(full=True)
    for entry in await world.rows(Parked):
        await by_hand.retry(world.engine, entry.id, None)
    await world.settle()
    assert waits_for(world, "Still in step") == ({"Two", "Three"},) * 2
    assert await in_step(world)


@pytest.mark.chaos  # make test has it over the connector
async def test_more_than_asana_takes_is_parked_and_what_fits_stands(world: World) -> None:
    blockers = [issue(world, f"Blocker {number}") for number in range(31)]
    await world.settle()
    issue(world, "Part", *blockers)
    await world.settle(full=True)
    entry = await world.the(Parked)
    assert (entry.field, entry.park_class) == ("blocked_by", "rejected")
    assert "thirty" in entry.fix
    assert len(waits_for(world, "Part")[0]) == 30


@pytest.mark.chaos  # make test has it over the planner
@pytest.mark.parametrize(("direction", "arrives"), [("to_asana", "external"), ("from_asana", "hub")])
async def test_a_rule_of_one_direction_writes_one_side(build: Build, direction: str, arrives: str) -> None:
    rules = [{"asana": "title", "external": "title"}]
    rules.append({"asana": "blocked_by", "external": "blocked_by", "direction": direction})
    world = await build(GitHubSimulator, fields=rules)
    one, _ = issue(world, "One"), issue(world, "Two")
    part = issue(world, "Part")
    await world.settle()
    block(world, part, one)
    depend(world, "Part", add=("Two",))
    await world.settle(full=True)
    both = {"One", "Two"}
    assert waits_for(world, "Part") == ((both, {"One"}) if arrives == "external" else ({"Two"}, both))
    assert await in_step(world)


@pytest.mark.chaos  # make test has it over the connector
async def test_an_older_github_without_dependencies_goes_on_without_them(world: World) -> None:
    assert isinstance(world.external, GitHubSimulator)
    world.external.world.dependencies = False
    for title in ("First", "Then"):
        world.hub.new(world.project, title=title, by="ada")
    depend(world, "Then", add=("First",))
    await world.settle(full=True)
    assert waits_for(world, "Then") == ({"First"}, set())
    assert await in_step(world)


async def test_without_a_rule_they_are_left_alone(build: Build) -> None:
    world = await build(GitHubSimulator)
    one = issue(world, "One")
    issue(world, "Part", one)
    await world.settle()
    assert waits_for(world, "Part") == (set(), {"One"})
