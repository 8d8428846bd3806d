"""What a simulated GitHub answers and sends, held against GitHub's own schemas."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx
import pytest

from connectors.github.access import App
from connectors.github.simulator import GitHubSimulator
from connectors.simulation import serve
from tests.specification.documents import required
from tests.specification.watch import Watch

REPO = "acme/website"
EVENTS = ["issues", "issue_comment", "pull_request", "label", "milestone", "repository"]

Departures: TypeAlias = Callable[[], list[str]]
Sending: TypeAlias = Callable[..., Awaitable[Any]]
Hooked: TypeAlias = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture
def departures(github: GitHubSimulator) -> Iterator[Departures]:
    """What departs from GitHub's documents, so far."""
    required()
    watch = Watch()
    with watch.watching(github):
        yield watch.findings


@pytest.fixture
def sent(api: httpx.AsyncClient) -> Sending:
    """Sends a request to a path with such parameters; the answer's data."""

    async def send(method: str, template: str, json: Any = None, **numbers: Any) -> Any:
        path = template.format(owner="acme", repo="website", **numbers)
        answer = await api.request(method, path, json=json)
        return answer.json() if answer.content else None

    return send


@dataclass
class Asking:
    """Asks with another token."""

    base_url: str
    token: str

    async def __call__(self, method: str, path: str, json: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "asana-sync/test"}
        async with httpx.AsyncClient(base_url=self.base_url, headers=headers, trust_env=False) as client:
            return (await client.request(method, path, json=json)).json()


R = "/repos/{owner}/{repo}"
ISSUE = R + "/issues/{issue_number}"
COMMENT = R + "/issues/comments/{comment_id}"
HOOK = R + "/hooks/{hook_id}"
DELIVERY = HOOK + "/deliveries/{delivery_id}"


async def test_issues_have_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, departures: Departures, sent: Sending
) -> None:
    patch = {"title": "two", "assignees": ["ada"], "milestone": github.new_milestone(REPO, "v1")}
    made = await sent("POST", f"{R}/issues", {"title": "one", "body": "text", "labels": ["bug"]})
    number = made["number"]
    await sent("PATCH", ISSUE, {**patch, "state": "closed"}, issue_number=number)
    await sent("PATCH", ISSUE, {"state": "open"}, issue_number=number)
    await sent("POST", f"{ISSUE}/labels", {"labels": ["new"]}, issue_number=number)
    await sent("PUT", f"{ISSUE}/labels", {"labels": ["bug"]}, issue_number=number)
    await sent("DELETE", ISSUE + "/labels/{name}", issue_number=number, name="bug")
    await sent("DELETE", f"{ISSUE}/labels", issue_number=number)
    await sent("POST", f"{ISSUE}/assignees", {"assignees": ["bob"]}, issue_number=number)
    await sent("DELETE", f"{ISSUE}/assignees", {"assignees": ["bob"]}, issue_number=number)
    comment = await sent("POST", f"{ISSUE}/comments", {"body": "said"}, issue_number=number)
    await sent("PATCH", COMMENT, {"body": "better"}, comment_id=comment["id"])
    await sent("GET", COMMENT, comment_id=comment["id"])
    github.new(REPO, title="pull", kind="pull")
    for list_path in (f"{R}/issues", f"{R}/issues/comments"):
        assert await sent("GET", list_path)
    for path in (ISSUE, *(f"{ISSUE}/{what}" for what in ("comments", "labels", "timeline", "events"))):
        await sent("GET", path, issue_number=number)
    await sent("DELETE", COMMENT, comment_id=comment["id"])
    assert departures() == []


