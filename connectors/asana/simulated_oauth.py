"""OAuth at a simulated Asana: consent, tokens for a code, tokens for a refresh token, revoking.

https://developers.asana.com/docs/oauth. Everybody consents at once. Switches: ``lives_s``; ``rotates``
(each renewal replaces the refresh token, and the old one is refused from then on).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.simulation import Clock


@dataclass(frozen=True, slots=True)
class _Consent:
    redirect_uri: str
    challenge: str


class OAuthServer:
    """One registered app, which one user has authorised."""

    def __init__(self, clock: Clock, user: str) -> None:
        self.client_id = "1200000000009999"
        self.client_secret = secrets.token_hex(16)
        self.refresh_token = f"2/{user}/1200000000009999:{secrets.token_hex(16)}"
        """The one that works; an admin puts it into the configuration."""
        self.lives_s = 3600
        self.rotates = False
        self.renewals = 0
        """How many access tokens were handed out."""
        self._clock = clock
        self._user = user
        self._access: dict[str, datetime] = {}
        self._codes: dict[str, _Consent] = {}

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }

    def user_of(self, access_token: str) -> str | None:
        """Whose access token it is, None where it is none or has ended."""
        until = self._access.get(access_token)
        return self._user if until is not None and self._clock.now() < until else None

    def revoke(self) -> None:
        """The user takes the app's access away."""
        self.refresh_token = f"2/{self._user}/revoked:{secrets.token_hex(16)}"
        self._access.clear()

    def end_access(self) -> None:
        """Every access token ends before its time."""
        self._access.clear()

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/-/oauth_authorize", self._authorize, methods=["GET"]),
            Route("/-/oauth_token", self._token, methods=["POST"]),
            Route("/-/oauth_revoke", self._revoke, methods=["POST"]),
        ]

    async def _authorize(self, request: Request) -> Response:
        given = request.query_params
        if given.get("client_id") != self.client_id or given.get("response_type") != "code":
            return _refused("invalid_request", "client_id or response_type is wrong")
        if not given.get("state") or given.get("code_challenge_method", "S256") != "S256":
            return _refused("invalid_request", "state is missing, or the challenge is not S256")
        code = secrets.token_hex(16)
        redirect = given.get("redirect_uri", "")
        self._codes[code] = _Consent(redirect, given.get("code_challenge", ""))
        return RedirectResponse(f"{redirect}?{urlencode({'code': code, 'state': given['state']})}", 302)

    async def _token(self, request: Request) -> Response:
        given = await _form(request)
        if not self._knows_app(given):
            return _refused("invalid_client", "The client_id or client_secret is wrong", 401)
        if given.get("grant_type") == "authorization_code":
            if not self._consented(given):
                return _refused("invalid_grant", "The code is wrong or was used before")
        elif given.get("grant_type") != "refresh_token":
            return _refused(
                "unsupported_grant_type", "grant_type must be authorization_code or refresh_token"
            )
        elif given.get("refresh_token") != self.refresh_token:
            return _refused("invalid_grant", "The refresh_token was revoked")
        if self.rotates and given["grant_type"] == "refresh_token":
            self.refresh_token = f"2/{self._user}/{self.client_id}:{secrets.token_hex(16)}"
        self.renewals += 1
        access = f"1/{self._user}:{secrets.token_hex(16)}"
        self._access[access] = self._clock.now() + timedelta(seconds=self.lives_s)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": self.lives_s,
            "data": {"id": self._user, "gid": self._user},
        }
        if self.rotates or given["grant_type"] == "authorization_code":
            answer["refresh_token"] = self.refresh_token
        return JSONResponse(answer)

    async def _revoke(self, request: Request) -> Response:
        """Of refresh tokens alone; one that is not known is success, too."""
        given = await _form(request)
        if not self._knows_app(given):
            return _refused("invalid_client", "The client_id or client_secret is wrong", 401)
        if given.get("token") == self.refresh_token:
            self.revoke()
        return JSONResponse({})

    def _knows_app(self, given: Mapping[str, str]) -> bool:
        return given.get("client_id") == self.client_id and hmac.compare_digest(
            given.get("client_secret", ""), self.client_secret
        )

    def _consented(self, given: Mapping[str, str]) -> bool:
        """Whether the code is one of ours; it works once, and for whoever knows what the challenge hashes."""
        consent = self._codes.pop(given.get("code", ""), None)
        if consent is None or consent.redirect_uri != given.get("redirect_uri"):
            return False
        hashed = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        verified = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        return not consent.challenge or hmac.compare_digest(consent.challenge, verified)


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode(errors="replace")
    return {name: values[0] for name, values in parse_qs(body).items()}


def _refused(error: str, description: str, status: int = 400) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)
