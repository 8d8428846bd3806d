"""What a simulated GitHub answers and sends, held against GitHub's own schemas."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import jsonschema_rs
import pytest

from connectors.github.simulator import GitHubSimulator

REPO = "acme/website"
EVENTS = ["issues", "issue_comment", "pull_request", "label", "milestone", "repository"]
FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "github"

Hooked: TypeAlias = Callable[[str], Awaitable[dict[str, Any]]]


def fixture(name: str) -> Any:
    """A specification from the shared fixtures; without them the test is skipped, in CI it fails."""
    path = FIXTURES / name
    if not path.exists():
        reason = f"NOT CHECKED against GitHub's specification: {path} is missing"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return json.loads(path.read_text())


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says ``nullable`` where JSON Schema lists the type null."""
    if isinstance(node, list):
        return [as_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: as_json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") is True else made


class Described:
    """Sends requests and holds every answer against the description of its operation and status."""

    def __init__(self, api: httpx.AsyncClient, document: dict[str, Any]) -> None:
        self._api = api
        self._document = document
        self._components = {"components": as_json_schema(document["components"])}

    async def __call__(self, method: str, template: str, json: Any = None, **numbers: Any) -> Any:
        path = template.format(owner="acme", repo="website", **numbers)
        answer = await self._api.request(method, path, json=json)
        described = self._document["paths"][template][method.lower()]["responses"][str(answer.status_code)]
        if "$ref" in described:
            described = self._document["components"]["responses"][described["$ref"].split("/")[-1]]
        if not described.get("content"):
            assert not answer.content
            return None
        schema = as_json_schema(described["content"]["application/json"]["schema"])
        validator = jsonschema_rs.Draft202012Validator({**self._components, **schema})
        errors = [f"{list(e.instance_path)}: {e.message[:200]}" for e in validator.iter_errors(answer.json())]
        assert errors == [], f"{method} {template}"
        return answer.json()


@pytest.fixture
def described(api: httpx.AsyncClient) -> Described:
    return Described(api, fixture("openapi/api.github.com.reduced.json"))


R = "/repos/{owner}/{repo}"
ISSUE = R + "/issues/{issue_number}"
COMMENT = R + "/issues/comments/{comment_id}"
HOOK = R + "/hooks/{hook_id}"
DELIVERY = HOOK + "/deliveries/{delivery_id}"


async def test_issues_have_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, described: Described
) -> None:
    patch = {"title": "two", "assignees": ["ada"], "milestone": github.new_milestone(REPO, "v1")}
    made = await described("POST", f"{R}/issues", {"title": "one", "body": "text", "labels": ["bug"]})
    number = made["number"]
    await described("PATCH", ISSUE, {**patch, "state": "closed"}, issue_number=number)
    await described("PATCH", ISSUE, {"state": "open"}, issue_number=number)
    await described("POST", f"{ISSUE}/labels", {"labels": ["new"]}, issue_number=number)
    await described("PUT", f"{ISSUE}/labels", {"labels": ["bug"]}, issue_number=number)
    await described("DELETE", ISSUE + "/labels/{name}", issue_number=number, name="bug")
    await described("DELETE", f"{ISSUE}/labels", issue_number=number)
    await described("POST", f"{ISSUE}/assignees", {"assignees": ["bob"]}, issue_number=number)
    await described("DELETE", f"{ISSUE}/assignees", {"assignees": ["bob"]}, issue_number=number)
    comment = await described("POST", f"{ISSUE}/comments", {"body": "said"}, issue_number=number)
    await described("PATCH", COMMENT, {"body": "better"}, comment_id=comment["id"])
    await described("GET", COMMENT, comment_id=comment["id"])
    github.new(REPO, title="pull", kind="pull")
    for list_path in (f"{R}/issues", f"{R}/issues/comments"):
        assert await described("GET", list_path)
    for path in (ISSUE, *(f"{ISSUE}/{what}" for what in ("comments", "labels", "timeline", "events"))):
        await described("GET", path, issue_number=number)
    await described("DELETE", COMMENT, comment_id=comment["id"])


async def test_what_surrounds_issues_has_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, described: Described
) -> None:
    number = github.new_milestone(REPO, "v1")
    pull = github.new(REPO, title="pull", kind="pull", milestone=number)
    await described("POST", f"{R}/labels", {"name": "made", "color": "ff0000"})
    await described("POST", f"{R}/labels", {"name": "made", "color": "red"})
    await described("GET", R + "/labels/{name}", name="made")
    await described("PATCH", R + "/labels/{name}", {"new_name": "kept"}, name="made")
    await described("DELETE", R + "/labels/{name}", name="kept")
    for path in ("/user", "/rate_limit", R):
        await described("GET", path)
    await described("GET", "/users/{username}", username="ada")
    for login in ("ada", "nobody"):
        await described("GET", R + "/assignees/{assignee}", assignee=login)
    for path in ("labels", "assignees", "milestones", "pulls"):
        assert await described("GET", f"{R}/{path}")
    await described("GET", R + "/milestones/{milestone_number}", milestone_number=number)
    dated = {"title": "v2", "state": "closed", "due_on": "2026-05-01T00:00:00Z"}
    second = (await described("POST", f"{R}/milestones", dated))["number"]
    await described("POST", f"{R}/milestones", dated)
    one = R + "/milestones/{milestone_number}"
    await described("PATCH", one, {"state": "open", "description": "soon"}, milestone_number=second)
    await described("DELETE", one, milestone_number=second)
    await described("GET", R + "/pulls/{pull_number}", pull_number=github.find(pull)[1].number)


