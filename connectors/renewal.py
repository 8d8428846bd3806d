"""OAuth's access tokens, which end after some hours: renewed in time, once for all who use them.

RFC 6749 section 6. The refresh token that makes new ones lives until somebody revokes it; where an answer
replaces it, the old one is worth nothing from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from connectors.access import Renewed, bearer
from connectors.consent import App, asked, tokens_in
from connectors.errors import Park, PauseConnection
from connectors.http import Outbound
from connectors.tokens import Issued, Tokens

T = TypeVar("T")

_EARLY = timedelta(minutes=5)
"""An access token is renewed so long before it ends: no call is sent with one about to die."""
_ASKED_AGAIN = timedelta(minutes=1)
"""A refresh token that was refused is refused to all who come so soon after: they were on their way."""
_REVOKED = "does not take the refresh token any more: authorise the app again (asana-sync authorize)"
_NOT_YET = "no account has authorised the app yet: asana-sync authorize CONNECTION --config FILE"


class OAuth(Renewed):
    """Calls with an access token that is renewed in time, once for all who use it.

    Args:
        refresh_token: what the configuration has, where nothing was handed out since; "": nothing.
        now: aware UTC.
    """

    def __init__(
        self,
        outbound: Outbound,
        app: App,
        refresh_token: str,
        tokens: Tokens,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(outbound)
        self._app = app
        self._refresh_token = refresh_token
        self._tokens = tokens
        self._now = now
        self._issued: Issued | None = None
        self._renewal: asyncio.Task[Issued] | None = None
        self._dead = ""
        """The access token that was refused before its time."""
        self._refusal: tuple[str, datetime, Park] | None = None
        """Of the refresh token: which, when, and why."""

    async def aclose(self) -> None:
        """A renewal under way comes to its end first: what is handed out is handed out once."""
        if self._renewal is not None:
            await asyncio.wait([self._renewal])
        await super().aclose()

    async def calling(self, call: Callable[[Outbound], Awaitable[T]]) -> T:
        """A token that is refused before its time is replaced once: what is refused is not done."""
        tokens = await self._usable()
        try:
            return await call(self._with(tokens))
        except PauseConnection as error:
            if error.status != 401:
                raise
        self._dead = tokens.values["access_token"]
        return await call(self._with(await self._usable()))

    def _with(self, issued: Issued) -> Outbound:
        secrets = (*issued.values.values(), self._app.client_secret, self._refresh_token)
        return bearer(self._outbound, issued.values["access_token"], *filter(None, secrets))

    async def _usable(self) -> Issued:
        if self._issued is not None and self._is_good(self._issued):
            return self._issued
        if self._renewal is None or self._renewal.done():
            # In a context of its own: it is no part of the write that waits for it, and goes on without it.
            self._renewal = asyncio.create_task(self._renewed(), context=Context())
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._issued = await asyncio.shield(self._renewal)
        return self._issued

    def _is_good(self, issued: Issued) -> bool:
        return issued.values["access_token"] != self._dead and self._now() < issued.until - _EARLY

    async def _renewed(self) -> Issued:
        """Tokens that somebody else renewed meanwhile, or new ones, which are kept before they are used."""
        kept = await self._tokens.read()
        if kept is not None and self._is_good(kept):
            return kept
        async with self._tokens.alone():
            kept = await self._tokens.read()
            if kept is not None and self._is_good(kept):
                return kept
            issued = await self._handed_out(kept)
            await self._tokens.keep(issued)
            return issued

    async def _handed_out(self, kept: Issued | None) -> Issued:
        """New tokens for the newest refresh token.

        Raises:
            PauseConnection: there is none yet, it was revoked, or the app is not known.
            RetryLater: no answer that could be used.
        """
        refresh = kept.values["refresh_token"] if kept else self._refresh_token
        if not refresh:
            raise PauseConnection(_NOT_YET)
        if self._refusal is not None:
            token, at, refusal = self._refusal
            if token == refresh and self._now() - at < _ASKED_AGAIN:
                raise self._revoked(refusal)
        form = {
            "grant_type": "refresh_token",
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret,
            "refresh_token": refresh,
        }
        asked_at = self._now()
        try:
            answer = await asked(self._outbound, self._app, form, refresh)
        except Park as refusal:
            self._refusal = refresh, asked_at, refusal
            raise self._revoked(refusal) from refusal
        except PauseConnection as refusal:
            raise PauseConnection(
                f"{self._app.provider} does not know the app: check client_id and client_secret "
                f"({refusal.reason})",
                provider_message=refusal.provider_message,
                status=refusal.status,
            ) from refusal
        return tokens_in(answer, asked_at, refresh, kept.scope if kept else "")

    def _revoked(self, refusal: Park) -> PauseConnection:
        return PauseConnection(
            f"{self._app.provider} {_REVOKED}",
            provider_message=refusal.provider_message,
            status=refusal.status,
        )