async def test_what_surrounds_issues_has_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, departures: Departures, sent: Sending
) -> None:
    number = github.new_milestone(REPO, "v1")
    pull = github.new(REPO, title="pull", kind="pull", milestone=number)
    await sent("POST", f"{R}/labels", {"name": "made", "color": "ff0000"})
    await sent("POST", f"{R}/labels", {"name": "made", "color": "red"})
    await sent("GET", R + "/labels/{name}", name="made")
    await sent("PATCH", R + "/labels/{name}", {"new_name": "kept"}, name="made")
    await sent("DELETE", R + "/labels/{name}", name="kept")
    for path in ("/user", "/rate_limit", R):
        await sent("GET", path)
    await sent("GET", "/users/{username}", username="ada")
    for login in ("ada", "nobody"):
        await sent("GET", R + "/assignees/{assignee}", assignee=login)
    for path in ("labels", "assignees", "milestones", "pulls"):
        assert await sent("GET", f"{R}/{path}")
    await sent("GET", R + "/milestones/{milestone_number}", milestone_number=number)
    dated = {"title": "v2", "state": "closed", "due_on": "2026-05-01T00:00:00Z"}
    second = (await sent("POST", f"{R}/milestones", dated))["number"]
    await sent("POST", f"{R}/milestones", dated)
    one = R + "/milestones/{milestone_number}"
    await sent("PATCH", one, {"state": "open", "description": "soon"}, milestone_number=second)
    await sent("DELETE", one, milestone_number=second)
    github.ask_for_review(pull, "ada")
    github.review(pull, "APPROVED", by="bob")
    github.check(pull, "build", None)
    asked = await sent("GET", R + "/pulls/{pull_number}", pull_number=github.find(pull)[1].number)
    await sent("GET", R + "/pulls/{pull_number}/reviews", pull_number=asked["number"])
    for what in ("check-runs", "status"):
        await sent("GET", R + "/commits/{ref}/" + what, ref=asked["head"]["sha"])
    assert departures() == []


async def test_what_organisations_add_has_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, departures: Departures, sent: Sending
) -> None:
    github.new_issue_type("Bug")
    options = {"single_select": ["High"], "multi_select": ["UI", "API"]}
    values = {
        "text": "words",
        "number": 2.5,
        "date": "2026-01-31",
        "single_select": "High",
        "multi_select": ["UI"],
    }
    given = [
        {"field_id": github.new_issue_field(sort, sort, options.get(sort, ())), "value": value}
        for sort, value in {**values, "multi_select": ["UI"]}.items()
    ]
    for what in ("types", "fields"):
        assert await sent("GET", f"/orgs/{{owner}}/issue-{what}")
    made = await sent("POST", f"{R}/issues", {"title": "one", "type": "Bug", "issue_field_values": given})
    assert (made["type"]["name"], len(made["issue_field_values"])) == ("Bug", 5)
    number, of_issue = made["number"], f"{ISSUE}/issue-field-values"
    await sent("PATCH", ISSUE, {"type": None}, issue_number=number)
    await sent("DELETE", f"{of_issue}/{given[0]['field_id']}", issue_number=number)
    await sent("POST", of_issue, {"issue_field_values": given[:1]}, issue_number=number)
    await sent("PUT", of_issue, {"issue_field_values": given[:2]}, issue_number=number)
    assert len(await sent("GET", of_issue, issue_number=number)) == 2
    await sent("POST", of_issue, {"issue_field_values": [{"field_id": 1, "value": 1}]}, issue_number=number)
    for method in ("PUT", "DELETE"):
        await sent(method, f"{ISSUE}/lock", issue_number=number)
    await sent("PATCH", ISSUE, {"type": "Bug"}, issue_number=number)
    github.convert_to_discussion(made["node_id"])
    for what in ("timeline", "events"):
        assert await sent("GET", f"{ISSUE}/{what}", issue_number=number)
    assert departures() == []


