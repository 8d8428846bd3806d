"""A simulated GitHub with the repository acme/website, a client with the bot's token, a webhook target."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.github.simulator import TOKEN, GitHubSimulator
from connectors.simulation import serve
from connectors.simulation_network import serve_app

REPO = "acme/website"
EVENTS = ["issues", "issue_comment", "pull_request", "label", "milestone", "repository"]


class Receiver:
    """Takes webhooks; answers what ``status`` says."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await Response(status_code=self.status)(scope, receive, send)


@pytest.fixture
def github() -> GitHubSimulator:
    simulator = GitHubSimulator()
    simulator.new_container("website")
    return simulator


@pytest.fixture
async def api(github: GitHubSimulator) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "asana-sync/test"}
    async with (
        serve(github) as base_url,
        httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serve_app(receiver) as url:
        receiver.url = f"{url}/hook"
        yield receiver


@pytest.fixture
def path_of(github: GitHubSimulator) -> Callable[[str], str]:
    """Path of the issue with this node id."""

    def path(object_id: str) -> str:
        repository, issue = github.find(object_id)
        return f"/repos/{repository.full_name}/issues/{issue.number}"

    return path


@pytest.fixture
def hooked(api: httpx.AsyncClient) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """Make a webhook to this target."""

    async def make(target: str) -> dict[str, Any]:
        config = {"url": target, "content_type": "json", "secret": "s3cret"}
        made = await api.post(f"/repos/{REPO}/hooks", json={"config": config, "events": EVENTS})
        assert made.status_code == 201, made.text
        hook: dict[str, Any] = made.json()
        return hook

    return make


@pytest.fixture
def told(github: GitHubSimulator) -> Callable[[], Awaitable[list[tuple[str, str | None, dict[str, Any]]]]]:
    """(event, action, payload) of everything sent so far, without pings."""

    async def tell() -> list[tuple[str, str | None, dict[str, Any]]]:
        await github.outbox.idle()
        calls = [(sent.headers["X-GitHub-Event"], json.loads(sent.body)) for sent in github.outbox.sent]
        return [(event, body.get("action"), body) for event, body in calls if event != "ping"]

    return tell
