"""Lists of a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx

from connectors.github.simulator import GitHubSimulator

REPO = "acme/website"

PathOf: TypeAlias = Callable[[str], str]


async def test_lists_default_to_open_and_include_pull_requests(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.new(REPO, title="open")
    github.new(REPO, title="pull", kind="pull")
    github.new(REPO, title="closed", state="closed")
    found = (await api.get(f"/repos/{REPO}/issues")).json()
    assert [(issue["title"], "pull_request" in issue) for issue in found] == [("pull", True), ("open", False)]
    assert len((await api.get(f"/repos/{REPO}/issues", params={"state": "all"})).json()) == 3


async def test_since_is_inclusive_and_two_changes_share_one_second(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    first, second = (github.new(REPO, title=title) for title in ("one", "two"))
    times = {(await api.get(path_of(id))).json()["updated_at"] for id in (first, second)}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    newest = max(times)
    found = await api.get(
        f"/repos/{REPO}/issues", params={"since": newest, "sort": "updated", "direction": "asc"}
    )
    assert "two" in [issue["title"] for issue in found.json()]
    github.clock.advance(2)
    later = github.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (await api.get(f"/repos/{REPO}/issues", params={"since": later})).json() == []
    github.edit(first, title="newer")
    found = await api.get(f"/repos/{REPO}/issues", params={"since": later})
    assert [issue["title"] for issue in found.json()] == ["newer"]


async def test_pages_are_linked_by_repository_id(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    for number in range(5):
        github.new(REPO, title=f"issue {number}")
    answer = await api.get(f"/repos/{REPO}/issues", params={"per_page": 2, "direction": "asc"})
    titles = [issue["title"] for issue in answer.json()]
    assert "/repositories/" in answer.links["next"]["url"]
    assert answer.links["last"]["url"].endswith("page=3")
    while "next" in answer.links:
        answer = await api.get(answer.links["next"]["url"])
        titles += [issue["title"] for issue in answer.json()]
    assert titles == [f"issue {number}" for number in range(5)]
    assert set(answer.links) == {"prev", "first"}


async def test_a_page_has_30_entries_by_default_and_never_more_than_100(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    for number in range(101):
        github.new(REPO, title=f"issue {number}")
    assert len((await api.get(f"/repos/{REPO}/issues")).json()) == 30
    assert len((await api.get(f"/repos/{REPO}/issues", params={"per_page": 500})).json()) == 100


async def test_filters_by_creator_labels_assignee_and_milestone(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    number = github.new_milestone(REPO, "v1")
    github.new(REPO, title="hers", by="ada", labels=["bug", "question"], assignee="bob", milestone=number)
    github.new(REPO, title="his", by="bob", labels=["bug"])

    async def titles(**params: Any) -> list[str]:
        return [issue["title"] for issue in (await api.get(f"/repos/{REPO}/issues", params=params)).json()]

    assert await titles(creator="Ada") == ["hers"]
    assert await titles(labels="BUG,question") == ["hers"]
    assert await titles(labels="nonsense") == []
    assert (
        await titles(assignee="bob")
        == await titles(assignee="*")
        == await titles(milestone=number)
        == ["hers"]
    )
    assert await titles(assignee="none") == await titles(milestone="none") == ["his"]
    assert await titles(sort="comments") == ["his", "hers"]
    assert (await api.get(f"/repos/{REPO}/issues", params={"state": "merged"})).status_code == 422
    assert (await api.get(f"/repos/{REPO}/issues", params={"since": "yesterday"})).status_code == 422


async def test_pull_lists_are_newest_first_unless_sorted_otherwise(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    first, second = (github.new(REPO, title=title, kind="pull") for title in ("one", "two"))
    github.clock.advance(1)
    github.edit(first, title="one again")
    assert [pull["title"] for pull in (await api.get(f"/repos/{REPO}/pulls")).json()] == ["two", "one again"]
    by_update = await api.get(f"/repos/{REPO}/pulls", params={"sort": "updated"})
    assert [pull["title"] for pull in by_update.json()] == ["two", "one again"]
    github.edit(second, state="merged")
    assert (await api.get(path_of(second).replace("issues", "pulls"))).json()["merged"] is True


async def test_late_visibility_hides_writes_from_reads_but_not_from_their_own_answer(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="old")
    path = path_of(id)
    github.clock.advance(60)
    github.visible_after_s = 30
    answer = await api.patch(path, json={"title": "new"})
    assert answer.json()["title"] == "new"
    made = (await api.post(f"/repos/{REPO}/issues", json={"title": "made"})).json()
    said = (await api.post(f"{path}/comments", json={"body": "said"})).json()
    assert (await api.get(path)).json()["title"] == "old"
    assert (await api.get(f"/repos/{REPO}/issues/{made['number']}")).status_code == 404
    assert (await api.get(f"/repos/{REPO}/issues/comments/{said['id']}")).status_code == 404
    assert [issue["title"] for issue in (await api.get(f"/repos/{REPO}/issues")).json()] == ["old"]
    assert (await api.get(f"{path}/timeline")).json() == []
    github.clock.advance(31)
    assert (await api.get(path)).json()["title"] == "new"
    assert len((await api.get(f"{path}/timeline")).json()) == 2


async def test_late_visibility_still_shows_what_is_deleted(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="one")
    github.comment(id, "said")
    path = path_of(id)
    github.clock.advance(60)
    github.visible_after_s = 30
    github.remove(id)
    assert (await api.get(path)).status_code == 200
    assert len((await api.get(f"/repos/{REPO}/issues/comments")).json()) == 1
    github.clock.advance(31)
    assert (await api.get(path)).status_code == 410
    assert (await api.get(f"/repos/{REPO}/issues/comments")).json() == []
