"""Types, issue fields, locks and milestones on a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import httpx
import pytest

from connectors.github.simulator import GitHubSimulator

REPO = "acme/website"

PathOf: TypeAlias = Callable[[str], str]


async def test_types_and_issue_fields_leave_updated_at_alone(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    github.new_issue_type("Bug")
    field = github.new_issue_field("Points", "number")
    path = path_of(github.new(REPO, title="one"))
    before = (await api.get(path)).json()
    github.clock.advance(5)
    await api.patch(path, json={"type": "Bug"})
    values = {"issue_field_values": [{"field_id": field, "value": 3}]}
    await api.post(f"{path}/issue-field-values", json=values)
    after = (await api.get(path)).json()
    assert (after["type"]["name"], after["issue_field_values"][0]["value"]) == ("Bug", 3)
    assert after["updated_at"] == before["updated_at"]


async def test_without_push_access_a_type_vanishes_with_2xx(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.new_issue_type("Bug")
    github.push_access = False
    made = await api.post(f"/repos/{REPO}/issues", json={"title": "one", "type": "Bug"})
    assert (made.status_code, made.json()["type"]) == (201, None)
    changed = await api.patch(made.json()["url"], json={"type": "Bug"})
    assert (changed.status_code, changed.json()["type"]) == (200, None)


async def test_a_person_has_no_types_and_drops_them(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    github.new_issue_type("Bug")
    github.new_container("ada/notes")
    made = await api.post("/repos/ada/notes/issues", json={"title": "one", "type": "Bug"})
    assert (made.status_code, "type" in made.json()) == (201, False)
    assert (await api.get("/orgs/ada/issue-types")).status_code == 404


async def test_values_that_do_not_fit_are_refused(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    github.new_issue_type("Bug")
    field = github.new_issue_field("Priority", "single_select", ["High"])
    made = (await api.post(f"/repos/{REPO}/issues", json={"title": "one"})).json()
    assert (await api.patch(made["url"], json={"type": "Epic"})).status_code == 422
    values = {"issue_field_values": [{"field_id": field, "value": "Low"}]}
    assert (await api.post(f"{made['url']}/issue-field-values", json=values)).status_code == 422
    assert (await api.delete(f"{made['url']}/issue-field-values/{field}")).status_code == 404


async def test_replacing_values_empties_the_others(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    text, number = (github.new_issue_field(sort, sort) for sort in ("text", "number"))
    made = (await api.post(f"/repos/{REPO}/issues", json={"title": "one"})).json()
    for method, field, value in (("POST", text, "words"), ("POST", number, 1), ("PUT", number, 2)):
        body = {"issue_field_values": [{"field_id": field, "value": value}]}
        answer = await api.request(method, f"{made['url']}/issue-field-values", json=body)
    assert [(row["issue_field_id"], row["value"]) for row in answer.json()] == [(number, 2)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (datetime(2020, 9, 24, 6, 59, tzinfo=UTC), "2020-09-23T07:00:00Z"),
        (datetime(2020, 9, 24, 7, 1, tzinfo=UTC), "2020-09-24T07:00:00Z"),
        (datetime(2020, 12, 24, 12, 0, tzinfo=UTC), "2020-12-24T08:00:00Z"),
    ],
)
async def test_a_milestone_is_due_at_midnight_in_california_whatever_time_is_given(
    github: GitHubSimulator, api: httpx.AsyncClient, given: datetime, kept: str
) -> None:
    number = github.new_milestone(REPO, "v1", due_on=given)
    assert (await api.get(f"/repos/{REPO}/milestones/{number}")).json()["due_on"] == kept


async def test_only_those_with_write_access_comment_on_a_locked_issue(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one"))
    assert (await api.put(f"{path}/lock")).status_code == 204
    assert (await api.get(path)).json()["locked"]
    assert (await api.post(f"{path}/comments", json={"body": "said"})).status_code == 201
    github.push_access = False
    refused = await api.post(f"{path}/comments", json={"body": "said"})
    assert (refused.status_code, "locked" in refused.json()["message"]) == (403, True)


async def test_an_issue_that_becomes_a_discussion_stays_closed_and_locked_and_only_its_timeline_says_so(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="one")
    github.convert_to_discussion(id)
    read = (await api.get(path_of(id))).json()
    assert (read["state"], read["locked"]) == ("closed", True)
    events = [entry["event"] for entry in (await api.get(f"{path_of(id)}/timeline")).json()]
    assert events == ["closed", "locked", "converted_to_discussion"]


async def test_checks_leave_updated_at_alone_and_reviews_move_it(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="one", kind="pull")
    seen = [(await api.get(path_of(id))).json()["updated_at"]]
    for act in (lambda: github.check(id, "build", None), lambda: github.review(id, "APPROVED", by="bob")):
        github.clock.advance(5)
        act()
        seen.append((await api.get(path_of(id))).json()["updated_at"])
    assert (seen[0] == seen[1], seen[1] < seen[2]) == (True, True)
