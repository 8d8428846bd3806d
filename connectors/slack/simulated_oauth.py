"""Installing the simulated app: consent, ``oauth.v2.access``, tokens that rotate.

https://docs.slack.dev/authentication/installing-with-oauth and .../using-token-rotation. Everybody
consents at once.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.simulation import Clock, Refused
from connectors.slack.simulated_calls import Args, Method
from connectors.slack.simulated_workspace import APP, BOT_USER, TEAM, Failed, Payload

SCOPES = (
    "channels:history,channels:join,channels:read,chat:write,chat:write.customize,commands,files:read,"
    "files:write,groups:history,groups:read,metadata.message:read,reactions:read,reactions:write,"
    "users:read,users:read.email,team:read"
)


class OAuthServer:
    """One registered app. Switches: ``lives_s``, ``rotates`` (access ends, a refresh token works once)."""

    def __init__(self, clock: Clock) -> None:
        self.client_id = "1000000000001.2000000000002"
        self.client_secret = secrets.token_hex(16)
        self.lives_s = 43_200
        self.rotates = False
        self.renewals = 0
        self.refresh_token = f"xoxe-1-{secrets.token_hex(16)}"
        """The one that works."""
        self._clock = clock
        self._access: dict[str, datetime | None] = {}
        self._codes: dict[str, str] = {}

    def knows(self, token: str) -> bool:
        if token not in self._access:
            return False
        until = self._access[token]
        return until is None or self._clock.now() < until

    def end_access(self) -> None:
        """Every access token ends before its time."""
        self._access.clear()

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/oauth/v2/authorize", self._authorize, methods=["GET"])]

    def methods(self) -> Mapping[str, Method]:
        return {"oauth.v2.access": self._access_token}

    async def _authorize(self, request: Request) -> Response:
        given = request.query_params
        if given.get("client_id") != self.client_id or not given.get("scope"):
            raise Refused(400, "invalid_client_id")
        code = secrets.token_hex(16)
        self._codes[code] = given.get("redirect_uri", "")
        query = urlencode({"code": code, "state": given.get("state", "")})
        return RedirectResponse(f"{given.get('redirect_uri', '')}?{query}", 302)

    def _access_token(self, args: Args) -> Payload:
        if (args.text("client_id"), args.text("client_secret")) != (self.client_id, self.client_secret):
            raise Failed("bad_client_secret")
        if args.text("grant_type") == "refresh_token":
            if args.text("refresh_token") != self.refresh_token:
                raise Failed("invalid_refresh_token")
        elif self._codes.pop(args.text("code"), None) != args.text("redirect_uri"):
            raise Failed("invalid_code")
        self.renewals += 1
        token = f"{'xoxe.' if self.rotates else ''}xoxb-{secrets.token_hex(16)}"
        self._access[token] = None
        answer: Payload = {
            "access_token": token,
            "token_type": "bot",
            "scope": SCOPES,
            "bot_user_id": BOT_USER,
            "app_id": APP,
            "team": {"id": TEAM, "name": "Acme"},
            "enterprise": None,
            "authed_user": {"id": "U0ADA000001"},
        }
        if self.rotates:
            self._access[token] = self._clock.now() + timedelta(seconds=self.lives_s)
            self.refresh_token = f"xoxe-1-{secrets.token_hex(16)}"
            answer |= {"refresh_token": self.refresh_token, "expires_in": self.lives_s}
        return answer


def basic(header: str) -> dict[str, str]:
    """Client id and secret where they come as Basic authentication (RFC 7617)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": id, "client_secret": secret}
