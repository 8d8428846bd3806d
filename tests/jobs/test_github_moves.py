"""Issues that go to another repository, and repositories under another name."""

from __future__ import annotations

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
