"""The sockets: they lead to addresses that the guard has checked, and send nothing after the deadline."""

from __future__ import annotations

import ssl
import time
from collections.abc import Awaitable, Callable
from functools import cache

import httpx

from connectors.egress import Egress
from connectors.fetching import origin

_KEEP_ALIVE_S = 4.0
"""Below the 5 s after which common servers close: a write on a socket that closes just then is "unknown"."""
_ABOUT_TO_SEND = (".send_request_headers.started", ".send_request_body.started")
"""Events of httpcore (its extension "trace")."""


def not_after(deadline: float) -> Callable[[str, object], Awaitable[None]]:
    """Looks at the clock right before bytes are sent; Unix time, which leases are measured by, too.

    A process that was stopped (SIGSTOP, a suspended machine) goes on where it was, and may send before
    any timer is looked at: long after its permit was good.
    """

    async def trace(event: str, _: object) -> None:
        if event.endswith(_ABOUT_TO_SEND) and time.time() > deadline:
            raise TimeoutError

    return trace


class CheckedTransport(httpx.AsyncBaseTransport):
    """Connects to an address the guard has checked; Host, SNI and certificate keep the name."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._wire = httpx.AsyncHTTPTransport(
            verify=_tls(), limits=httpx.Limits(max_connections=100, keepalive_expiry=_KEEP_ALIVE_S)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            addresses = await self._egress.addresses(request.url.host, origin(request.url)[2])
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{request.url.host} is not known: {error}") from error
        timeouts = dict(request.extensions["timeout"])
        timeouts["connect"] /= len(addresses)
        extensions = {**request.extensions, "timeout": timeouts, "sni_hostname": request.url.host}
        failure: httpx.TransportError = httpx.ConnectError("no address")
        for address in addresses:
            url = request.url.copy_with(host=address)
            attempt = httpx.Request(
                request.method, url, headers=request.headers, stream=request.stream, extensions=extensions
            )
            try:
                return await self._wire.handle_async_request(attempt)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        await self._wire.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificate store takes longer than most calls: once a process."""
    return httpx.create_ssl_context()
