"""How calls prove who makes them: with a token, or as the installation of a GitHub App.

Source: docs.github.com, "Authenticating as a GitHub App installation", "Generating a JSON Web Token".
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import jwt

from connectors.access import Renewed, bearer
from connectors.errors import ConnectorError, OutcomeUnknown, Park, PauseConnection, RetryLater
from connectors.github.refusals import Refusals, is_suspended
from connectors.http import Outbound

T = TypeVar("T")

HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}

_BACKDATED_S = 60
"""A token that seems to come from the future is refused: clocks differ."""
_LIVES_S = 540
"""GitHub takes no JSON Web Token that is valid for more than ten minutes."""
_RENEWED_BEFORE = timedelta(minutes=10)
"""Installation tokens live for an hour; no call is sent with one about to die."""

_FRESH_S = 60

_SUSPENDED = "the installation of the GitHub App is suspended: let an owner of the organisation unsuspend it"


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App and one of its installations; the key is PEM."""

    id: str
    installation: str
    private_key: str

    def token(self, now: float) -> str:
        """A JSON Web Token by which the app speaks for itself.

        Raises:
            PauseConnection: the key is none.
        """
        claims = {"iat": int(now) - _BACKDATED_S, "exp": int(now) + _LIVES_S, "iss": self.id}
        try:
            return jwt.encode(claims, self.private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise PauseConnection(
                "the private key of the GitHub App cannot be read: give the whole PEM file"
            ) from None


class Installation(Renewed):
    """Calls as the installation of an app. Its token is fetched once for all, and renewed in time."""

    def __init__(
        self,
        outbound: Outbound,
        app: App,
        secrets: Sequence[str],
        refusals: Refusals,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(outbound)
        self._app = app
        self._secrets = secrets
        self._refusals = refusals
        self._clock = clock
        self._calls: Outbound | None = None
        self._made_at = 0.0
        self._good_until = datetime.min.replace(tzinfo=UTC)
        self._renewing = asyncio.Lock()

    async def calling(self, call: Callable[[Outbound], Awaitable[T]]) -> T:
        """A call refused with 401 was not done: it is sent again, a fresh token as it is, then another.

        A token that was just made is not known everywhere yet.
        """
        calls = await self._with_token()
        for again in (self._still_fresh, self._another):
            try:
                return await call(calls)
            except PauseConnection as refused:
                if refused.status != 401:
                    raise
            calls = await again(calls)
        return await call(calls)

    async def _still_fresh(self, refused: Outbound) -> Outbound:
        """The same token while it is new, else another one."""
        if self._calls is refused and self._clock() < self._made_at + _FRESH_S:
            return refused
        return await self._another(refused)

    async def _another(self, refused: Outbound) -> Outbound:
        return await self._with_token(instead_of=refused)

    async def account(self) -> Mapping[str, Any]:
        """The app itself: its name, and what its installation may do."""
        app = await self._as_app("GET", "/app")
        installation = await self._as_app("GET", f"/app/installations/{self._app.installation}")
        if installation.get("suspended_at"):
            raise PauseConnection(_SUSPENDED)
        return {**app, "permissions": installation.get("permissions") or {}}

    async def _with_token(self, instead_of: Outbound | None = None) -> Outbound:
        async with self._renewing:
            now = datetime.fromtimestamp(self._now(), UTC)
            if self._calls is None or self._calls is instead_of or now >= self._good_until - _RENEWED_BEFORE:
                # in a context of its own: it is no part of the write that waits for it
                made = await asyncio.create_task(self._token(), context=Context())
                self._calls = self._with(str(made["token"]))
                self._made_at = self._clock()
                self._good_until = datetime.fromisoformat(str(made["expires_at"]))
            return self._calls

    def _with(self, token: str) -> Outbound:
        hidden = [self._app.private_key, *self._secrets]
        return bearer(self._outbound, token, *hidden, headers=HEADERS, classify=self._refusals)

    async def _token(self) -> Mapping[str, Any]:
        path = f"/app/installations/{self._app.installation}/access_tokens"
        try:
            return await self._as_app("POST", path, json={})
        except OutcomeUnknown as error:  # a token more or less: nobody has to look for it
            raise RetryLater(error.reason) from error

    async def _as_app(self, method: str, path: str, *, json: Any = None) -> Mapping[str, Any]:
        """A call of the app itself; once more where our clock turned out to be wrong."""
        try:
            return await self._called_as_app(method, path, json)
        except PauseConnection as refused:
            if refused.status != 401 or self._outbound.clock_offset_s is None:
                raise
        return await self._called_as_app(method, path, json)

    async def _called_as_app(self, method: str, path: str, json: Any) -> Mapping[str, Any]:
        token = self._app.token(self._now())
        calls = self._with(token)
        try:
            answer = await calls.send(method, path, json=json)
        except (Park, PauseConnection) as refused:
            raise _unusable(refused) from refused
        if not isinstance(answer.data, Mapping):
            raise RetryLater("GitHub's answer is not as documented")
        return answer.data

    def _now(self) -> float:
        """Seconds since 1970 by GitHub's clock, as far as it is known."""
        return self._clock() + (self._outbound.clock_offset_s or 0.0)


def _unusable(refused: ConnectorError) -> PauseConnection:
    """Why an installation gives no token."""
    if is_suspended(refused.provider_message):
        what = _SUSPENDED
    elif isinstance(refused, PauseConnection):
        what = f"GitHub does not know the app: check app_id and private_key ({refused.reason})"
    elif refused.status in (404, 410):
        what = "the GitHub App is not installed there any more: install it, and give its new installation_id"
    else:
        what = f"the GitHub App gets no token: {refused.reason}"
    return PauseConnection(what, provider_message=refused.provider_message, status=refused.status)
