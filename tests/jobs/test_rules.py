"""Field rules at work: choices shown by labels, words without a counterpart, modes, templates."""

from __future__ import annotations

from typing import Any

import pytest

from sync.configuration import ConfigurationInvalid
from sync.store.tables import Conflict, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World

TITLE = {"asana": "title", "external": "title"}
LABELS = {"asana": "labels", "external": "labels"}
PRIORITY = {"asana": "labels", "external": "custom:priority", "values": {"urgent": "High"}}
DONE = {"asana": "state", "external": "custom:priority", "values": {"open": ["Low", "Normal"]}}


async def at_rest(world: World) -> bool:
    """Whether another full look writes nothing."""
    before = len(world.writes())
    await world.settle(full=True)
    return len(world.writes()) == before


async def refused(world: World, fields: list[dict[str, Any]]) -> dict[str, str]:
    with pytest.raises(ConfigurationInvalid) as caught:
        await world.apply(fields=fields)
    return {problem.path: problem.message for problem in caught.value.problems}


async def test_a_choice_is_shown_by_tags_beside_the_labels(build: Build) -> None:
    world = await build(fields=[TITLE, LABELS, PRIORITY])
    item, task = await world.paired(labels=["bug"], **{"custom:priority": "3"})
    assert world.task()["labels"] == ["bug", "urgent"]
    world.hub.edit(task, labels=["bug", "ui", "Low"])
    await world.settle()
    assert (world.thing()["labels"], world.thing()["custom:priority"]) == (["bug", "ui"], "1")
    world.external.edit(item, labels=["ui"], **{"custom:priority": "3"})
    await world.settle()
    assert sorted(world.task()["labels"]) == ["ui", "urgent"]
    assert (world.thing()["labels"], world.thing()["custom:priority"]) == (["ui"], "3")
    assert await at_rest(world)
    assert await world.rows(Conflict) == []


async def test_a_task_with_the_tag_makes_an_object_with_the_choice(build: Build) -> None:
    world = await build(fields=[TITLE, LABELS, PRIORITY])
    world.hub.new(world.project, title="From Asana", labels=["urgent", "ui"])
    await world.settle()
    assert (world.thing()["labels"], world.thing()["custom:priority"]) == (["ui"], "3")
    assert sorted(world.task()["labels"]) == ["ui", "urgent"]
    assert await at_rest(world)


async def test_what_stands_for_nothing_is_parked_until_the_map_names_it(build: Build) -> None:
    world = await build(fields=[TITLE, DONE])
    item, _ = await world.paired(**{"custom:priority": "1"})
    world.external.edit(item, title="Dead link", **{"custom:priority": "3"})
    await world.settle()
    entry = await world.the(Parked)
    assert (entry.what, entry.field, entry.park_class) == ("field", "state", "not_supported")
    assert "'High' of custom:priority in Memory stands for nothing in state of Asana" in entry.reason
    assert "open, closed" in entry.reason
    assert "'OPTION: High'" in entry.fix
    assert (world.task()["title"], world.task()["state"]) == ("Dead link", "open"), "the rest goes through"
    assert await at_rest(world)
    assert (await world.the(Parked)).attempts == 1, "it is not tried again and again"
    await world.apply(fields=[TITLE, {**DONE, "values": {**DONE["values"], "closed": ["High"]}}])  # type: ignore[dict-item]
    await world.settle()
    assert world.task()["state"] == "closed"
    assert await world.rows(Parked) == []


async def test_what_is_undone_is_parked_no_more(build: Build) -> None:
    world = await build(fields=[TITLE, DONE])
    item, _ = await world.paired(**{"custom:priority": "1"})
    world.external.edit(item, **{"custom:priority": "3"})
    await world.settle()
    assert await world.rows(Parked)
    world.external.edit(item, **{"custom:priority": "2"})
    await world.settle()
    assert await world.rows(Parked) == []


