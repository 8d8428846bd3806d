"""Comments and timelines of a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
from dirty_equals import IsPartialDict

from connectors.github.simulator import BOT, GitHubSimulator

REPO = "acme/website"

PathOf: TypeAlias = Callable[[str], str]


async def test_comments_move_the_issue_but_their_edits_and_deletion_do_not(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="one")
    path = path_of(id)
    opened = (await api.get(path)).json()["updated_at"]
    github.clock.advance(5)
    first, second = github.comment(id, "first", by="ada"), github.comment(id, "second", by="bob")
    commented = (await api.get(path)).json()["updated_at"]
    assert commented > opened
    github.clock.advance(5)
    github.edit_comment(first, "first, better")
    github.delete_comment(second)
    assert (await api.get(path)).json()["updated_at"] == commented
    listed = (await api.get(f"{path}/comments")).json()
    assert [(comment["body"], comment["user"]["login"]) for comment in listed] == [("first, better", "ada")]
    assert listed[0]["updated_at"] > listed[0]["created_at"]


async def test_the_repository_wide_list_finds_edited_comments_since_a_time(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    id, pull = github.new(REPO, title="one"), github.new(REPO, title="two", kind="pull")
    first = github.comment(id, "first")
    github.comment(pull, "on a pull request")
    github.clock.advance(5)
    since = github.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    github.edit_comment(first, "edited")
    everything = (await api.get(f"/repos/{REPO}/issues/comments")).json()
    assert [comment["body"] for comment in everything] == ["edited", "on a pull request"]
    params = {"since": since, "sort": "updated", "direction": "asc"}
    found = (await api.get(f"/repos/{REPO}/issues/comments", params=params)).json()
    assert [comment["node_id"] for comment in found] == [first]


async def test_the_bot_posts_edits_and_deletes_comments(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="one")
    made = await api.post(f"{path_of(id)}/comments", json={"body": "hello\r\nyou"})
    assert made.status_code == 201
    path = f"/repos/{REPO}/issues/comments/{made.json()['id']}"
    assert (await api.get(path)).json()["body"] == "hello\r\nyou"
    assert (await api.patch(path, json={"body": "bye"})).json()["body"] == "bye"
    view = github.view(id)
    assert view is not None
    assert view["comments"] == [IsPartialDict(id=made.json()["node_id"], text="bye", author=BOT)]
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404
    assert (await api.delete(path)).status_code == 404


async def test_the_timeline_has_everything_but_edits_of_the_body(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="one")
    number = github.new_milestone(REPO, "v1")
    edits: list[dict[str, Any]] = [
        {"title": "two", "notes": "text"},
        {"labels": ["bug"]},
        {"labels": []},
        {"assignee": "bob"},
        {"assignee": None},
        {"milestone": number},
        {"milestone": None},
        {"state": "closed", "state_reason": "not_planned"},
        {"state": "open"},
    ]
    for fields in edits:
        github.edit(id, by="ada", **fields)
    github.clock.advance(1)
    github.comment(id, "said", by="bob")
    entries = (await api.get(f"{path_of(id)}/timeline")).json()
    assert [entry["event"] for entry in entries] == [
        *("renamed", "labeled", "unlabeled", "assigned", "unassigned"),
        *("milestoned", "demilestoned", "closed", "reopened", "commented"),
    ]
    by_event = {entry["event"]: entry for entry in entries}
    assert by_event["renamed"]["rename"] == {"from": "one", "to": "two"}
    assert by_event["renamed"]["actor"]["login"] == "ada"
    assert by_event["assigned"]["assignee"]["login"] == "bob"
    assert by_event["closed"]["state_reason"] == "not_planned"
    assert by_event["commented"]["body"] == "said"
