"""Webhooks of a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx

from connectors.github.simulator import BOT, GitHubSimulator
from connectors.signing import matches

REPO = "acme/website"
EVENTS = ["issues", "issue_comment", "pull_request", "label", "milestone", "repository"]

PathOf: TypeAlias = Callable[[str], str]
Hooked: TypeAlias = Callable[[str], Awaitable[dict[str, Any]]]
Told: TypeAlias = Callable[[], Awaitable[list[tuple[str, str | None, dict[str, Any]]]]]


async def test_a_new_hook_is_pinged_signed_and_hides_its_secret(
    github: GitHubSimulator, api: httpx.AsyncClient, receiver: Any, hooked: Hooked
) -> None:
    hook = await hooked(receiver.url)
    assert hook["config"]["secret"] == "********"
    await github.outbox.idle()
    [ping] = github.outbox.sent
    assert ping.headers["X-GitHub-Event"] == "ping"
    assert ping.headers["X-GitHub-Hook-ID"] == str(hook["id"])
    assert ping.headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert re.fullmatch(r"[0-9a-f-]{36}", ping.headers["X-GitHub-Delivery"])
    assert matches("s3cret", ping.body, ping.headers["X-Hub-Signature-256"], "sha256=")
    assert json.loads(ping.body)["hook_id"] == hook["id"]
    shown = (await api.get(f"/repos/{REPO}/hooks/{hook['id']}")).json()
    assert shown["last_response"] == {"code": 200, "status": "active", "message": "OK"}
    assert (await api.post(f"/repos/{REPO}/hooks/{hook['id']}/pings")).status_code == 204


async def test_hooks_are_refused_twice_for_one_url_and_beyond_twenty(
    api: httpx.AsyncClient, hooked: Hooked
) -> None:
    for number in range(20):
        await hooked(f"http://127.0.0.1:9/{number}")
    for number in (0, 20):
        config = {"url": f"http://127.0.0.1:9/{number}"}
        again = await api.post(f"/repos/{REPO}/hooks", json={"config": config, "events": EVENTS})
        assert again.status_code == 422
    assert (await api.post(f"/repos/{REPO}/hooks", json={"config": {}})).status_code == 422


async def test_a_config_without_secret_removes_it_and_form_is_the_default_content_type(
    github: GitHubSimulator, api: httpx.AsyncClient, receiver: Any, hooked: Hooked
) -> None:
    path = f"/repos/{REPO}/hooks/{(await hooked(receiver.url))['id']}"
    changed = await api.patch(path, json={"config": {"url": receiver.url}, "remove_events": ["label"]})
    assert changed.json()["config"] == {"url": receiver.url, "content_type": "form", "insecure_ssl": "0"}
    assert "label" not in changed.json()["events"]
    await github.outbox.idle()
    github.new(REPO, title="one")
    await github.outbox.idle()
    sent = github.outbox.sent[-1]
    assert "X-Hub-Signature-256" not in sent.headers
    assert sent.body.startswith(b"payload=%7B")
    await api.patch(path, json={"active": False})
    github.new(REPO, title="two")
    assert (await api.delete(path)).status_code == 204
    await github.outbox.idle()
    assert github.outbox.sent[-1] is sent


async def test_a_failed_delivery_is_never_repeated_but_redelivered_on_request_with_the_same_guid(
    github: GitHubSimulator, api: httpx.AsyncClient, receiver: Any, hooked: Hooked
) -> None:
    path = f"/repos/{REPO}/hooks/{(await hooked(receiver.url))['id']}/deliveries"
    await github.outbox.idle()
    receiver.status = 500
    github.new(REPO, title="one")
    await github.outbox.idle()
    assert [sent.status for sent in github.outbox.sent] == [200, 500]
    failed = (await api.get(path)).json()[0]
    assert (failed["status_code"], failed["event"], failed["action"]) == (500, "issues", "opened")
    receiver.status = 200
    assert (await api.post(f"{path}/{failed['id']}/attempts")).status_code == 202
    await github.outbox.idle()
    again = (await api.get(path)).json()[0]
    assert (again["redelivery"], again["guid"], again["status"]) == (True, failed["guid"], "OK")
    assert again["id"] != failed["id"]
    assert (await api.get(f"{path}/1")).status_code == 404
    whole = (await api.get(f"{path}/{again['id']}")).json()
    assert whole["request"]["payload"]["issue"]["title"] == "one"
    assert whole["request"]["headers"]["X-GitHub-Delivery"] == failed["guid"]


async def test_deliveries_are_kept_three_days_and_paged_by_cursor(
    github: GitHubSimulator, api: httpx.AsyncClient, receiver: Any, hooked: Hooked
) -> None:
    path = f"/repos/{REPO}/hooks/{(await hooked(receiver.url))['id']}/deliveries"
    github.new(REPO, title="one", labels=["bug"])
    await github.outbox.idle()
    answer = await api.get(path, params={"per_page": 2})
    actions = [item["action"] for item in answer.json()]
    answer = await api.get(answer.links["next"]["url"])
    assert [*actions, *(item["action"] for item in answer.json())] == ["labeled", "opened", None]
    assert "next" not in answer.links
    github.clock.advance(3 * 86_400 + 60)
    assert (await api.get(path)).json() == []


async def test_nobody_there_is_a_failed_delivery(
    github: GitHubSimulator, api: httpx.AsyncClient, hooked: Hooked
) -> None:
    hook = await hooked("http://127.0.0.1:9/hook")
    await github.outbox.idle()
    path = f"/repos/{REPO}/hooks/{hook['id']}"
    [ping] = (await api.get(f"{path}/deliveries")).json()
    assert (ping["status"], ping["status_code"]) == ("failed to connect", 502)
    assert (await api.get(path)).json()["last_response"]["status"] == "failed"


async def test_payloads_above_25_mb_are_never_sent(
    github: GitHubSimulator, receiver: Any, hooked: Hooked, told: Told
) -> None:
    await hooked(receiver.url)
    github.payload_limit_bytes = 60_000
    github.new(REPO, title="large", notes="x" * 60_000)
    github.new(REPO, title="small")
    assert [payload["issue"]["title"] for _, _, payload in await told()] == ["small"]


async def test_deliveries_are_dropped_doubled_and_reordered_by_switches(
    github: GitHubSimulator, receiver: Any, hooked: Hooked, told: Told
) -> None:
    await hooked(receiver.url)
    await github.outbox.idle()
    github.outbox.drop = True
    github.new(REPO, title="lost")
    github.outbox.drop = False
    github.outbox.duplicate, github.outbox.reorder = 1, True
    github.new(REPO, title="first")
    github.new(REPO, title="second")
    titles = [payload["issue"]["title"] for _, _, payload in await told()]
    assert titles == ["second", "second", "first", "first"]
    guids = [sent.headers["X-GitHub-Delivery"] for sent in github.outbox.sent[-4:]]
    assert len(set(guids)) == 2


async def test_edits_tell_what_stood_there_before_and_who_did_it(
    github: GitHubSimulator, receiver: Any, hooked: Hooked, told: Told
) -> None:
    await hooked(receiver.url)
    id = github.new(REPO, title="one", notes="text", by="ada")
    comment = github.comment(id, "said", by="ada")
    github.edit(id, title="two", notes="more\r\ntext", by="bob")
    github.edit_comment(comment, "said better")
    seen = {(event, action): payload for event, action, payload in await told()}
    edited = seen["issues", "edited"]
    assert edited["changes"] == {"title": {"from": "one"}, "body": {"from": "text"}}
    assert (edited["sender"]["login"], edited["issue"]["body"]) == ("bob", "more\r\ntext")
    assert seen["issue_comment", "edited"]["changes"] == {"body": {"from": "said"}}
    assert seen["issue_comment", "edited"]["sender"]["login"] == "ada"


async def test_what_the_bot_writes_comes_back_as_its_own_events(
    github: GitHubSimulator,
    api: httpx.AsyncClient,
    receiver: Any,
    path_of: PathOf,
    hooked: Hooked,
    told: Told,
) -> None:
    await hooked(receiver.url)
    path = path_of(github.new(REPO, title="one"))
    await api.patch(path, json={"state": "closed", "labels": ["bug"], "assignees": ["ada"]})
    senders = [(action, payload["sender"]["login"]) for _, action, payload in await told()]
    assert senders == [("opened", "ada"), ("labeled", BOT), ("assigned", BOT), ("closed", BOT)]


async def test_comments_on_pull_requests_come_as_issue_comment(
    github: GitHubSimulator, receiver: Any, hooked: Hooked, told: Told
) -> None:
    await hooked(receiver.url)
    pull = github.new(REPO, title="one", kind="pull")
    github.comment(pull, "said")
    github.edit(pull, state="merged")
    events = await told()
    assert [(event, action) for event, action, _ in events] == [
        ("pull_request", "opened"),
        ("issue_comment", "created"),
        ("pull_request", "closed"),
    ]
    assert "pull_request" in events[1][2]["issue"]
    assert events[2][2]["pull_request"]["merged"] is True
