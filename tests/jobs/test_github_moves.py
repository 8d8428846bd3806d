"""Issues that go to another repository, and repositories under another name."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from sync.store.tables import Link
from tests.jobs.conftest import Build
from tests.jobs.world import World

APP = "acme/app"


@pytest.fixture
async def world(build: Build) -> World:
    world = await build(GitHubSimulator)
    world.external.new_container(APP)
    return world


def github_of(world: World) -> GitHubSimulator:
    assert isinstance(world.external, GitHubSimulator)
    return world.external


async def also_mapped(world: World, project: str) -> None:
    """A second mapping, of the other repository."""
    document: dict[str, Any] = world.configured()
    create = {"to_asana": True, "from_asana": False}
    second = {**document["mappings"][0], "name": "app", "container": APP, "create": create}
    document["mappings"].append({**second, "asana": {"connection": "our-asana", "project": project}})
    await world.apply_document(document)
    await world.settle()


async def test_an_issue_that_leaves_for_an_unmapped_repository_sleeps_and_wakes_when_it_returns(
    world: World,
) -> None:
    github = github_of(world)
    issue, _ = await world.paired()
    there = github.transfer(issue, APP)
    await world.settle(full=True)
    link = await world.link()
    assert (link.state, link.external_id) == ("dormant", there)
    github.edit(there, title="Renamed far away")
    await world.settle(full=True)
    assert world.task()["title"] == "Broken link"
    back = github.transfer(there, world.container)
    await world.settle(full=True)
    assert [link.external_id for link in await world.rows(Link, kind="task", state="active")] == [back]
    assert world.task()["title"] == "Renamed far away"
    assert len(world.tasks()) == 1


async def test_an_issue_that_goes_to_a_repository_of_the_same_project_keeps_its_task(world: World) -> None:
    github = github_of(world)
    await also_mapped(world, world.project)
    issue, _ = await world.paired()
    github.clock.advance(2)
    there = github.transfer(issue, APP)
    await world.settle()
    github.edit(there, title="After the transfer")
    await world.settle(full=True)
    assert [world.task(at)["title"] for at in range(len(world.tasks()))] == ["After the transfer"]


async def test_a_renamed_repository_goes_on_under_its_name_in_the_mapping(world: World) -> None:
    github = github_of(world)
    issue, task = await world.paired()
    assert github.rename_repo(world.container, "site") == "acme/site"
    github.edit(issue, title="After the rename")
    await world.settle()
    assert world.task()["title"] == "After the rename"
    world.hub.edit(task, title="And back")
    await world.settle(full=True)
    view = github.view(issue)
    assert view is not None
    assert view["title"] == "And back"
    assert (len(world.tasks()), len(github.objects("acme/site"))) == (1, 1)
