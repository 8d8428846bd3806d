"""The simulated Web API as a whole: which methods there are, and who may call them how often.

https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.simulation import Clock, Exchange, RateLimit, Refused
from connectors.slack.simulated_calls import Method, answered, args_of, failed
from connectors.slack.simulated_workspace import Failed

_TIERS: Mapping[str, int] = {
    "apps.connections.open": 1,
    "conversations.list": 20,
    "users.list": 20,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.info": 50,
    "chat.update": 50,
    "chat.delete": 50,
    "reactions.add": 50,
    "reactions.remove": 20,
    "chat.postMessage": 300,
}
_UNLISTED = 100
_SCOPES = frozenset(
    {"channels:history", "channels:join", "channels:read", "chat:write", "chat:write.customize", "commands"}
) | frozenset(
    {"files:read", "files:write", "groups:history", "groups:read", "reactions:read", "reactions:write"}
    | {"users:read", "users:read.email"}
)
_POST_EVERY_S = 1.0


class Limits:
    """Per method and workspace; messages once a second in a channel. ``on`` makes them count."""

    def __init__(self, clock: Clock) -> None:
        self.on = False
        self._clock = clock
        self._tiers: dict[str, RateLimit] = {}
        self._channels = RateLimit(clock, limit=1, window_s=_POST_EVERY_S)

    def admit(self, exchange: Exchange) -> Refused | None:
        method = exchange.path.rpartition("/")[2]
        if not self.on or "/api/" not in exchange.path:
            return None
        tier = self._tiers.setdefault(method, RateLimit(self._clock, limit=_TIERS.get(method, _UNLISTED)))
        wait = tier.take("workspace")
        if wait is None and method == "chat.postMessage" and isinstance(exchange.body, dict):
            wait = self._channels.take(str(exchange.body.get("channel")))
        return Refused(429, "ratelimited", {"Retry-After": f"{max(1, -int(-wait // 1))}"}) if wait else None


class WebApi:
    """Calls by name. ``revoked``: the bot's token was taken away. ``scopes``: what it may do.

    Args:
        fate: what became of a token that was handed out: ``good``, ``ended`` or ``unknown``.
    """

    def __init__(self, fate: Callable[[str], str], *parts: Mapping[str, Method]) -> None:
        self.token = f"xoxb-{secrets.token_hex(16)}"
        self.app_token = f"xapp-1-{secrets.token_hex(16)}"
        self.revoked = False
        self.scopes = set(_SCOPES)
        self._fate = fate
        self._methods = {name: method for part in parts for name, method in part.items()}

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/api/{method}", self._call, methods=["GET", "POST"])]

    def knows(self, token: str) -> bool:
        return (token == self.token or self._fate(token) == "good") and not self.revoked

    async def _call(self, request: Request) -> Response:
        name = request.path_params["method"]
        args = await args_of(request)
        try:
            if name not in self._methods:
                raise Failed("unknown_method", req_method=name)
            self._check_token(name, args.token)
            answer = self._methods[name](args)
        except Failed as error:
            return failed(error)
        response = answer if isinstance(answer, Response) else answered(answer)
        response.headers["x-oauth-scopes"] = ",".join(sorted(self.scopes))
        return response

    def _check_token(self, name: str, token: str) -> None:
        if name.startswith("oauth."):
            return  # proves itself with the app's secret
        if name.startswith("apps.connections."):
            if token != self.app_token:
                raise Failed("invalid_auth")
        elif not token:
            raise Failed("not_authed")
        elif not self.knows(token):
            ended = "token_expired" if self._fate(token) == "ended" else "invalid_auth"
            raise Failed("token_revoked" if token == self.token else ended)
