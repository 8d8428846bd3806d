"""OAuth v2 at a simulated Slack, with token rotation: consent, tokens for a code and for a refresh token.

https://docs.slack.dev/authentication/installing-with-oauth and /using-token-rotation. Everybody consents at
once; a code works once, so does a refresh token; refusals are 200 ``{"ok": false}``. Switches: ``lives_s``;
``rotates`` (without it the token lasts, and there is nothing to renew it with).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.simulation import Clock
from connectors.slack.simulated_calls import Args, Method
from connectors.slack.simulated_workspace import APP, BOT_USER, TEAM, Failed, Payload


class OAuthServer:
    """The installed app. ``renewals``: how often tokens were handed out; ``asked``: scopes consented to."""

    def __init__(self, clock: Clock) -> None:
        self.client_id = "1000000000.2000000000"
        self.client_secret = secrets.token_hex(16)
        self.lives_s = 43_200.0
        self.rotates = True
        self.renewals = 0
        self.asked = ""
        self.refresh_token = f"xoxe-1-{secrets.token_hex(16)}"
        """The one that works."""
        self._clock = clock
        self._access: dict[str, datetime | None] = {}
        self._codes: dict[str, str] = {}

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }

    def fate(self, token: str) -> str:
        """'good', 'ended', or 'unknown' where it was never handed out."""
        if token not in self._access:
            return "unknown"
        until = self._access[token]
        return "good" if until is None or self._clock.now() < until else "ended"

    def end_access(self) -> None:
        """Every access token ends before its time."""
        self._access = dict.fromkeys(self._access, self._clock.now())

    def revoke(self) -> None:
        """Somebody takes the app out of the workspace."""
        self.refresh_token = f"xoxe-1-{secrets.token_hex(16)}"
        self._access.clear()

    def methods(self) -> Mapping[str, Method]:
        return {"oauth.v2.access": self._tokens}

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/oauth/v2/authorize", self._authorize, methods=["GET"])]

    async def _authorize(self, request: Request) -> Response:
        given = request.query_params
        if given.get("client_id") != self.client_id or not given.get("scope") or not given.get("state"):
            return PlainTextResponse("Something went wrong: client_id, scope or state", 400)
        if not given.get("redirect_uri", "").startswith(("https://", "http://127.0.0.1")):
            return PlainTextResponse("redirect_uri did not match any configured URIs", 400)
        code = secrets.token_hex(16)
        self._codes[code], self.asked = given["redirect_uri"], given["scope"]
        return RedirectResponse(
            f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state']})}", 302
        )

    def _tokens(self, args: Args) -> Payload:
        if args.text("client_id") != self.client_id:
            raise Failed("invalid_client_id")
        if not hmac.compare_digest(args.text("client_secret"), self.client_secret):
            raise Failed("bad_client_secret")
        if args.text("grant_type") == "refresh_token":
            if args.text("refresh_token") != self.refresh_token:
                raise Failed("invalid_refresh_token")
        else:
            redirect = self._codes.pop(args.text("code"), None)
            if redirect is None:
                raise Failed("invalid_code")
            if redirect != args.text("redirect_uri"):
                raise Failed("bad_redirect_uri")
        return self._handed_out()

    def _handed_out(self) -> Payload:
        self.renewals += 1
        prefix = "xoxe.xoxb-1-" if self.rotates else "xoxb-"
        access = f"{prefix}{secrets.token_hex(16)}"
        ends = self._clock.now() + timedelta(seconds=self.lives_s)
        self._access[access] = ends if self.rotates else None
        answer: Payload = {
            "access_token": access,
            "token_type": "bot",
            "scope": self.asked,
            "bot_user_id": BOT_USER,
            "app_id": APP,
            "team": {"id": TEAM, "name": "Acme"},
            "enterprise": None,
            "is_enterprise_install": False,
        }
        if self.rotates:
            self.refresh_token = f"xoxe-1-{secrets.token_hex(16)}"
            answer |= {"refresh_token": self.refresh_token, "expires_in": int(self.lives_s)}
        return answer
