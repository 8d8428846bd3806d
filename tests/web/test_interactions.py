"""Requests of people at the endpoint: proved by their signature, harmless when repeated, never a 5xx."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlmodel import select

from connectors.simulation import Fault
from connectors.simulation import serve as serve_provider
from connectors.slack.simulated_blocks import check_view
from connectors.slack.simulator import SlackSimulator
from sync.configuration import MappingConfig
from sync.store.tables import Connection, Errand, FieldList, Mapping, Mark
from tests.web.conftest import Serve, Web, recorded

TEAM = "T0ACME00001"


@dataclass
class Slack:
    """A web side with a Slack connection, and a workspace that people ask from."""

    web: Web
    workspace: SlackSimulator
    channel: str

    def signed(self, body: bytes, *, age_s: float = 0.0) -> dict[str, str]:
        return {
            **self.workspace.sender.signed(body, age_s=age_s),
            "content-type": "application/x-www-form-urlencoded",
        }

    async def post(self, body: bytes, headers: dict[str, str], name: str = "slack") -> httpx.Response:
        return await self.web.http.post(f"/interactions/{name}", content=body, headers=headers)

    def submission(self, view: str = "V1", metadata: str | None = None, **more: Any) -> bytes:
        """``metadata``: what the form carries with it, else what ours do; ``more`` of the payload."""
        about = {"channel": self.channel, "ts": "1512085950.000216"}
        payload: dict[str, Any] = {
            "type": "view_submission",
            "user": {"id": self.workspace.people["ada"].id},
            "view": {
                "id": view,
                "callback_id": "create_task",
                "private_metadata": json.dumps(about) if metadata is None else metadata,
                "state": {
                    "values": {
                        "title": {"title": {"type": "plain_text_input", "value": "T"}},
                        "place": {"place": {"type": "static_select", "selected_option": {"value": "1"}}},
                    }
                },
            },
            **more,
        }
        return urlencode({"payload": json.dumps(payload)}).encode()


@pytest.fixture
async def slack(serve: Serve) -> AsyncIterator[Slack]:
    workspace = SlackSimulator()
    async with serve_provider(workspace) as url, serve() as web:
        given, channel = workspace.connection(url), workspace.new_container("website")
        seal = web.engine.vault.seal
        hub = Connection(
            name="asana",
            connector="asana",
            site="1",
            settings={"workspace": "1", "base_url": web.url},
            credentials=seal({"token": "none"}),
        )
        external = Connection(
            name="slack",
            connector="slack",
            site=TEAM,
            settings=given["settings"],
            credentials=seal(given["credentials"]),
        )
        await web.add(hub, external)
        config = {
            "name": "web",
            "connection": "slack",
            "container": channel,
            "asana": {"connection": "asana", "project": "2"},
        }
        await web.add(
            Mapping(
                name="web",
                hub_connection_id=hub.id,
                external_connection_id=external.id,
                hub_container="2",
                external_container=channel,
                config=MappingConfig.model_validate(config).model_dump(mode="json"),
                started={"at": "2020-01-01T00:00:00.000Z"},
                state="active",
            )
        )
        title = {
            "name": "title",
            "kind": "text",
            "label": "Name",
            "writable": True,
            "options": [],
            "times": False,
        }
        await web.add(FieldList(connection_id=hub.id, container="2", specs=[title], read_at=web.engine.now()))
        yield Slack(web, workspace, channel)


async def errands(web: Web) -> list[str]:
    async with web.engine.database.read() as session:
        return [row.what for row in (await session.execute(select(Errand))).scalars()]


async def test_a_submitted_modal_is_noted_before_it_is_answered(slack: Slack) -> None:
    body = slack.submission()
    answer = await slack.post(body, slack.signed(body))
    assert (answer.status_code, answer.content) == (200, b"")
    assert await errands(slack.web) == ["capture"]
    assert slack.web.woken == [1]
    async with slack.web.engine.database.read() as session:
        mark = (await session.execute(select(Mark))).scalar_one()
    assert mark.object_id == f"{slack.channel}/1512085950.000216"


async def test_a_replayed_request_is_noted_once(slack: Slack) -> None:
    body = slack.submission()
    headers = slack.signed(body)
    assert [(await slack.post(body, headers)).status_code for _ in range(3)] == [200, 200, 200]
    assert await errands(slack.web) == ["capture"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"x-slack-signature": "v0=" + "0" * 64}, 401),
        ({"x-slack-signature": ""}, 401),
        ({"x-slack-signature": "v0=\u00e4\u00f6".encode("latin-1")}, 401),
        ({"x-slack-request-timestamp": "now"}, 401),
        ({"x-slack-request-timestamp": ""}, 401),
    ],
)
async def test_what_is_not_genuine(slack: Slack, change: dict[str, Any], status: int) -> None:
    body = slack.submission()
    answer = await slack.post(body, {**slack.signed(body), **change})
    assert answer.status_code == status
    assert await errands(slack.web) == []


async def test_tampered_stale_and_unknown(slack: Slack) -> None:
    body = slack.submission()
    assert (await slack.post(body + b"&x=1", slack.signed(body))).status_code == 401
    assert (await slack.post(body, slack.signed(body, age_s=301))).status_code == 401
    assert (await slack.post(body, slack.signed(body), "nobody")).status_code == 401
    assert (await slack.post(body, slack.signed(body), "asana")).status_code == 401
    for unreadable in (
        b"",
        b"payload=no",
        b"payload=[]",
        b"payload=%ff",
        b"command=/asana",
        b"payload=" + b"[" * 9000,
    ):
        assert (await slack.post(unreadable, slack.signed(unreadable))).status_code == 400
    assert await errands(slack.web) == []


@pytest.mark.parametrize("metadata", ["", "{}", "no", '["x"]', '{"issue": 1}'])
async def test_a_form_that_is_out_of_date_says_so(slack: Slack, metadata: str) -> None:
    body = slack.submission(metadata=metadata)
    answer = (await slack.post(body, slack.signed(body))).json()
    assert answer["response_action"] == "update"
    check_view(answer["view"])
    assert "out of date" in str(answer["view"]["blocks"])
    body = slack.submission(metadata=metadata, type="block_suggestion", action_id="place", value="w")
    assert (await slack.post(body, slack.signed(body))).json() == {"options": []}
    assert await errands(slack.web) == []


async def test_a_look_at_the_certificate_is_answered_with_nothing(slack: Slack) -> None:
    body = b"ssl_check=1&token=gone"
    for headers in (slack.signed(body), {}):
        answer = await slack.post(body, headers)
        assert (answer.status_code, answer.content) == (200, b"")


async def test_recorded_requests_are_handled_or_ignored(slack: Slack) -> None:
    files = [
        *recorded("slack/payloads", "interactive.*.json"),
        *recorded("slack/payloads", "slash_command.*.json"),
    ]
    assert len(files) >= 50
    for file in files:
        payload = json.loads(file.read_text())
        payload.pop("_raw_form_body", None)
        body = urlencode(payload if "command" in payload else {"payload": json.dumps(payload)}).encode()
        answer = await slack.post(body, slack.signed(body))
        assert answer.status_code == 200, (file.name, answer.text)
    assert await errands(slack.web) == []


async def test_where_slack_does_not_answer_nothing_is_done(slack: Slack) -> None:
    slack.workspace.faults.add(Fault(kind="503", times=None))
    body = slack.submission()
    assert (await slack.post(body, slack.signed(body))).status_code == 503
    assert await errands(slack.web) == []
