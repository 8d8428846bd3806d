"""Several workers and several mappings on the same objects: limits are shared, writes never overlap."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from connectors.simulation import Exchange, Fault
from tests.e2e.town import Town, assert_no_overlap, assert_silence, town
from tests.stores import own_stores

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def busy(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]) -> AsyncIterator[Town]:
    """Two workers; two repositories share a project, and one repository is in a second mapping, too."""
    async with town(tmp_path_factory.mktemp("town"), **await own_stores(servers), POLL_SECONDS="0.6") as made:
        one = made.found("one")
        made.connect("two", made.github.new_container("two"), one.project, create={"from_asana": False})
        made.connect("mirror", one.repo, made.asana.new_container("mirror"), create={"from_asana": False})
        await made.up()
        await made.worker()
        await made.until(lambda: _two_live(made), "both workers live")
        yield made


async def _two_live(made: Town) -> bool:
    return len(await made.workers()) == 2


def _asana_object(exchange: Exchange) -> str | None:
    found = re.search(r"/tasks/(\d+)", exchange.path)
    return found[1] if found else None


def _github_object(exchange: Exchange) -> str | None:
    found = re.search(r"/repos/(.+?/issues/\d+)", exchange.path)
    return found[1] if found else None


async def test_many_edits_of_objects_in_two_mappings(busy: Town) -> None:
    place, github, asana = busy.places["one"], busy.github, busy.asana
    issues = [github.new(place.repo, title=f"Shared {n}") for n in range(4)]
    other = github.new(busy.places["two"].repo, title="From the second repository")
    await busy.quiet()
    tasks = {
        row["external"]["id"]: row["asana"]["gid"]
        for row in await busy.task_links("one")
        if row["asana"]["gid"]
    }
    for simulator in (github, asana):
        simulator.faults.add(
            Fault(kind="slow", method=None, path=r"/(tasks|issues)/", seconds=0.15, times=20)
        )
    for turn in range(3):
        for n, issue in enumerate(issues):
            if (turn + n) % 2:
                github.edit(issue, title=f"GitHub {turn} of {n}", labels=[f"label {turn}"])
            else:
                asana.edit(tasks[issue], title=f"Asana {turn} of {n}")
            github.comment(issue, f"remark {turn} on {n}")
        await asyncio.sleep(0.4)
    for simulator in (github, asana):
        simulator.faults.add(Fault(kind="429", retry_after=2))
    await busy.quiet()

    assert_no_overlap(github.journal, _github_object)
    assert_no_overlap(asana.journal, _asana_object)
    assert_silence(github.journal)
    assert_silence(asana.journal)
    mirrored = {row["external"]["id"]: row["asana"]["gid"] for row in await busy.task_links("mirror")}
    for issue in issues:
        busy.agree(issue, tasks[issue])
        busy.agree(issue, mirrored[issue])
        assert len((github.view(issue) or {})["comments"]) == 3
    assert len(asana.objects(place.project)) == 5
    assert len(asana.objects(busy.places["mirror"].project)) == 4
    assert len(github.objects(place.repo)) == 4
    assert github.objects(busy.places["two"].repo) == [other]


@pytest.mark.chaos
async def test_one_of_two_workers_dies(busy: Town) -> None:
    """The other one takes over."""
    place = busy.places["one"]
    busy.others[0].kill()
    issues = [busy.github.new(place.repo, title=f"Taken over {n}") for n in range(3)]
    for issue in issues:
        await busy.until(partial(_linked_twice, busy, issue), "two counterparts")
    await busy.quiet()


async def _linked_twice(busy: Town, issue: str) -> bool:
    rows = [row for row in await busy.task_links() if row["external"]["id"] == issue and row["asana"]["gid"]]
    return len(rows) == 2
