"""GitHub's own fields in tasks and back: milestones, reasons, the state of pull requests, moved issues."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulated_app import BOT_OF_APP
from connectors.github.simulator import GitHubSimulator
from sync.store.tables import Conflict, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World

TITLE = {"asana": "title", "external": "title"}
STATE = {"asana": "state", "external": "state"}
REASONS = ["Completed", "Not planned", "Duplicate", "Reopened"]


@pytest.fixture
async def world(build: Build) -> World:
    """Before the first sync, so that both sides can be furnished."""
    return await build(GitHubSimulator, first=False)


def sides(world: World) -> tuple[AsanaSimulator, GitHubSimulator]:
    assert isinstance(world.external, GitHubSimulator)
    return world.hub, world.external


async def paired_by(world: World, *fields: dict[str, Any]) -> None:
    await world.apply(fields=[TITLE, STATE, *fields])
    await world.settle()


def choice(world: World, name: str, options: list[str]) -> tuple[str, dict[str, str]]:
    """A custom field of the project: its gid, and its options by name."""
    field = world.hub.new_field(world.project, name, "enum", options)
    return field.gid, {option.name: option.gid for option in field.options}


async def at_rest(world: World) -> bool:
    before = len(world.writes())
    await world.settle(full=True)
    return len(world.writes()) == before


async def test_a_milestone_arrives_as_option_and_due_day_and_goes_back(world: World) -> None:
    hub, github = sides(world)
    first = github.new_milestone(world.container, "v1", due_on=datetime(2026, 7, 31, 12, tzinfo=UTC))
    second = github.new_milestone(world.container, "v2", due_on=datetime(2026, 12, 31, 12, tzinfo=UTC))
    gid, options = choice(world, "Version", ["v1", "v2"])
    await paired_by(
        world,
        {"asana": f"custom:{gid}", "external": "milestone"},
        {"asana": "due", "external": "due", "direction": "to_asana"},
    )
    issue, task = await world.paired(milestone=first)
    assert (world.task()["due"], world.task()["custom"][gid]) == (date(2026, 7, 31), options["v1"])
    github.edit(issue, milestone=second)
    await world.settle()
    assert (world.task()["due"], world.task()["custom"][gid]) == (date(2026, 12, 31), options["v2"])
    hub.edit(task, custom={gid: options["v1"]})
    await world.settle()
    assert world.thing()["milestone"] == "v1"
    assert world.task()["due"] == date(2026, 7, 31), "the due day follows the milestone"
    assert await at_rest(world)
    assert await world.rows(Conflict) == []


async def test_a_reason_goes_both_ways_with_the_state(world: World) -> None:
    hub, github = sides(world)
    gid, options = choice(world, "Outcome", REASONS)
    await paired_by(world, {"asana": f"custom:{gid}", "external": "custom:state_reason"})
    issue, task = await world.paired()
    github.edit(issue, state="closed", state_reason="not_planned")
    await world.settle()
    assert (world.task()["state"], world.task()["custom"][gid]) == ("closed", options["Not planned"])
    hub.edit(task, state="open")
    await world.settle()
    assert (world.thing()["state"], world.thing()["state_reason"]) == ("open", "reopened")
    assert world.task()["custom"][gid] == options["Reopened"]
    hub.edit(task, state="closed", custom={gid: options["Duplicate"]})
    await world.settle()
    assert (world.thing()["state"], world.thing()["state_reason"]) == ("closed", "duplicate")
    assert await at_rest(world)
    assert await world.rows(Parked) == []


async def test_a_type_goes_both_ways_and_a_locked_or_converted_issue_shows(world: World) -> None:
    hub, github = sides(world)
    for name in ("Bug", "Chore"):
        github.new_issue_type(name)
    type_, types = choice(world, "Type", ["Bug", "Chore"])
    lock, locks = choice(world, "Conversation", ["Open to all", "Locked"])
    await paired_by(
        world,
        {"asana": f"custom:{type_}", "external": "custom:type"},
        {"asana": f"custom:{lock}", "external": "custom:locked", "direction": "to_asana"},
    )
    issue, task = await world.paired(type="Bug")
    assert (world.task()["custom"][type_], world.task()["custom"][lock]) == (
        types["Bug"],
        locks["Open to all"],
    )
    hub.edit(task, custom={type_: types["Chore"]})
    await world.settle()
    assert world.thing()["type"] == "Chore"
    hub.edit(task, custom={type_: None})
    github.convert_to_discussion(issue)
    await world.settle(full=True)
    assert world.thing()["type"] is None
    assert (world.task()["state"], world.task()["custom"][lock]) == ("closed", locks["Locked"])
    assert await at_rest(world)
    assert await world.rows(Parked) == []


async def test_a_merged_pull_request_shows_in_its_task_and_is_never_merged_from_there(world: World) -> None:
    hub, github = sides(world)
    gid, options = choice(world, "Pull request", ["Draft", "Open", "Merged", "Closed"])
    await paired_by(world, {"asana": f"custom:{gid}", "external": "custom:pull_request"})
    pull, task = await world.paired(kind="pull")
    assert world.task()["custom"][gid] == options["Open"]
    hub.edit(task, custom={gid: options["Merged"]}, state="closed")
    await world.settle()
    assert (world.thing()["state"], world.thing()["merged"]) == ("open", False)
    github.edit(pull, state="merged")
    await world.settle()
    assert (world.task()["state"], world.task()["custom"][gid]) == ("closed", options["Merged"])
    assert await at_rest(world)


async def test_a_review_and_checks_show_in_the_task(world: World) -> None:
    _, github = sides(world)
    review, reviews = choice(world, "Review", ["No review", "Review required", "Approved"])
    checks, words = choice(world, "Checks", ["No checks", "Pending", "Success", "Failure"])
    document = world.configured(
        fields=[
            TITLE,
            {"asana": f"custom:{review}", "external": "custom:review"},
            {"asana": f"custom:{checks}", "external": "custom:checks"},
        ]
    )
    document["connections"][1]["settings"]["pull_request_details"] = True
    await world.apply_document(document)
    await world.settle()
    pull, _ = await world.paired(kind="pull")
    github.clock.advance(2)
    github.check(pull, "build", None)
    github.ask_for_review(pull, "bob")
    await world.settle()
    custom = world.task()["custom"]
    assert (custom[review], custom[checks]) == (reviews["Review required"], words["Pending"])
    github.check(pull, "build", "failure")
    await world.settle()
    assert world.task()["custom"][checks] == words["Failure"], "the next poll looks at pending checks again"
    assert await at_rest(world)


async def test_a_comment_on_a_locked_issue_waits_for_a_person_and_the_rest_goes_on(world: World) -> None:
    hub, github = sides(world)
    await paired_by(world)
    issue, task = await world.paired()
    github.edit(issue, locked=True)
    github.push_access = False
    hub.comment(task, "said", by="ada")
    await world.settle()
    entry = await world.the(Parked)
    assert (entry.what, entry.park_class) == ("comment", "permission")
    assert "locked" in entry.reason
    assert "Unlock" in entry.fix
    github.edit(issue, title="Still in step")
    await world.settle()
    assert world.task()["title"] == "Still in step"


async def test_an_app_syncs_in_the_name_of_its_bot(world: World) -> None:
    hub, github = sides(world)
    document = world.configured(fields=[TITLE, STATE])
    by_app = github.connection_as_app(world.urls["github"])
    document["connections"].append({"name": "by-app", "connector": "github", **by_app})
    document["people"] = []
    document["mappings"][0] |= {"name": "app", "connection": "by-app"}
    await world.apply_document(document)
    await world.settle()
    hub.new(world.project, title="From Asana", by="ada")
    github.new(world.container, title="From GitHub", by="ada")
    await world.settle()
    assert {world.thing(at)["author"] for at in (0, 1)} == {"ada", BOT_OF_APP}
    assert len(world.tasks()) == len(world.things()) == 2
    assert await at_rest(world)


async def test_a_label_that_github_refuses_waits_and_the_issue_is_made(world: World) -> None:
    await world.apply()
    world.hub.new(world.project, title="Long", labels=["x" * 300, "bug"])
    await world.settle()
    assert world.thing()["title"] == "Long"
    assert (await world.the(Parked)).field == "labels"