async def test_hooks_have_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, described: Described, receiver: Any
) -> None:
    body = {"config": {"url": receiver.url, "content_type": "json"}, "events": ["issues"]}
    hook = (await described("POST", f"{R}/hooks", body))["id"]
    await described("GET", f"{R}/hooks")
    await described("GET", HOOK, hook_id=hook)
    await described("PATCH", HOOK, {"active": True}, hook_id=hook)
    await described("POST", f"{HOOK}/pings", hook_id=hook)
    await described("POST", f"{HOOK}/tests", hook_id=hook)
    await github.outbox.idle()
    deliveries = await described("GET", f"{HOOK}/deliveries", hook_id=hook)
    await described("GET", DELIVERY, hook_id=hook, delivery_id=deliveries[0]["id"])
    await described("POST", f"{DELIVERY}/attempts", hook_id=hook, delivery_id=deliveries[0]["id"])
    await described("DELETE", HOOK, hook_id=hook)


async def test_refusals_have_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, described: Described
) -> None:
    leaves, goes = github.new(REPO, title="leaves"), github.new(REPO, title="goes")
    numbers = [github.find(id)[1].number for id in (leaves, goes)]
    github.transfer(leaves, github.new_container("backend"))
    github.remove(goes)
    for number in (*numbers, 999):
        await described("GET", ISSUE, issue_number=number)
    await described("POST", f"{R}/issues", {"body": "no title"})


async def test_every_webhook_has_the_shape_of_githubs_schema(
    github: GitHubSimulator, receiver: Any, hooked: Hooked
) -> None:
    definitions = fixture("webhooks-schema.json")["definitions"]
    await hooked(receiver.url)
    number = github.new_milestone(REPO, "v1")
    changes: list[dict[str, Any]] = [
        {"title": "two", "notes": "text"},
        {"labels": []},
        {"assignees": ["bob"]},
        {"milestone": number},
        {"milestone": None},
        {"state": "closed"},
        {"state": "open"},
    ]
    for kind in ("issue", "pull"):
        id = github.new(REPO, title="one", kind=kind, labels=["bug", "unheard of"], assignee="ada")
        for fields in changes:
            github.edit(id, **fields)
        comment = github.comment(id, "said")
        github.edit_comment(comment, "better")
        github.delete_comment(comment)
    github.edit(id, state="merged")
    github.remove(github.new(REPO, title="goes"))
    github.rename_label(REPO, "bug", "defect")
    github.delete_label(REPO, "defect")
    edits, repository, milestone = (
        github.edits,
        github.repository(REPO),
        github.repository(REPO).milestones[number],
    )
    due_on, names = github.clock.now(), {"title": "v2", "description": "soon"}
    milestone = edits.edit_milestone(repository, milestone, "ada", due_on=due_on, **names)
    for state in ("closed", "open"):
        milestone = edits.move_milestone(repository, milestone, "ada", state)
    edits.edit_milestone(repository, milestone, "ada", due_on=None)
    edits.delete_milestone(repository, repository.milestones[number], "ada")
    other = github.new_container("backend")
    github.transfer(github.new(REPO, title="leaves"), other)
    github.transfer(github.new(other, title="comes"), REPO)
    github.rename_repo("acme/website", "site")
    github.rename_repo("acme/site", "umbrella/site")
    github.archive_repo("umbrella/site")
    github.delete_repo("umbrella/site")
    await github.outbox.idle()
    seen: set[str] = set()
    for sent in github.outbox.sent:
        payload = json.loads(sent.body)
        name = f"{sent.headers['X-GitHub-Event']}${payload.get('action', 'event')}"
        if name == "pull_request$demilestoned":
            continue  # the schema wants the milestone to be there still
        validator = jsonschema_rs.Draft7Validator(
            {"$ref": f"#/definitions/{name}", "definitions": definitions}
        )
        errors = [f"{list(e.instance_path)}: {e.message[:200]}" for e in validator.iter_errors(payload)]
        assert errors == [], name
        seen.add(name)
    issue_actions = (
        "opened edited labeled unlabeled assigned unassigned milestoned demilestoned closed reopened "
        "deleted transferred"
    )
    assert {f"issues${action}" for action in issue_actions.split()} <= seen
    assert {f"issue_comment${action}" for action in ("created", "edited", "deleted")} <= seen
    assert {f"label${action}" for action in ("created", "edited", "deleted")} <= seen
    assert {f"repository${action}" for action in ("renamed", "transferred", "archived", "deleted")} <= seen
    assert {f"milestone${action}" for action in ("created", "edited", "closed", "opened", "deleted")} <= seen
    assert {"ping$event", "pull_request$closed"} <= seen
