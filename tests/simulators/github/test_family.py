"""Sub-issues of a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import httpx

from connectors.github.simulator import GitHubSimulator

REPO = "acme/website"


async def test_sub_issues_leave_updated_at_alone_and_show_in_both_issues(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: Callable[[str], str]
) -> None:
    whole, part = (path_of(github.new(REPO, title=title)) for title in ("Whole", "Part"))
    before = (await api.get(part)).json()
    assert "parent_issue_url" not in before
    github.clock.advance(10)
    body = {"sub_issue_id": before["id"]}
    assert (await api.post(f"{whole}/sub_issues", json=body)).status_code == 201
    after, above = (await api.get(part)).json(), (await api.get(whole)).json()
    assert after["updated_at"] == before["updated_at"]
    assert after["parent_issue_url"] == above["url"]
    assert above["sub_issues_summary"] == {"total": 1, "completed": 0, "percent_completed": 0}
    assert [each["id"] for each in (await api.get(f"{whole}/sub_issues")).json()] == [before["id"]]
    assert (await api.get(f"{part}/parent")).json()["id"] == above["id"]
    events = [entry["event"] for entry in (await api.get(f"{part}/timeline")).json()]
    assert events == ["parent_issue_added"]
    assert (await api.request("DELETE", f"{whole}/sub_issue", json=body)).status_code == 200
    assert (await api.get(f"{part}/parent")).status_code == 404


async def test_one_parent_alone_unless_it_is_replaced(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: Callable[[str], str]
) -> None:
    one, two, part = (path_of(github.new(REPO, title=title)) for title in ("One", "Two", "Part"))
    body = {"sub_issue_id": (await api.get(part)).json()["id"]}
    await api.post(f"{one}/sub_issues", json=body)
    assert (await api.post(f"{two}/sub_issues", json=body)).status_code == 422
    assert (await api.post(f"{two}/sub_issues", json={**body, "replace_parent": True})).status_code == 201
    assert (await api.request("DELETE", f"{one}/sub_issue", json=body)).status_code == 404


async def test_eight_levels_and_no_circle(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: Callable[[str], str]
) -> None:
    ids = [github.new(REPO, title=str(level)) for level in range(10)]
    for upper, lower in pairwise(ids[:9]):
        github.edit(lower, parent=upper)
    numbers = [(await api.get(path_of(each))).json()["id"] for each in ids]
    deeper = await api.post(f"{path_of(ids[8])}/sub_issues", json={"sub_issue_id": numbers[9]})
    circle = await api.post(f"{path_of(ids[8])}/sub_issues", json={"sub_issue_id": numbers[0]})
    assert (deeper.status_code, circle.status_code) == (422, 422)
