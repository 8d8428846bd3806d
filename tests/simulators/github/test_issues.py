"""Issues of a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
import pytest

from connectors.github.simulator import BOT, GitHubSimulator
from connectors.simulation import Fault

REPO = "acme/website"

PathOf: TypeAlias = Callable[[str], str]


async def test_without_push_access_labels_assignees_and_milestone_vanish_with_2xx(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.push_access = False
    wanted = {"labels": ["bug"], "assignees": ["ada"], "milestone": github.new_milestone(REPO, "v1")}
    made = await api.post(f"/repos/{REPO}/issues", json={"title": "one", **wanted})
    path = f"/repos/{REPO}/issues/{made.json()['number']}"
    changed = await api.patch(path, json={"title": "two", **wanted})
    added = await api.post(f"{path}/labels", json={"labels": ["bug"]})
    assigned = await api.post(f"{path}/assignees", json={"assignees": ["ada"]})
    assert [answer.status_code for answer in (made, changed, added, assigned)] == [201, 200, 200, 201]
    issue = (await api.get(path)).json()
    assert (issue["title"], issue["labels"], issue["assignees"], issue["milestone"]) == ("two", [], [], None)


async def test_unknown_assignees_are_silently_ignored_always(api: httpx.AsyncClient) -> None:
    made = (
        await api.post(f"/repos/{REPO}/issues", json={"title": "one", "assignees": ["ghost", "Ada"]})
    ).json()
    assert [user["login"] for user in made["assignees"]] == ["ada"]
    path = f"/repos/{REPO}/issues/{made['number']}"
    answer = await api.post(f"{path}/assignees", json={"assignees": ["ghost", "bob"]})
    assert [user["login"] for user in answer.json()["assignees"]] == ["ada", "bob"]
    answer = await api.request("DELETE", f"{path}/assignees", json={"assignees": ["ghost", "ADA"]})
    assert [user["login"] for user in answer.json()["assignees"]] == ["bob"]


async def test_labelling_leaves_updated_at_alone_unless_switched(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one"))
    before = (await api.get(path)).json()["updated_at"]
    github.clock.advance(10)
    await api.post(f"{path}/labels", json={"labels": ["bug"]})
    assert (await api.get(path)).json()["updated_at"] == before
    github.labels_bump_updated = True
    await api.delete(f"{path}/labels/bug")
    assert (await api.get(path)).json()["updated_at"] > before


async def test_state_reason_without_a_change_of_state_is_ignored(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one"))

    async def patch(**body: Any) -> tuple[str, str | None]:
        issue = (await api.patch(path, json=body)).json()
        return issue["state"], issue["state_reason"]

    assert await patch(state_reason="not_planned") == ("open", None)
    assert await patch(state="closed") == ("closed", "completed")
    assert await patch(state="closed", state_reason="not_planned") == ("closed", "completed")
    assert await patch(state="open") == ("open", "reopened")
    assert await patch(state="closed", state_reason="not_planned") == ("closed", "not_planned")
    assert (await api.get(path)).json()["closed_by"]["login"] == BOT


async def test_arrays_replace_and_unknown_labels_are_made_without_regard_to_case(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one", labels=["bug", "question"], assignee="ada"))
    issue = (await api.patch(path, json={"labels": ["Bug", "brand new"], "assignees": ["bob"]})).json()
    assert [label["name"] for label in issue["labels"]] == ["bug", "brand new"]
    assert [user["login"] for user in issue["assignees"]] == ["bob"]
    assert (await api.get(f"/repos/{REPO}/labels/brand%20new")).json()["color"] == "ededed"


async def test_single_labels_are_added_and_removed(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one", labels=["bug"]))
    added = await api.post(f"{path}/labels", json={"labels": ["area/a b", {"name": "x"}]})
    assert [label["name"] for label in added.json()] == ["bug", "area/a b", "x"]
    removed = await api.delete(f"{path}/labels/area%2Fa%20b")
    assert [label["name"] for label in removed.json()] == ["bug", "x"]
    assert (await api.delete(f"{path}/labels/area%2Fa%20b")).status_code == 404
    assert [label["name"] for label in (await api.put(f"{path}/labels", json=["y"])).json()] == ["y"]
    assert (await api.delete(f"{path}/labels")).status_code == 204
    assert (await api.get(f"{path}/labels")).json() == []


async def test_labels_of_a_repository_are_unique_without_regard_to_case(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    path = f"/repos/{REPO}/labels"
    made = await api.post(path, json={"name": "Area: UI", "color": "00ff00", "description": "what is seen"})
    assert (made.status_code, made.json()["default"]) == (201, False)
    assert "Area: UI" in [label["name"] for label in (await api.get(path)).json()]
    assert (await api.get(f"{path}/area:%20ui")).json() == made.json()
    again = await api.post(path, json={"name": "area: ui"})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "already_exists")
    assert (await api.post(path, json={"color": "00ff00"})).json()["errors"][0]["code"] == "missing_field"
    assert (await api.get(f"{path}/unheard%20of")).status_code == 404
    github.push_access = False
    assert (await api.post(path, json={"name": "mine"})).status_code == 404


async def test_what_is_not_there_reads_404(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    github.new(REPO, title="one")
    for path in ("issues/2", "issues/one", "issues/comments/1", "pulls/1", "milestones/1", "hooks/1"):
        assert (await api.get(f"/repos/{REPO}/{path}")).status_code == 404
    for path in ("/repos/acme/nothing", "/repositories/1", "/search/issues", "/graphql"):
        assert (await api.get(path)).status_code == 404


async def test_a_renamed_or_deleted_label_changes_issues_without_a_trace_on_them(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one", labels=["bug", "question"]))
    before = (await api.get(path)).json()
    github.clock.advance(5)
    github.rename_label(REPO, "bug", "defect")
    github.delete_label(REPO, "question")
    after = (await api.get(path)).json()
    assert [label["name"] for label in after["labels"]] == ["defect"]
    assert after["updated_at"] == before["updated_at"]


async def test_bodies_keep_line_ends_and_hidden_comments_as_given(api: httpx.AsyncClient) -> None:
    text = "one\r\ntwo\r\n\r\n<!-- asana-sync:key -->  \n"
    made = (await api.post(f"/repos/{REPO}/issues", json={"title": "one", "body": text})).json()
    path = f"/repos/{REPO}/issues/{made['number']}"
    assert (await api.get(path)).json()["body"] == text
    await api.patch(path, json={"body": None})
    assert (await api.get(path)).json()["body"] == ""


async def test_what_is_not_allowed_gets_422_and_changes_nothing(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one"))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"title": " "}, "title"),
        ({"title": "x" * 257}, "title"),
        ({"title": "x", "body": "x" * 65_537}, "body"),
        ({"title": "x", "state": "merged"}, "state"),
        ({"title": "x", "state_reason": "boredom"}, "state_reason"),
        ({"title": "x", "milestone": 7}, "milestone"),
        ({"title": "x", "labels": ["x" * 51]}, "name"),
    ]
    for body, field in refused:
        answer = await api.patch(path, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await api.post(f"/repos/{REPO}/issues", json={"body": "no title"})).status_code == 422
    assert (await api.post(f"{path}/comments", json={"body": "  "})).status_code == 422
    assert (await api.patch(path, content=b"{nonsense")).status_code == 400
    assert (await api.patch(path, json=["title"])).status_code == 400
    assert (await api.get(path)).json()["title"] == "one"


async def test_a_create_may_commit_then_time_out_and_its_repeat_makes_a_second_issue(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.faults.add(Fault(kind="timeout_after", method="POST", path=r"/issues$"))
    with pytest.raises(httpx.ReadTimeout):
        await api.post(f"/repos/{REPO}/issues", json={"title": "once"}, timeout=0.2)
    await api.post(f"/repos/{REPO}/issues", json={"title": "once"})
    assert len(github.objects(REPO)) == 2


@pytest.mark.parametrize("status", [410, 404])
async def test_a_deleted_issue_reads_410_or_404_and_leaves_the_lists(
    github: GitHubSimulator, api: httpx.AsyncClient, status: int, path_of: PathOf
) -> None:
    github.deleted_status = status
    id = github.new(REPO, title="one")
    github.comment(id, "said")
    path = path_of(id)
    github.remove(id)
    assert (await api.get(path)).status_code == status
    assert (await api.patch(path, json={"title": "two"})).status_code == status
    assert (await api.get(f"/repos/{REPO}/issues", params={"state": "all"})).json() == []
    assert (await api.get(f"/repos/{REPO}/issues/comments")).json() == []
    assert github.view(id) is None


async def test_pull_requests_have_their_own_node_ids_and_cannot_be_deleted(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    issue, pull = github.new(REPO, title="one"), github.new(REPO, title="two", kind="pull")
    assert (issue[:6], pull[:7]) == ("I_kwDO", "PR_kwDO")
    as_issue = (await api.get(path_of(pull))).json()
    as_pull = (await api.get(as_issue["pull_request"]["url"])).json()
    assert as_issue["node_id"] == as_pull["node_id"] == pull
    assert as_issue["id"] != as_pull["id"]
    assert github.comment(pull, "said").startswith("IC_kwDO")
    assert (await api.get(f"/repos/{REPO}/pulls/1")).status_code == 404
    with pytest.raises(ValueError, match="cannot delete"):
        github.remove(pull)


async def test_a_merged_pull_request_cannot_be_reopened(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    pull = github.new(REPO, title="one", kind="pull")
    github.edit(pull, state="merged", by="bob")
    view = github.view(pull)
    assert view is not None
    assert (view["state"], view["merged"]) == ("closed", True)
    assert (await api.patch(path_of(pull), json={"state": "open"})).status_code == 422
    events = [entry["event"] for entry in (await api.get(f"{path_of(pull)}/timeline")).json()]
    assert events == ["merged", "closed"]
