"""The one address of an app: every recorded call of Slack, its signatures, and whom the events are about."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlmodel import select

from connectors.signing import hmac_sha256_hex
from connectors.simulation import serve as serve_simulator
from connectors.slack.simulator import SlackSimulator
from sync.configuration import MappingConfig
from sync.store.tables import Connection, Mapping, Mark, Subscription
from tests.web.conftest import Serve, Web, found, recorded

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CHANNEL = "C111"


def signed(body: bytes, content_type: str = JSON, *, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    timestamp = str(int(datetime.now(UTC).timestamp()) - age_s)
    digest = hmac_sha256_hex(secret, f"v0:{timestamp}:".encode() + body)
    return {
        "content-type": content_type,
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={digest}",
    }


def event(**event: Any) -> bytes:
    said = {"type": "message", "channel": CHANNEL, "ts": "1700000000.000100", "user": "U1", "text": "a"}
    return json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {**said, **event}}).encode()


@pytest.fixture
async def slack(serve: Serve) -> AsyncIterator[Web]:
    """The web side with one mapping of a channel."""
    async with serve() as web:
        await found(web)
        await _connect(web, CHANNEL, SECRET)
        yield web


async def _connect(web: Web, channel: str, secret: str, team: str = "T111") -> None:
    credentials = web.engine.vault.seal({"bot_token": "not-a-real-token", "signing_secret": secret})
    connection = Connection(
        name="acme-slack",
        connector="slack",
        site=team,
        settings={"team": team},
        credentials=credentials,
        account_id="U0",
        account_name="bot",
    )
    await web.add(connection)
    async with web.engine.database.read() as session:
        hub = (await session.execute(select(Connection).where(Connection.name == "asana"))).scalar_one()
    config = MappingConfig.model_validate(
        {
            "name": "talk",
            "connection": "acme-slack",
            "container": channel,
            "asana": {"connection": "asana", "project": "1200000000000002"},
        }
    )
    mapping = Mapping(
        name="talk",
        hub_connection_id=hub.id,
        external_connection_id=connection.id,
        hub_container="1200000000000002",
        external_container=channel,
        config=config.model_dump(mode="json"),
        started={"at": "2010-01-01T00:00:00.000Z"},
        state="active",
    )
    subscription = Subscription(
        connection_id=connection.id,
        container=channel,
        key="e" * 32,
        state="active",
        created_at=web.engine.now(),
    )
    await web.add(mapping, subscription)


async def post(web: Web, body: bytes, headers: dict[str, str], name: str = "acme-slack") -> httpx.Response:
    return await web.http.post(f"/webhooks/{name}/app", content=body, headers=headers)


async def marks(web: Web) -> list[Mark]:
    async with web.engine.database.read() as session:
        return list((await session.execute(select(Mark))).scalars())


def as_sent(name: str, payload: Any) -> tuple[bytes, str]:
    """A recorded payload as it came over the wire."""
    if name.startswith("slash_command"):
        raw = payload.pop("_raw_form_body", None)
        return (raw or urlencode(payload)).encode(), FORM
    if name.startswith("interactive"):
        return urlencode({"payload": json.dumps(payload)}).encode(), FORM
    return json.dumps(payload).encode(), JSON


async def test_every_recorded_call_is_handled_or_ignored_with_a_reason(slack: Web) -> None:
    files = recorded("slack/payloads", "*.json")
    assert len(files) >= 188
    for path in files:
        body, content_type = as_sent(path.name, json.loads(path.read_bytes()))
        answer = await post(slack, body, signed(body, content_type))
        assert answer.status_code == 200, (path.name, answer.text)
    stored = await slack.deliveries()
    assert {row.state for row in stored} == {"processed", "ignored"}
    assert all(row.reason for row in stored if row.state == "ignored")
    about = {mark.object_id.partition("/")[0] for mark in await marks(slack)}
    assert about == {CHANNEL}


async def test_the_address_says_the_challenge_back_and_stores_nothing(slack: Web) -> None:
    body = json.dumps({"type": "url_verification", "token": "t", "challenge": "3eZbrw1aBm2r"}).encode()
    answer = await post(slack, body, signed(body))
    assert (answer.status_code, answer.text) == (200, "3eZbrw1aBm2r")
    assert await slack.deliveries() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": "v0=\u00e9"},
        {"x-slack-signature": ""},
        {"x-slack-request-timestamp": "now"},
        {"x-slack-request-timestamp": "1" * 400},
    ],
    ids=["wrong", "not ascii", "empty", "no number", "huge"],
)
async def test_what_slack_did_not_sign_is_refused(slack: Web, changed: dict[str, str]) -> None:
    body = event()
    headers = [(k.encode(), v.encode("latin-1")) for k, v in {**signed(body), **changed}.items()]
    answer = await slack.http.post("/webhooks/acme-slack/app", content=body, headers=headers)
    assert answer.status_code == 401
    assert await slack.deliveries() == []


async def test_unsigned_stale_and_altered_calls_are_refused(slack: Web) -> None:
    body = event()
    for sent, headers in (
        (body, {"content-type": JSON}),
        (body, signed(body, age_s=301)),
        (body, signed(body, age_s=-301)),
        (body + b" ", signed(body)),
        (body, signed(body, secret="another")),
        (b"\xff\xfe", signed(b"\xff")),
    ):
        assert (await post(slack, sent, headers)).status_code == 401
    unreadable = b"\xff\xfe"
    assert (await post(slack, unreadable, signed(unreadable))).status_code == 400
    assert await slack.deliveries() == []


async def test_a_repeated_call_is_stored_once(slack: Web) -> None:
    body = event()
    for _ in range(3):
        assert (await post(slack, body, signed(body))).status_code == 200
    (stored,) = await slack.deliveries()
    assert stored.repeats == 2


async def test_only_the_connection_of_an_app_has_such_an_address(slack: Web) -> None:
    body = event()
    for name in ("github", "asana", "nobody"):
        assert (await post(slack, body, signed(body), name)).status_code == 401


async def test_who_authorised_the_app_is_told_how_to_go_on(slack: Web) -> None:
    answer = await slack.http.get("/interactions/acme-slack?code=abc&state=s")
    assert answer.status_code == 200
    assert "asana-sync authorize" in answer.text
    assert "abc" not in answer.text


async def test_what_the_app_itself_did_is_ignored(slack: Web) -> None:
    ours = {
        "type": "event_callback",
        "api_app_id": "A1",
        "event_id": "Ev2",
        "authorizations": [{"user_id": "U0", "is_bot": True}],
    }
    said = {"type": "message", "channel": CHANNEL, "ts": "1700000000.000100", "text": "a", "app_id": "A1"}
    item = {"type": "message", "channel": CHANNEL, "ts": "1700000000.000100"}
    reacted = {"type": "reaction_added", "user": "U0", "item": item, "reaction": "eyes"}
    for at, each in enumerate((said, {**said, "subtype": "message_changed", "message": said}, reacted)):
        body = json.dumps({**ours, "event_id": f"Ev{at}", "event": each}).encode()
        assert (await post(slack, body, signed(body))).status_code == 200
    assert await marks(slack) == []
    assert {row.reason for row in await slack.deliveries()} == {"our own message", "our own reaction"}


async def test_people_are_heard_as_they_talk(serve: Serve) -> None:
    """From the simulated workspace to the marks, with all that Slack adds by itself."""
    simulator = SlackSimulator()
    async with serve_simulator(simulator), serve() as web:
        channel = simulator.new_container("website")
        await found(web)
        await _connect(web, channel, simulator.signing_secret, "T0ACME00001")
        simulator.install(f"{web.url}/webhooks/acme-slack/app")
        assert await simulator.sender.verify(simulator.sender.urls.events)
        thread = simulator.new(channel, title="The footer is broken", by="bob")
        simulator.storm(thread)
        simulator.comment(thread, "Since Monday", by="ada")
        await simulator.outbox.idle()
        assert {sent.status for sent in simulator.outbox.sent} == {200}
        stored = await web.deliveries()
        assert [row.state for row in stored].count("processed") == 2
        assert {row.reason for row in stored} == {"", "nothing that it says has changed"}
        assert {mark.object_id for mark in await marks(web)} == {thread}
        async with web.engine.database.read() as session:
            query = select(Subscription).where(Subscription.container == channel)
            assert (await session.execute(query)).scalar_one().last_delivery_at is not None
