"""Filters on both sides: what they let in, who sleeps and wakes, and mappings that share containers."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from sync.configuration import ConfigurationInvalid
from sync.store.tables import Link
from tests.jobs.conftest import Build
from tests.jobs.world import World

TITLE = {"asana": "title", "external": "title"}
LABELS = {"asana": "labels", "external": "labels"}


def titles(world: World, project: str | None = None) -> list[str]:
    views = map(world.hub.view, world.hub.objects(project or world.project))
    return sorted(str(view["title"]) for view in views if view)


async def states(world: World) -> list[str]:
    return [row.state for row in await world.rows(Link, kind="task")]


async def at_rest(world: World) -> bool:
    before = len(world.writes())
    await world.settle(full=True)
    return len(world.writes()) == before


def hub(world: World, **more: Any) -> dict[str, Any]:
    return {"connection": "our-asana", "project": world.project, **more}


async def test_a_task_that_leaves_the_filter_sleeps_and_wakes_on_its_return(build: Build) -> None:
    world = await build(first=False)
    await world.apply(asana=hub(world, filter={"sections": ["Backlog", "in progress"]}))
    await world.settle()
    world.hub.new(world.project, title="Not asked for")
    task = world.hub.new(world.project, title="Out", section="Backlog")
    await world.settle()
    assert [world.thing()["title"]] == ["Out"]
    world.hub.edit(task, section="Done", by="ada")
    await world.settle()
    assert await states(world) == ["dormant"]
    assert (await world.link()).reason == "left the mapping's filter in Asana"
    world.hub.edit(task, title="Not while it sleeps", by="ada")
    await world.settle()
    assert world.thing()["title"] == "Out"
    world.hub.edit(task, section="In progress", by="ada")
    await world.settle()
    assert await states(world) == ["active"]
    assert world.thing()["title"] == "Not while it sleeps"
    assert await at_rest(world)


async def test_what_is_made_for_a_task_needs_no_word_of_the_filter(build: Build) -> None:
    world = await build(first=False)
    await world.apply(filter={"keywords": ["urgent"]})
    await world.settle()
    world.external.new(world.container, title="Not asked for")
    task = world.hub.new(world.project, title="Out")
    await world.settle()
    assert await states(world) == ["active"]
    world.hub.edit(task, title="Out and about", by="ada")
    await world.settle()
    views = map(world.external.view, world.external.objects(world.container))
    assert sorted(str(view["title"]) for view in views if view) == ["Not asked for", "Out and about"]
    assert titles(world) == ["Out and about"]


@pytest.mark.parametrize("side", ["asana", "external"])
async def test_a_filter_asks_for_any_field(build: Build, side: str) -> None:
    """Both ways: what is let in, what we create satisfies it, who leaves it sleeps."""
    world = await build(first=False, fields=[TITLE])
    priority = world.hub.new_field(world.project, "Priority", "enum", ["Low", "High"])
    if side == "asana":
        await world.apply(asana=hub(world, filter={"fields": {f"custom:{priority.gid}": ["high"]}}))
    else:
        await world.apply(filter={"fields": {"custom:priority": ["High", "Normal"]}})
    await world.settle()
    high, low = (option.gid for option in reversed(priority.options))
    world.external.new(world.container, title="From outside", **{"custom:priority": "3"})
    world.hub.new(world.project, title="From Asana", custom={priority.gid: high})
    await world.settle()
    assert titles(world) == ["From Asana", "From outside"]
    assert len(world.things()) == 2
    assert await states(world) == ["active", "active"], "what we made satisfies the filter"
    if side == "asana":
        world.hub.edit(world.tasks()[0], custom={priority.gid: low}, by="ada")
        world.hub.new(world.project, title="Stays", custom={priority.gid: low})
    else:
        world.external.edit(world.things()[0], **{"custom:priority": "1"})
        world.external.new(world.container, title="Stays", **{"custom:priority": "1"})
    await world.settle()
    assert sorted(await states(world)) == ["active", "dormant"]
    assert len(world.things()) + len(world.tasks()) == 5
    assert await at_rest(world)


async def test_new_tasks_land_where_the_filter_sees_them(build: Build) -> None:
    world = await build(first=False)
    await world.apply(asana=hub(world, filter={"sections": ["In progress"], "tags": ["team"]}))
    await world.settle()
    world.external.new(world.container, title="From outside", labels=["bug"])
    await world.settle()
    assert (world.task()["section"], world.task()["labels"]) == ("In progress", ["bug", "team"])
    assert await states(world) == ["active"]
    assert await at_rest(world)


async def test_filters_that_name_what_is_not_there_are_refused(world: World) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        await world.apply(
            filter={"fields": {"custom:priority": ["Highest"], "custom:size": ["L"], "due": ["2026-01-01"]}},
            asana=hub(
                world, section="Backlog", filter={"sections": ["Done"], "fields": {"section": ["Done"]}}
            ),
        )
    found = {problem.path.removeprefix("mappings[0]."): problem.message for problem in caught.value.problems}
    assert "known: Low (1), Normal (2), High (3)" in found["filter.fields.custom:priority"]
    assert "there is no field 'custom:size'" in found["filter.fields.custom:size"]
    assert "cannot be filtered by words" in found["filter.fields.due"]
    assert "would land outside" in found["asana.section"]
    assert "a filter of their own" in found["asana.filter.fields.section"]


# --- shared containers --------------------------------------------------------------------------------


async def beside(world: World, **mapping: Any) -> None:
    """A second mapping, like the first one but for this."""
    document = deepcopy(world.document)
    document["mappings"].append({**document["mappings"][0], "name": "second", **mapping})
    await world.apply_document(document)
    await world.settle()


async def test_two_containers_into_one_project(build: Build) -> None:
    """Each object once; a task goes out by the section it lies in, and is made nowhere else afterwards."""
    world = await build(first=False)
    await world.apply(asana=hub(world, filter={"sections": ["Backlog"]}))
    other = world.external.new_container("other")
    await beside(world, container=other, asana=hub(world, filter={"sections": ["In progress"]}))
    world.external.new(world.container, title="Here")
    world.external.new(other, title="There")
    world.hub.new(world.project, title="Out here", section="Backlog")
    task = world.hub.new(world.project, title="Out there", section="In progress")
    await world.settle(full=True)
    assert titles(world) == ["Here", "Out here", "Out there", "There"]
    for container, expected in ((world.container, {"Here", "Out here"}), (other, {"There", "Out there"})):
        there = {(world.external.view(one) or {})["title"] for one in world.external.objects(container)}
        assert there == expected
    world.hub.edit(task, section="Backlog", by="ada")
    await world.settle(full=True)
    assert len(world.things()) == 2, "it is linked elsewhere already"
    assert await at_rest(world)


@pytest.mark.chaos
async def test_one_container_into_two_projects(build: Build) -> None:
    """Each project has a task of each object; one that is made in Asana comes into the other project once."""
    world = await build()
    project = world.hub.new_container("Second project")
    await beside(world, asana=hub(world) | {"project": project})
    world.external.new(world.container, title="In both")
    world.hub.new(world.project, title="From the first")
    await world.settle(full=True)
    assert titles(world) == titles(world, project) == ["From the first", "In both"]
    assert len(world.things()) == 2
    world.hub.edit(world.hub.objects(project)[0], title="Edited in the second", by="ada")
    await world.settle(full=True)
    assert "Edited in the second" in titles(world)
    assert await at_rest(world)


@pytest.mark.chaos
async def test_overlapping_filters_bring_an_object_into_a_project_once(build: Build) -> None:
    world = await build(filter={"labels": ["bug"]}, create={"from_asana": False})
    await beside(world, filter={"labels": ["ui"]})
    item = world.external.new(world.container, title="A bug of the UI", labels=["bug", "ui"])
    await world.settle(full=True)
    assert titles(world) == ["A bug of the UI"]
    assert await states(world) == ["active", "active"]
    world.external.comment(item, "Once, please", by="ada")
    await world.settle(full=True)
    assert len(world.task()["comments"]) == 1
    world.external.edit(item, labels=["ui"])
    await world.settle(full=True)
    assert sorted(await states(world)) == ["active", "dormant"]
    assert await at_rest(world)


async def test_a_task_in_both_projects_stands_for_its_object_in_both(build: Build) -> None:
    world = await build(create={"from_asana": False})
    _, task = await world.paired()
    project = world.hub.new_container("Second project")
    world.hub.add_to_project(task, project, by="ada")
    await beside(world, asana=hub(world) | {"project": project}, since="all")
    await world.settle(full=True)
    assert world.hub.objects(project) == [task]
    assert await states(world) == ["active", "active"]


async def test_mappings_that_would_multiply_are_refused(world: World) -> None:
    for more in (
        {"filter": {"labels": ["bug"]}, "create": {"from_asana": False}},  # the first lets in everything
        {"container": world.external.new_container("other")},  # both let out the same tasks
    ):
        with pytest.raises(ConfigurationInvalid) as caught:
            await beside(world, **more)
        (problem,) = caught.value.problems
        assert "'web'" in problem.message