async def test_an_app_has_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, departures: Departures
) -> None:
    credentials = github.connection_as_app("")["credentials"]
    app = App(
        id=credentials["app_id"],
        installation=credentials["installation_id"],
        private_key=credentials["private_key"],
    )
    async with serve(github) as base_url:
        as_app = Asking(base_url, app.token(time.time()))
        assert (await as_app("GET", "/app"))["slug"] == "acme-sync"
        installation = f"/app/installations/{app.installation}"
        await as_app("GET", installation)
        made = await as_app("POST", f"{installation}/access_tokens")
        as_bot = Asking(base_url, made["token"])
        assert (await as_bot("GET", "/installation/repositories"))["total_count"] == 1
        issue = await as_bot("POST", "/repos/acme/website/issues", {"title": "one"})
        assert issue["performed_via_github_app"]["slug"] == "acme-sync"
        await as_bot("GET", "/users/acme-sync%5Bbot%5D")
        await as_bot("POST", f"/repos/acme/website/issues/{issue['number']}/comments", {"body": "said"})
        await as_bot("GET", "/user")
        github.app_installed.suspended_at = github.clock.now()
        await as_app("GET", installation)
        await as_app("POST", f"{installation}/access_tokens")
    assert departures() == []


async def test_hooks_have_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, departures: Departures, sent: Sending, receiver: Any
) -> None:
    body = {"config": {"url": receiver.url, "content_type": "json"}, "events": ["issues"]}
    hook = (await sent("POST", f"{R}/hooks", body))["id"]
    await sent("GET", f"{R}/hooks")
    await sent("GET", HOOK, hook_id=hook)
    await sent("PATCH", HOOK, {"active": True}, hook_id=hook)
    await sent("POST", f"{HOOK}/pings", hook_id=hook)
    await sent("POST", f"{HOOK}/tests", hook_id=hook)
    await github.outbox.idle()
    deliveries = await sent("GET", f"{HOOK}/deliveries", hook_id=hook)
    await sent("GET", DELIVERY, hook_id=hook, delivery_id=deliveries[0]["id"])
    await sent("POST", f"{DELIVERY}/attempts", hook_id=hook, delivery_id=deliveries[0]["id"])
    await sent("DELETE", HOOK, hook_id=hook)
    assert departures() == []


async def test_refusals_have_the_shape_of_githubs_openapi_description(
    github: GitHubSimulator, departures: Departures, sent: Sending
) -> None:
    leaves, goes = github.new(REPO, title="leaves"), github.new(REPO, title="goes")
    numbers = [github.find(id)[1].number for id in (leaves, goes)]
    github.transfer(leaves, github.new_container("backend"))
    github.remove(goes)
    for number in (*numbers, 999):
        await sent("GET", ISSUE, issue_number=number)
    assert departures() == []
    await sent("POST", f"{R}/issues", {"body": "no title"})
    (ours,) = departures()
    assert ours.startswith(f"github body: POST {R}/issues"), "the request alone departs from them"


async def test_every_webhook_has_the_shape_of_githubs_schema(
    github: GitHubSimulator, receiver: Any, hooked: Hooked, departures: Departures
) -> None:
    await hooked(receiver.url)
    number = github.new_milestone(REPO, "v1")
    changes: list[dict[str, Any]] = [
        {"title": "two", "notes": "text"},
        {"labels": []},
        {"assignees": ["bob"]},
        {"milestone": number},
        {"milestone": None},
        {"locked": True},
        {"locked": False},
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
    for draft in (True, False):
        github.edit(id, draft=draft)
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
    assert departures() == []
    payloads = [(each.headers["X-GitHub-Event"], json.loads(each.body)) for each in github.outbox.sent]
    seen = {f"{event}${payload.get('action', 'event')}" for event, payload in payloads}
    issue_actions = (
        "opened edited labeled unlabeled assigned unassigned milestoned demilestoned closed reopened "
        "deleted transferred locked unlocked"
    )
    assert {f"issues${action}" for action in issue_actions.split()} <= seen
    assert {f"issue_comment${action}" for action in ("created", "edited", "deleted")} <= seen
    assert {f"label${action}" for action in ("created", "edited", "deleted")} <= seen
    assert {f"repository${action}" for action in ("renamed", "transferred", "archived", "deleted")} <= seen
    assert {f"milestone${action}" for action in ("created", "edited", "closed", "opened", "deleted")} <= seen
    assert {"ping$event", "pull_request$closed"} <= seen
