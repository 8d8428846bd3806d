"""A request for consent: what is asked, and which answers are answers to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.consent import App, Consent, ConsentRefused, redeem
from connectors.egress import Egress
from connectors.errors import ConnectorError, Park, PauseConnection, RetryLater
from connectors.http import Outbound
from connectors.limits import OpenGate

APP = App(
    provider="Tracker",
    authorize_url="https://tracker.test/authorize",
    token_url="https://tracker.test/token",
    client_id="12",
    client_secret="hush",
    shows_code_at="urn:ietf:wg:oauth:2.0:oob",
)
LANDING = "http://127.0.0.1:8123/landed"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def asked(**more: str) -> Consent:
    return Consent(app=APP, redirect=LANDING, **more)


def test_the_address_asks_with_state_and_challenge_and_tells_no_secret() -> None:
    consent = asked(scope="tasks:read")
    query = {name: values[0] for name, values in parse_qs(urlsplit(consent.url).query).items()}
    assert query["state"] == consent.state
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == LANDING
    assert query["scope"] == "tasks:read"
    for secret in ("hush", consent.verifier):
        assert secret not in consent.url + repr(consent) + repr(APP)
    assert asked().state != consent.state


def test_a_code_is_pasted_alone_or_as_the_address_that_answers() -> None:
    consent = asked()
    assert consent.code(" abc\n") == "abc"
    assert consent.code(f"{LANDING}?code=abc&state={consent.state}") == "abc"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("code=abc&state=other", "another request"),
        ("code=abc", "another request"),
        ("error=access_denied&error_description=The+user+said+no&state=STATE", "The user said no"),
        ("state=STATE", "no code"),
    ],
)
def test_what_answers_another_request_or_refuses_is_no_code(query: str, why: str) -> None:
    consent = asked()
    with pytest.raises(ConsentRefused, match=why):
        consent.code(f"{LANDING}?{query}".replace("STATE", consent.state))
    with pytest.raises(ConsentRefused, match="no code"):
        consent.code(" \n")


def answering(answer: httpx.Response, forms: list[dict[str, list[str]]] | None = None) -> Outbound:
    def respond(request: httpx.Request) -> httpx.Response:
        if forms is not None:
            forms.append(parse_qs(request.content.decode()))
        return answer

    return Outbound(
        "https://tracker.test/api",
        gate=OpenGate(),
        allow=Egress([]),
        transport=httpx.MockTransport(respond),
    )


async def test_a_code_becomes_tokens_for_whoever_knows_the_verifier() -> None:
    forms: list[dict[str, list[str]]] = []
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 60}
    consent = asked(scope="tasks:read tasks:write")
    tokens = await redeem(answering(httpx.Response(200, json=body), forms), consent, "abc", lambda: NOON)
    assert (tokens.values, tokens.until, tokens.scope) == (
        {"access_token": "a", "refresh_token": "r"},
        NOON + timedelta(seconds=60),
        "tasks:read tasks:write",
    )
    granted = httpx.Response(200, json=body | {"scope": "tasks:read"})
    assert (await redeem(answering(granted), consent, "abc")).scope == "tasks:read", "the answer tells more"
    assert forms[0]["code_verifier"] == [consent.verifier]
    assert forms[0]["redirect_uri"] == [LANDING]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(400, json={"error": "invalid_grant"}), Park),
        (httpx.Response(401, json={"error": "invalid_client"}), PauseConnection),
        (httpx.Response(503), RetryLater),
        (httpx.Response(200, json={"access_token": "a"}), RetryLater),
    ],
)
async def test_what_is_refused_says_what_to_do(answer: httpx.Response, error: type[ConnectorError]) -> None:
    with pytest.raises(error) as refused:
        await redeem(answering(answer), asked(), "abc")
    assert "abc" not in str(refused.value)
