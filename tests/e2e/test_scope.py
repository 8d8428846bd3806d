"""What belongs to a mapping: filters, its start, old objects matched by title, moves and new names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.town import Town, town
from tests.stores import own_stores

pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def old_town(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]) -> AsyncIterator[Town]:
    """Mappings of several kinds over containers that were used before."""
    async with town(tmp_path_factory.mktemp("town"), **await own_stores(servers)) as made:
        made.found("new-only")
        made.found("everything", since="all", match={"mode": "match_then_create"})
        made.found("bugs", filter={"labels": ["bug"]})
        made.found("moving")
        for name in ("new-only", "everything"):
            place = made.places[name]
            made.github.new(place.repo, title="An old issue", notes="from before")
            made.asana.new(place.project, title="An old task")
            made.github.new(place.repo, title="On both sides", labels=["here"])
            made.asana.new(place.project, title="on BOTH sides")
        await asyncio.sleep(1.1)  # GitHub counts whole seconds: the start comes after what is old
        await made.up()
        await made.quiet()
        yield made


async def test_since_now_leaves_old_objects_alone(old_town: Town) -> None:
    place = old_town.places["new-only"]
    assert len(old_town.github.objects(place.repo)) == len(old_town.asana.objects(place.project)) == 2
    old_town.github.edit(old_town.github.objects(place.repo)[0], title="An old issue, edited")
    await old_town.quiet()
    assert len(old_town.asana.objects(place.project)) == 2
    assert await old_town.task_links("new-only") == []


async def test_since_all_matches_by_title_and_creates_the_rest(old_town: Town) -> None:
    place, github, asana = old_town.places["everything"], old_town.github, old_town.asana
    titles = {str((github.view(one) or {})["title"]): one for one in github.objects(place.repo)}
    tasks = {str((asana.view(one) or {})["title"]): one for one in asana.objects(place.project)}
    assert len(titles) == len(tasks) == 3
    assert titles.keys() >= {"An old issue", "An old task"}
    made_by = {row["external"]["title"]: row["made_by"] for row in await old_town.task_links("everything")}
    assert sorted(made_by.values()) == ["create", "create", "match"]
    matched = next(title for title, how in made_by.items() if how == "match")
    old_town.agree(titles[matched], await old_town.twin(titles[matched]))


async def test_a_filter_lets_in_what_gets_the_label(old_town: Town) -> None:
    place, github, asana = old_town.places["bugs"], old_town.github, old_town.asana
    wanted = github.new(place.repo, title="A bug", labels=["bug"])
    other = github.new(place.repo, title="A question")
    task = await old_town.twin(wanted)
    await old_town.quiet()
    assert len(asana.objects(place.project)) == 1

    github.edit(other, labels=["bug", "question"])
    await old_town.twin(other)
    github.edit(wanted, labels=[])
    await old_town.quiet()
    github.edit(wanted, title="Left the filter")
    await old_town.quiet()
    states = {row["external"]["id"]: row["state"] for row in await old_town.task_links("bugs")}
    assert states == {wanted: "dormant", other: "active"}
    assert (asana.view(task) or {})["title"] == "A bug"

    github.edit(wanted, labels=["bug"])
    await old_town.quiet()
    old_town.agree(wanted, task)

    made = await old_town.twin(asana.new(place.project, title="From Asana"))
    await old_town.quiet()
    assert (github.view(made) or {})["labels"] == ["bug"]


async def test_links_survive_a_new_name_and_end_with_a_transfer(old_town: Town) -> None:
    place, github, asana = old_town.places["moving"], old_town.github, old_town.asana
    issue, leaving = (github.new(place.repo, title=title) for title in ("Stays", "Leaves"))
    task, left = await old_town.twin(issue), await old_town.twin(leaving)
    await old_town.quiet()

    github.rename_repo(place.repo, "moving-on")
    github.edit(issue, title="Stays, renamed on GitHub")
    await old_town.until(
        lambda: (asana.view(task) or {})["title"] == "Stays, renamed on GitHub", "news under the new name"
    )
    asana.edit(task, title="Stays, renamed in Asana", labels=["moved"])
    await old_town.until(
        lambda: (github.view(issue) or {})["title"] == "Stays, renamed in Asana", "writes under the new name"
    )
    await old_town.quiet()
    old_town.agree(issue, task)

    moved = github.transfer(leaving, github.new_container("elsewhere"))
    asana.edit(left, title="Edited after the transfer")
    await old_town.quiet()
    assert len(github.objects("acme/elsewhere")) == 1
    assert (asana.view(left) or {})["state"] == "open"
    rows = [row for row in await old_town.task_links("moving") if row["asana"]["gid"] == left]
    assert [row["external"]["id"] for row in rows] in ([moved], [])
