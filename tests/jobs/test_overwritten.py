"""An edit made between our read and our write is listed, without webhooks, where the provider tells of it."""

from __future__ import annotations

import pytest

from connectors.errors import RetryLater
from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Exchange, Fault
from sync.jobs.asked import by_hand
from sync.jobs.merging.overwritten import look_back
from sync.store.tables import Conflict, Connection, Cursor
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World

NO_LIST = Fault(kind="404", method="GET", path="/issues/events$", times=None)


def histories(world: World) -> list[Exchange]:
    """Looks at the history of a task."""
    asked = world.hub.journal.by("GET", "/stories$")
    return [each for each in asked if "old_name" in each.query.get("opt_fields", "")]


async def renamed_over(world: World, stood: str = "Ada's title") -> tuple[str, str]:
    """Bob renames the task; while that is written, Ada renames the issue."""
    issue, task = await world.paired(title="Start")
    faults = world.external.faults
    world.external.faults = Meanwhile(
        "PATCH", "/issues/", lambda: world.external.edit(issue, title=stood, by="ada")
    )
    world.hub.edit(task, title="Bob's title", by="bob")
    await world.look()
    world.external.faults = faults
    return issue, task


@pytest.mark.parametrize("listed_for_all", [True, False])
async def test_a_title_that_our_write_replaced_is_listed_and_comes_back(
    github: World, listed_for_all: bool
) -> None:
    if not listed_for_all:
        github.external.faults.add(NO_LIST)
    await renamed_over(github)
    assert (github.thing()["title"], github.task()["title"]) == ("Bob's title", "Bob's title")
    await github.settle()
    entry = await github.the(Conflict)
    assert (entry.field, entry.kind, entry.winner) == ("title", "overwritten", "hub")
    assert (entry.external["value"], entry.hub["value"]) == ("Ada's title", "Bob's title")
    assert entry.external["author"]["id"] == github.external.people["ada"].login
    await github.settle()
    assert len(await github.rows(Conflict)) == 1
    await by_hand.ask_to_restore(github.engine, entry.id, None)
    await github.settle()
    assert (github.thing()["title"], github.task()["title"]) == ("Ada's title", "Ada's title")


async def test_without_an_edit_in_between_nothing_is_listed_and_nobody_is_asked(github: World) -> None:
    issue, task = await github.paired(title="Start")
    github.hub.edit(task, title="From Asana", by="bob")
    await github.settle()
    for clock in (github.clock, github.hub.clock, github.external.clock):
        clock.advance(30)
    github.external.edit(issue, title="From GitHub", by="ada")
    await github.settle()
    assert await github.rows(Conflict) == []
    assert github.external.journal.by("GET", "/timeline") == histories(github) == []


async def test_a_title_that_a_person_wrote_before_ours_was_read_back_is_not_taken_for_ours(
    github: World,
) -> None:
    issue, task = await github.paired(title="Start", labels=["bug"])

    def by_ada() -> None:
        """The label is gone already, so GitHub does not say which are left: the issue is read back."""
        github.external.edit(issue, title="Ada's title", labels=[], by="ada")

    github.external.faults = Meanwhile("DELETE", "/labels/bug$", by_ada)
    github.hub.edit(task, title="Bob's title", labels=[], by="bob")
    await github.settle()
    assert (github.thing()["title"], github.task()["title"]) == ("Ada's title", "Ada's title")
    assert len(github.external.journal.by("PATCH", "/issues/")) == 1, "Bob's was written before"


async def test_an_edit_taken_back_before_our_write_is_no_loss(github: World) -> None:
    issue, task = await github.paired(title="Start")

    def there_and_back() -> None:
        github.external.edit(issue, title="By mistake", by="ada")
        github.external.edit(issue, title="Start", by="ada")

    github.external.faults = Meanwhile("PATCH", "/issues/", there_and_back)
    github.hub.edit(task, title="From Asana", by="bob")
    await github.settle()
    assert await github.rows(Conflict) == []


async def test_the_title_that_stood_there_long_before_is_an_edit_like_any_other(github: World) -> None:
    issue, task = await github.paired(title="Start")
    github.hub.edit(task, title="Second", by="bob")
    await github.settle()
    github.external.faults = Meanwhile(
        "PATCH", "/issues/", lambda: github.external.edit(issue, title="Start", by="ada")
    )
    github.hub.edit(task, title="Third", by="bob")
    await github.settle()
    assert (await github.the(Conflict)).external["value"] == "Start"


@pytest.mark.parametrize("events", ["told", "lost", "none"])
async def test_a_task_s_name_that_our_write_replaced_is_listed(build: Build, events: str) -> None:
    world = await build(GitHubSimulator)
    if events == "none":
        world.hub.faults.add(Fault(kind="404", method="GET", path="/events$", times=None))
    issue, task = await world.paired(title="Start")
    await world.settle()
    faults = world.hub.faults
    world.hub.faults = Meanwhile(
        "PUT", f"/tasks/{task}$", lambda: world.hub.edit(task, title="Ada's", by="ada")
    )
    world.external.edit(issue, title="Bob's", by="bob")
    await world.look()
    world.hub.faults = faults
    if events == "lost":
        world.hub.workspace.log.expire_tokens()  # type: ignore[attr-defined]
    await world.settle()
    assert (world.thing()["title"], world.task()["title"]) == ("Bob's", "Bob's")
    entry = await world.the(Conflict)
    assert (entry.kind, entry.hub["value"], entry.external["value"]) == ("overwritten", "Ada's", "Bob's")
    assert entry.hub["author"]["name"] == "Ada Lovelace"
    asked = {"told": [1], "lost": [2, 3], "none": [1, 2]}
    assert len(histories(world)) in asked[events], "at most with each poll, and once more for what is told"


async def test_a_connection_that_rests_since_the_poll_began_is_not_asked(github: World) -> None:
    await github.paired(title="Start")
    github.hub.edit(github.tasks()[0], title="Bob's title", by="bob")
    await github.settle()
    connection = await github.the(Connection, name="other")
    until = github.engine.in_s(60)
    await github.change(Connection, {"blocked_until": until}, name="other")
    with pytest.raises(RetryLater, match="rests"):
        await look_back(github.engine, connection, github.container, None, github.engine.in_s(-60))
    assert github.external.journal.by("GET", "/timeline$") == []


async def test_what_cannot_be_asked_holds_a_poll_up_twice_only(github: World) -> None:
    github.external.faults.add(NO_LIST)
    await renamed_over(github)
    github.external.faults.add(Fault(kind="500", method="GET", path="/timeline$", times=None))
    reads = [row.version for row in await github.rows(Cursor, container=github.container)]
    held = []
    for _ in range(3):
        await github.poll()
        held.append([row.version for row in await github.rows(Cursor, container=github.container)] == reads)
    assert held == [True, True, False]
