"""What a provider hands out for configured credentials, and replaces while it is used: OAuth tokens.

The configuration holds what an admin was given once. What came of it since is kept elsewhere, so that
applying the same configuration again takes nothing back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Issued:
    """``values`` are secret texts by name; ``until`` is when they end, by our clock.

    ``scope``: what they may be used for, in the provider's words with spaces; empty where nothing was asked
    for in particular.
    """

    values: Mapping[str, str] = field(repr=False)
    until: datetime
    scope: str = ""


class Tokens(Protocol):
    """The tokens of one connection, for all who work with it."""

    async def read(self) -> Issued | None:
        """What was kept last; None where nothing was handed out for these credentials yet."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Inside, nobody else renews these tokens, in whatever process. Read again once inside.

        Raises:
            RetryLater: somebody else takes too long over it.
        """

    async def keep(self, issued: Issued) -> None:
        """Remember them, for good and for everybody. Called inside :meth:`alone`.

        Raises:
            RetryLater: the turn was over before.
        """


class OwnTokens:
    """Tokens that nobody else uses; they end with the process."""

    def __init__(self) -> None:
        self._issued: Issued | None = None
        self._lock = asyncio.Lock()

    async def read(self) -> Issued | None:
        return self._issued

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._lock:
            yield

    async def keep(self, issued: Issued) -> None:
        self._issued = issued
