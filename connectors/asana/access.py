"""How calls prove who makes them: with a personal access token, or with OAuth's that ends every hour.

https://developers.asana.com/docs/oauth: an access token lives for an hour; the refresh token that makes
new ones lives until somebody revokes it, and may be replaced by each answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from connectors.access import Renewed, bearer
from connectors.asana.config import AsanaCredentials
from connectors.consent import asked, tokens_in
from connectors.errors import Park, PauseConnection
from connectors.http import Outbound
from connectors.tokens import Issued, Tokens

T = TypeVar("T")

_EARLY = timedelta(minutes=5)
"""An access token is renewed so long before it ends: no call is sent with one about to die."""
_REVOKED = "Asana does not take the refresh token any more: authorise the app again (asana-sync authorize)"
_NOT_YET = "no account has authorised the app yet: asana-sync authorize CONNECTION --config FILE"


class OAuth(Renewed):
    """Calls with an access token that is renewed in time, once for all who use it.

    Args:
        token_url: where Asana hands out tokens.
        now: aware UTC.
    """

    def __init__(
        self,
        outbound: Outbound,
        credentials: AsanaCredentials,
        tokens: Tokens,
        token_url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(outbound)
        self._credentials = credentials
        self._tokens = tokens
        self._token_url = token_url
        self._now = now
        self._issued: Issued | None = None
        self._renewal: asyncio.Task[Issued] | None = None

    async def aclose(self) -> None:
        """A renewal under way comes to its end first: what Asana hands out is handed out once."""
        if self._renewal is not None:
            await asyncio.wait([self._renewal])
        await super().aclose()

    async def _calling(self, call: Callable[[Outbound], Awaitable[T]]) -> T:
        """A token that Asana refuses before its time is replaced once: what is refused is not done."""
        tokens = await self._usable(refused=None)
        try:
            return await call(self._with(tokens))
        except PauseConnection as error:
            if error.status != 401:
                raise
        return await call(self._with(await self._usable(refused=tokens)))

    def _with(self, issued: Issued) -> Outbound:
        return bearer(
            self._outbound, issued.values["access_token"], *issued.values.values(), *self._secrets()
        )

    def _secrets(self) -> list[str]:
        given = (self._credentials.client_secret, self._credentials.refresh_token)
        return [secret.get_secret_value() for secret in given if secret is not None]

    async def _usable(self, refused: Issued | None) -> Issued:
        if self._is_good(self._issued, refused):
            assert self._issued is not None
            return self._issued
        if self._renewal is None or self._renewal.done():
            # In a context of its own: it is no part of the write that waits for it, and goes on without it.
            self._renewal = asyncio.create_task(self._renewed(refused), context=Context())
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._issued = await asyncio.shield(self._renewal)
        return self._issued

    def _is_good(self, issued: Issued | None, refused: Issued | None) -> bool:
        return (
            issued is not None
            and (refused is None or issued.values["access_token"] != refused.values["access_token"])
            and self._now() < issued.until - _EARLY
        )

    async def _renewed(self, refused: Issued | None) -> Issued:
        """Tokens that somebody else renewed meanwhile, or new ones, which are kept before they are used."""
        kept = await self._tokens.read()
        if kept is not None and self._is_good(kept, refused):
            return kept
        async with self._tokens.alone():
            kept = await self._tokens.read()
            if kept is not None and self._is_good(kept, refused):
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
        given = self._credentials.refresh_token
        refresh = kept.values["refresh_token"] if kept else given.get_secret_value() if given else None
        if refresh is None:
            raise PauseConnection(_NOT_YET)
        secret = self._credentials.client_secret
        form = {
            "grant_type": "refresh_token",
            "client_id": self._credentials.client_id or "",
            "client_secret": secret.get_secret_value() if secret else "",
            "refresh_token": refresh,
        }
        asked_at = self._now()
        try:
            answer = await asked(self._outbound, self._token_url, form, refresh, *self._secrets())
        except Park as refusal:
            raise PauseConnection(
                _REVOKED, provider_message=refusal.provider_message, status=refusal.status
            ) from refusal
        except PauseConnection as refusal:
            raise PauseConnection(
                f"Asana does not know the app: check client_id and client_secret ({refusal.reason})",
                provider_message=refusal.provider_message,
                status=refusal.status,
            ) from refusal
        return tokens_in(answer, asked_at, refresh, kept.scope if kept else "")
