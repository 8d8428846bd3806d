"""Token rotation: an install by consent, tokens renewed once for all, kept before they are used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from connectors.base import Session
from connectors.consent import App, Consent, redeem
from connectors.egress import Egress
from connectors.errors import Park, PauseConnection, RetryLater
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.records import Draft, Key
from connectors.simulation import Fault, serve
from connectors.slack import connector
from connectors.slack.config import SlackCredentials
from connectors.slack.scopes import NEEDED
from connectors.slack.simulator import SlackSimulator
from connectors.tokens import Issued, OwnTokens

LANDING = "https://sync.acme.test/interactions/acme-slack"


class Kept(OwnTokens):
    """Remembers what was the provider's newest refresh token when something was kept."""

    def __init__(self, simulator: SlackSimulator) -> None:
        super().__init__()
        self.log: list[tuple[str, int]] = []
        self._simulator = simulator

    async def keep(self, issued: Issued) -> None:
        token = issued.values["access_token"]
        used = [each for each in self._simulator.journal if token in each.headers.get("authorization", "")]
        self.log.append((issued.values["refresh_token"], len(used)))
        await super().keep(issued)


@dataclass
class Bench:
    simulator: SlackSimulator
    base_url: str
    tokens: Kept
    stack: AsyncExitStack
    channel: str

    def outbound(self) -> Outbound:
        out = Outbound(f"{self.base_url}/api", gate=OpenGate(), allow=Egress(["127.0.0.1"]))
        self.stack.push_async_callback(out.aclose)
        return out

    def opened(self) -> Session:
        """A session as each process has one."""
        given = self.simulator.connection(self.base_url)
        settings = connector.settings.model_validate(given["settings"])
        credentials = connector.credentials.model_validate(given["credentials"])
        session = connector.open(settings, credentials, self.outbound(), self.tokens)
        self.stack.push_async_callback(session.aclose)
        return session

    def app(self) -> App:
        given = self.simulator.connection(self.base_url)
        app = connector.app(
            connector.settings.model_validate(given["settings"]),
            connector.credentials.model_validate(given["credentials"]),
        )
        assert app is not None
        return app


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = SlackSimulator()
    simulator.oauth = True
    async with serve(simulator) as url, AsyncExitStack() as stack:
        yield Bench(simulator, url, Kept(simulator), stack, simulator.new_container("website"))


async def test_consent_becomes_tokens(bench: Bench) -> None:
    consent = Consent(app=bench.app(), redirect=LANDING)
    query = parse_qs(urlsplit(consent.url).query)
    assert set(query["scope"][0].split(",")) == set(NEEDED)
    assert query["state"] == [consent.state]
    async with httpx.AsyncHTTPTransport() as browser:
        answer = await browser.handle_async_request(httpx.Request("GET", consent.url))
    issued = await redeem(bench.outbound(), consent, consent.code(answer.headers["location"]))
    assert issued.values["access_token"].startswith("xoxe.xoxb-1-")
    assert issued.values["refresh_token"] == bench.simulator.oauth_app.refresh_token
    with pytest.raises(Park, match="invalid_code"):
        await redeem(bench.outbound(), consent, consent.code(answer.headers["location"]))


async def test_an_app_without_rotation_says_what_to_do(bench: Bench) -> None:
    bench.simulator.oauth_app.rotates = False
    consent = Consent(app=bench.app(), redirect=LANDING)
    async with httpx.AsyncHTTPTransport() as browser:
        answer = await browser.handle_async_request(httpx.Request("GET", consent.url))
    with pytest.raises(Park, match="bot_token"):
        await redeem(bench.outbound(), consent, consent.code(answer.headers["location"]))


async def test_processes_renew_once_and_keep_before_they_use(bench: Bench) -> None:
    one, other = bench.opened(), bench.opened()
    await asyncio.gather(*(each.check() for each in (one, other, one, other)))
    assert bench.simulator.oauth_app.renewals == 1
    bench.simulator.clock.advance(43_200 + 60)
    bench.simulator.oauth_app.end_access()
    await asyncio.gather(*(each.check() for each in (one, other, one, other)))
    assert bench.simulator.oauth_app.renewals == 2
    assert [used for _, used in bench.tokens.log] == [0, 0]
    assert bench.tokens.log[-1][0] == bench.simulator.oauth_app.refresh_token


async def test_a_write_with_a_token_that_ended_is_done_once(bench: Bench) -> None:
    session = bench.opened()
    await session.fields(bench.channel)
    bench.simulator.workspace.channels[bench.channel]["is_member"] = True
    await session.changes(bench.channel, None)
    bench.simulator.oauth_app.end_access()
    await session.create(bench.channel, Draft(fields={"title": "x"}), Key("k", "https://x.test/1", "x"))
    assert len(bench.simulator.objects(bench.channel)) == 1


async def test_who_was_removed_needs_a_person(bench: Bench) -> None:
    session = bench.opened()
    await session.check()
    secrets = [*bench.simulator.oauth_app.credentials().values()][1:]
    bench.simulator.oauth_app.revoke()
    with pytest.raises(PauseConnection, match="authorise the app again") as paused:
        await session.check()
    assert not any(secret in f"{paused.value!r} {paused.value.provider_message}" for secret in secrets)


async def test_an_unknown_app_names_what_is_wrong(bench: Bench) -> None:
    bench.simulator.oauth_app.client_secret = "another"
    session = bench.opened()
    bench.simulator.oauth_app.client_secret = "one more"
    with pytest.raises(PauseConnection, match="client_secret"):
        await session.check()


async def test_a_renewal_that_fails_is_tried_later(bench: Bench) -> None:
    bench.simulator.faults.add(Fault(kind="500", method="POST", path="oauth.v2.access"))
    session = bench.opened()
    with pytest.raises(RetryLater):
        await session.check()
    assert (await session.check()).site == "T0ACME00001"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"client_id": "1.2"},
        {"client_id": "1.2", "refresh_token": "x"},
        {"bot_token": "x", "client_id": "1.2", "client_secret": "x"},
        {"bot_token": "x", "refresh_token": "x"},
    ],
)
def test_one_way_or_the_other(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="bot_token, or client_id"):
        SlackCredentials.model_validate(wrong)