async def test_apply_tells_what_stands_for_nothing(world: World) -> None:
    applied = await world.apply(dry_run=True, fields=[TITLE, DONE])
    assert applied.warnings == [
        "web: in Completed, nothing in Priority stands for closed: what has it is parked until `values` "
        "says what does",
        "web: in Priority, nothing in Completed stands for High: what has it is parked until `values` "
        "says what does",
    ]


async def test_rules_that_do_not_fit_are_refused_with_what_would(world: World) -> None:
    found = await refused(
        world,
        [
            {"asana": "title", "external": "custom:priority"},
            {"asana": "notes", "external": "due"},
            {"asana": "state", "external": "custom:priority", "values": {"Open": "Lowest"}},
            {"asana": "assignee", "external": "assignee", "values": {"ada": "bob"}},
            {**LABELS, "template": "{title}"},
            {"asana": "labels", "external": "custom:points"},
        ],
    )
    assert found["mappings[0].fields[0]"] == (
        "Task name (text) cannot be written into Priority (choice); the other way it can: direction: to_asana"
    )
    assert "Description (markdown) cannot be written into Due (date)" in found["mappings[0].fields[1]"]
    assert (
        "'Lowest' is no option of Priority; known: Low (1), Normal (2), High (3)"
        in found["mappings[0].fields[2].values"]
    )
    assert "not made of words" in found["mappings[0].fields[3]"]
    assert "two text fields" in found["mappings[0].fields[4]"]
    assert "cannot be written into" in found["mappings[0].fields[5]"]


async def test_two_sets_cannot_be_kept_in_one(world: World) -> None:
    found = await refused(
        world, [LABELS, {**LABELS, "external": "custom:priority"}, {**LABELS, "mode": "if_empty"}]
    )
    assert list(found) == ["mappings[0].fields[2]"]


@pytest.mark.parametrize(
    ("mode", "made", "edited"),
    [
        ("overwrite", "1", ["Low"]),
        ("if_empty", "1", ["Low"]),
        ("on_create", "1", ["urgent"]),
        ("append", "1", ["Low", "urgent"]),
    ],
)
async def test_modes_of_a_choice_into_tags(build: Build, mode: str, made: str, edited: list[str]) -> None:
    world = await build(fields=[TITLE, {**PRIORITY, "mode": mode, "direction": "to_asana"}])
    item, task = await world.paired(**{"custom:priority": "3"})
    assert world.task()["labels"] == ["urgent"]
    if mode == "if_empty":
        world.external.edit(item, **{"custom:priority": "2"})
        await world.settle()
        assert world.task()["labels"] == ["urgent"], "it is not empty"
        world.hub.edit(task, labels=[])
    world.external.edit(item, **{"custom:priority": made})
    await world.settle()
    assert sorted(world.task()["labels"]) == edited
    assert await at_rest(world)


async def test_a_template_frames_the_task_alone(build: Build) -> None:
    world = await build(fields=[{**TITLE, "template": "[{key}] {title}"}])
    item, task = await world.paired(title="Broken link")
    key = (await world.link()).external_key
    assert world.task()["title"] == f"[{key}] Broken link"
    world.hub.edit(task, title=f"[{key}] Dead link")
    await world.settle()
    assert world.thing()["title"] == "Dead link"
    world.hub.edit(task, title="Dead link")  # the frame is taken off
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Dead link", "Dead link")
    world.external.edit(item, title="Gone link")
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Gone link", f"[{key}] Gone link")
    assert await at_rest(world)


async def test_a_first_sync_matches_titles_with_and_without_their_frame(build: Build) -> None:
    fields = [{**TITLE, "template": "{title} ({key})"}]
    world = await build(first=False, fields=fields, since="all", match={"mode": "match_only"})
    first = world.external.new(world.container, title="Broken link")
    world.external.new(world.container, title="Dead link")
    world.hub.new(world.project, title=f"Broken link ({world.container}#{first})")
    world.hub.new(world.project, title="Dead link")
    await world.settle()
    assert sorted(world.external.view(each)["title"] for each in world.things()) == [  # type: ignore[index]
        "Broken link",
        "Dead link",
    ]
    assert (await world.link()).made_by == "match"
    assert len(await world.rows(type(await world.link()), kind="task")) == 2
