"""Asking an account to authorise an app: OAuth's code flow with state and PKCE.

RFC 6749 section 4.1, RFC 7636 (PKCE), RFC 8252 (programs of one machine, loopback redirects). One account
consents once; what comes of it is renewed from then on (:mod:`connectors.renewal`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.answers import Answer
from connectors.errors import ConnectorError, OutcomeUnknown, RetryLater
from connectors.http import Outbound
from connectors.tokens import Issued

_LIVES_S = 3600
"""Life of an access token, where the answer does not tell."""


class ConsentRefused(ValueError):
    """What came back is no consent to this request; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An app that accounts of a provider can authorise.

    ``shows_code_at``: the redirect address at which the browser shows the code, to be pasted. ``scope``: what
    is asked for where the admin asks for nothing else. ``proves``: whether the provider takes a challenge
    (PKCE). ``refusal``: what an answer 2xx says against handing out tokens, where the provider refuses so.
    """

    provider: str
    authorize_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    shows_code_at: str
    scope: str = ""
    proves: bool = True
    refusal: Callable[[Answer], ConnectorError | None] = field(default=lambda answer: None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One request. ``state`` and ``verifier`` are known to nobody else."""

    app: App
    redirect: str
    scope: str = ""
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def url(self) -> str:
        """What the account opens in a browser."""
        query = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.redirect,
            "state": self.state,
        }
        if scope := self.scope or self.app.scope:
            query["scope"] = scope
        if self.app.proves:
            hashed = hashlib.sha256(self.verifier.encode()).digest()
            query["code_challenge"] = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
            query["code_challenge_method"] = "S256"
        return f"{self.app.authorize_url}?{urlencode(query)}"

    def answers(self, address: str) -> bool:
        """Whether somebody was sent to this address by an answer to this very request."""
        return hmac.compare_digest(_first(address, "state").encode(), self.state.encode())

    def code(self, given: str) -> str:
        """The code out of what was pasted: itself, or the whole address that the browser was sent to.

        Raises:
            ConsentRefused: the account did not consent, or to another request.
        """
        given = given.strip()
        if "?" not in given:
            if not given:
                raise ConsentRefused("there is no code")
            return given
        if not self.answers(given):
            raise ConsentRefused(
                "the address answers another request: open the one above, and paste its answer"
            )
        if error := _first(given, "error"):
            raise ConsentRefused(
                f"{self.app.provider} answers: {_first(given, 'error_description') or error}"
            )
        if not (code := _first(given, "code")):
            raise ConsentRefused("there is no code in the address")
        return code


async def redeem(
    outbound: Outbound, consent: Consent, code: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Issued:
    """The tokens for a code, which works once.

    Args:
        now: aware UTC.

    Raises:
        Park: the code is wrong, was used, or is too old.
        PauseConnection: the app is not known, or its secret wrong.
        RetryLater: no answer that could be used.
    """
    app = consent.app
    form = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": consent.redirect,
        "code": code,
        **({"code_verifier": consent.verifier} if app.proves else {}),
    }
    asked_at = now()
    answer = await asked(outbound, app, form, code, consent.verifier)
    return tokens_in(answer, asked_at, scope=consent.scope)


async def asked(outbound: Outbound, app: App, form: Mapping[str, str], *hidden: str) -> Answer:
    """What the provider answers to a form that asks for tokens; neither ``hidden`` nor the app's secret
    stands in any message.

    Raises:
        RetryLater: also where the outcome is unknown: asking once more does no harm.
    """
    client = outbound.authorised({}, secrets=[app.client_secret, *hidden])
    try:
        answer = await client.send("POST", app.token_url, form=form)
    except OutcomeUnknown as error:
        raise RetryLater(error.reason, status=error.status) from error
    if (refusal := app.refusal(answer)) is not None:
        raise refusal
    return answer


def tokens_in(answer: Answer, asked_at: datetime, refresh_token: str = "", scope: str = "") -> Issued:
    """The tokens in an answer; a refresh token that it does not replace stays, and so does the scope.

    Raises:
        RetryLater: there are none in it.
    """
    data = answer.data if isinstance(answer.data, Mapping) else {}
    access, refresh = data.get("access_token"), str(data.get("refresh_token") or refresh_token)
    if not isinstance(access, str) or not access or not refresh:
        raise RetryLater("the answer has no tokens in it")
    lives = data.get("expires_in")
    seconds = lives if isinstance(lives, int | float) else _LIVES_S
    return Issued(
        {"access_token": access, "refresh_token": refresh},
        asked_at + timedelta(seconds=seconds),
        str(data.get("scope") or scope),
    )


def _first(address: str, name: str) -> str:
    return parse_qs(urlsplit(address).query).get(name, [""])[0]
