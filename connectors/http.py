"""The one outbound client: httpx is imported here alone.

Timeouts, limits shared by all workers, status -> error table, redaction, egress guard.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from connectors.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; header names are lower case, ``data`` is parsed JSON or None where there is no body."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(frozen=True, slots=True)
class Quota:
    """What the provider says is left."""

    limit: int | None
    remaining: int | None
    reset_at: datetime | None


class Gate(Protocol):
    """Limits of one connection, shared by everybody who uses it."""

    def slot(self, *, write: bool) -> AbstractAsyncContextManager[None]:
        """Room for one request; waits shortly, raises RetryLater(limited=True) while the connection is held."""

    async def hold(self, seconds: float) -> None:
        """The provider asked for silence: nobody sends before that."""


Classify: TypeAlias = Callable[[Answer, bool], ConnectorError | None]
"""(answer, was it a write) -> the error it means, None to leave it to the general table."""
