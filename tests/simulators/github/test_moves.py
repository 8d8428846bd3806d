"""Transfers and renames on a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx

from connectors.github.simulator import GitHubSimulator

REPO = "acme/website"

PathOf: TypeAlias = Callable[[str], str]
Hooked: TypeAlias = Callable[[str], Awaitable[dict[str, Any]]]
Told: TypeAlias = Callable[[], Awaitable[list[tuple[str, str | None, dict[str, Any]]]]]


async def test_a_transfer_changes_id_node_id_and_number_and_the_old_url_leads_on(
    github: GitHubSimulator,
    api: httpx.AsyncClient,
    receiver: Any,
    path_of: PathOf,
    hooked: Hooked,
    told: Told,
) -> None:
    other = github.new_container("backend")
    github.new(other, title="in the way")
    await hooked(receiver.url)
    id = github.new(REPO, title="one", labels=["bug"], assignee="ada")
    github.edit(id, labels=["bug", "only here"])
    comment = github.comment(id, "said")
    before, path = (await api.get(path_of(id))).json(), path_of(id)
    new_id = github.transfer(id, other, by="bob")
    moved = await api.get(path)
    assert (moved.status_code, moved.headers["location"]) == (301, moved.json()["url"])
    assert (await api.patch(path, json={"title": "two"})).status_code == 301
    after = (await api.get(path, follow_redirects=True)).json()
    assert after["node_id"] == new_id
    assert all(after[key] != before[key] for key in ("id", "node_id", "number", "url"))
    assert [label["name"] for label in after["labels"]] == ["bug"]
    comments = (await api.get(f"{path}/comments", follow_redirects=True)).json()
    assert [(c["node_id"], c["issue_url"]) for c in comments] == [(comment, after["url"])]
    timeline = (await api.get(f"{path}/timeline", follow_redirects=True)).json()
    assert timeline[-2]["event"] == "transferred" or timeline[-1]["event"] == "transferred"
    assert github.view(id) is None
    event, action, payload = (await told())[-1]
    assert (event, action, payload["issue"]["node_id"]) == ("issues", "transferred", id)
    assert payload["changes"]["new_issue"]["node_id"] == new_id


async def test_a_transfer_tells_the_target_of_an_opened_issue(
    github: GitHubSimulator, receiver: Any, hooked: Hooked, told: Told
) -> None:
    source = github.new_container("backend")
    id = github.new(source, title="one")
    await hooked(receiver.url)
    new_id = github.transfer(id, REPO)
    [(event, action, payload)] = await told()
    assert (event, action, payload["issue"]["node_id"]) == ("issues", "opened", new_id)
    assert payload["changes"]["old_issue"]["node_id"] == id
    assert payload["changes"]["old_repository"]["full_name"] == source


async def test_a_renamed_repository_leads_on_with_301_for_reads_and_307_for_writes(
    github: GitHubSimulator,
    api: httpx.AsyncClient,
    receiver: Any,
    path_of: PathOf,
    hooked: Hooked,
    told: Told,
) -> None:
    id = github.new(REPO, title="one")
    await hooked(receiver.url)
    old = path_of(id)
    assert github.rename_repo(REPO, "site") == "acme/site"
    read = await api.get(f"{old}/comments", params={"per_page": 5})
    assert read.status_code == 301
    assert re.search(r"/repositories/\d+/issues/1/comments\?per_page=5$", read.headers["location"])
    write = await api.patch(old, json={"title": "two"})
    assert write.status_code == 307
    assert (await api.patch(write.headers["location"], json={"title": "two"})).json()["title"] == "two"
    assert (await api.get(f"/repos/{REPO}", follow_redirects=True)).json()["full_name"] == "acme/site"
    assert (await api.get("/repos/ACME/Site")).status_code == 200
    changes = [payload["changes"] for event, _, payload in await told() if event == "repository"]
    assert changes == [{"repository": {"name": {"from": "website"}}}]
    github.new_container("website")
    assert (await api.get(f"/repos/{REPO}")).json()["full_name"] == REPO
