"""Every type of custom field, both ways, with the issue field of its kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from sync.jobs.configuring.applying import apply
from sync.jobs.connecting.sessions import Sessions
from sync.store.tables import Conflict, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World, read

SORTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Text": ("text", "text", {}),
    "Number": ("number", "number", {"precision": 2}),
    "Cost": ("number", "number", {"precision": 2, "format": "currency", "currency_code": "EUR"}),
    "Share": ("number", "number", {"precision": 2, "format": "percentage"}),
    "Choice": ("enum", "single_select", {}),
    "Choices": ("multi_enum", "multi_select", {}),
    "Day": ("date", "date", {}),
}
"""Name -> type in Asana, type on GitHub, what else makes the field."""
OPTIONS = ["Low", "High", "Top"]


def furnish(world: World) -> dict[str, Any]:
    github, rules = world.external, [{"asana": "title", "external": "title"}]
    assert isinstance(github, GitHubSimulator)
    for name, (here, there, more) in SORTS.items():
        options = OPTIONS if "Choice" in name else []
        mine = world.hub.new_field(world.project, name, here, options, **more)
        theirs = github.new_issue_field(name, there, options)
        rules.append({"asana": f"custom:{mine.gid}", "external": f"custom:{theirs}"})
    people = world.hub.new_field(world.project, "Owners", "people")
    rules.append({"asana": f"custom:{people.gid}", "external": "assignee"})
    return {"fields": rules}


def gid_of(hub: AsanaSimulator, name: str) -> str:
    return next(field.gid for field in hub.workspace.custom_fields.values() if field.name == name)


def in_asana(world: World, **values: Any) -> dict[str, Any]:
    """Values by the names of fields, and of options, as Asana holds them."""
    fields = world.hub.workspace.custom_fields
    held: dict[str, Any] = {}
    for name, value in values.items():
        field = fields[gid_of(world.hub, name)]
        gids = {option.name: option.gid for option in field.options}
        if isinstance(value, tuple):
            value = tuple(gids.get(one, one) for one in value)
        held[field.gid] = gids.get(value, value) if isinstance(value, str) else value
    return held


@pytest.fixture
async def world(build: Build) -> World:
    return await build(GitHubSimulator, prepare=furnish)


async def test_values_of_every_type_go_both_ways_and_can_be_emptied(world: World) -> None:
    first = {"Text": "Acme", "Number": 3.25, "Cost": 12.5, "Share": 0.25, "Choice": "High"}
    issue, task = await world.paired(
        values={**first, "Choices": ("Low", "Top"), "Day": "2026-05-01"}, assignees=["ada"]
    )
    ada, bob = (world.hub.people[name].gid for name in ("ada", "bob"))
    held = in_asana(world, **first, Choices=("Low", "Top"), Owners=(ada,))
    assert world.hub.workspace.tasks[task].custom.items() >= held.items()
    second = {"Text": "Umbrella", "Number": 4.0, "Cost": 0.99, "Share": 1.0, "Choice": "Top"}
    values = in_asana(world, **second, Choices=("High",), Owners=(ada, bob), Day=date(2026, 5, 9))
    world.hub.edit(task, custom=values, by="ada")
    await world.settle()
    view = world.external.view(issue)
    assert view is not None
    assert view["values"] == {**second, "Choices": ("High",), "Day": "2026-05-09"}
    assert view["assignees"] == ["ada", "bob"]
    world.external.edit(issue, values=dict.fromkeys(view["values"]), assignees=[])
    await world.settle(full=True)
    assert {value for value in world.hub.workspace.tasks[task].custom.values() if value} == set()
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before
    assert await world.rows(Conflict) == await world.rows(Parked) == []


async def test_an_option_that_nothing_stands_for_is_parked_and_goes_over_once_something_does(
    world: World,
) -> None:
    issue, task = await world.paired(values={"Choices": ("Low",)})
    choices, top = gid_of(world.hub, "Choices"), in_asana(world, Choices=("Top",))
    ((top_gid,),) = top.values()
    world.hub.workspace.set_option(choices, top_gid, name="Urgent")
    world.hub.edit(task, custom=in_asana(world, Choices=("Low", "High", "Urgent")), by="ada")
    await world.settle(full=True)
    held = (world.external.view(issue) or {})["values"]
    assert set(held["Choices"]) == {"Low", "High"}, "what can be said goes over"
    parked = await world.the(Parked)
    assert "Urgent" in parked.reason
    world.hub.workspace.set_option(choices, top_gid, name="Top")
    await world.settle(full=True)
    held = (world.external.view(issue) or {})["values"]
    assert set(held["Choices"]) == {"Low", "High", "Top"}
    assert await world.rows(Parked) == []


async def test_a_start_that_waits_for_a_due_date_goes_over_once_there_is_one(build: Build) -> None:
    def with_a_start(world: World) -> dict[str, Any]:
        assert isinstance(world.external, GitHubSimulator)
        begin = world.external.new_issue_field("Begin", "date")
        rules = [("title", "title"), ("start", f"custom:{begin}")]
        return {"fields": [{"asana": here, "external": there} for here, there in rules]}

    world = await build(GitHubSimulator, prepare=with_a_start)
    issue, task = await world.paired()
    world.external.edit(issue, values={"Begin": "2026-05-01"})
    await world.settle()
    assert "due date" in (await world.the(Parked)).reason
    world.hub.edit(task, due=date(2026, 5, 9), by="ada")
    await world.settle()
    assert world.task()["start"] == date(2026, 5, 1)
    assert await world.rows(Parked) == []


async def test_a_field_that_was_made_while_everything_runs_is_written_as_soon_as_a_rule_names_it(
    build: Build,
) -> None:
    world = await build(GitHubSimulator)
    _, task = await world.paired()
    await world.settle(full=True)
    area = world.hub.new_field(world.project, "Area", "text")
    rules = [("title", "title"), (f"custom:{area.gid}", "state")]
    beside = Sessions(world.engine.settings, world.engine.database, world.engine.vault, None)
    command = replace(world.engine, owner="command", sessions=beside, field_lists={}, fields_asked_for={})
    document = world.configured(
        fields=[{"asana": here, "external": there, "direction": "to_asana"} for here, there in rules]
    )
    assert (await apply(command, read(document))).writes == 1
    await beside.aclose()
    await world.settle()
    assert world.hub.workspace.tasks[task].custom[area.gid] == "open"
