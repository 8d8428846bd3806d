"""Ways out that carry credentials: with a token that lasts, or with one that is renewed on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from connectors.answers import Classify
from connectors.http import Outbound

T = TypeVar("T")
P = ParamSpec("P")


def bearer(
    outbound: Outbound,
    token: str,
    *secrets: str,
    headers: Mapping[str, str] | None = None,
    classify: Classify | None = None,
) -> Outbound:
    """The way out with this token on every call (RFC 6750); neither it nor ``secrets`` stand in any message.

    Args:
        headers: others that every call carries.
        classify: as of :meth:`Outbound.authorised`.
    """
    return outbound.authorised(
        {**(headers or {}), "authorization": f"Bearer {token}"}, secrets=[token, *secrets], classify=classify
    )


def _renewed(
    method: Callable[Concatenate[Outbound, P], Awaitable[T]],
) -> Callable[Concatenate[Renewed, P], Coroutine[Any, Any, T]]:
    """The same call of an :class:`Outbound`, with the credentials of the moment."""

    async def call(self: Renewed, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.calling(lambda outbound: method(outbound, *args, **kwargs))

    call.__doc__ = f"As :meth:`Outbound.{method.__name__}`."
    return call


class Renewed(ABC):
    """Calls whose credentials end, and are replaced before that."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    @property
    def clock_offset_s(self) -> float | None:
        """As :attr:`Outbound.clock_offset_s`."""
        return self._outbound.clock_offset_s

    send = _renewed(Outbound.send)
    upload = _renewed(Outbound.upload)
    download = _renewed(Outbound.download)
    deposit = _renewed(Outbound.deposit)

    async def aclose(self) -> None:
        """Release the sockets."""
        await self._outbound.aclose()

    @abstractmethod
    async def calling(self, call: Callable[[Outbound], Awaitable[T]]) -> T:
        """Call with credentials that are good; again with others where just they were refused."""


Access: TypeAlias = Outbound | Renewed
"""Sends calls that carry the credentials."""


async def through(access: Access, call: Callable[[Outbound], Awaitable[T]]) -> T:
    """What a call gives that raises errors of its own: those, too, may tell of credentials that ended."""
    return await (access.calling(call) if isinstance(access, Renewed) else call(access))
