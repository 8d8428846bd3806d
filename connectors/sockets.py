"""Web sockets (RFC 6455) to addresses that the guard has checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from connectors.egress import Egress
from connectors.errors import Park, ParkClass, RetryLater

Socket: TypeAlias = ClientConnection

_PORTS = {"ws": 80, "wss": 443}
_LARGEST = 1024 * 1024


@asynccontextmanager
async def opened(url: str, host: str, allow: Egress, *, timeout_s: float) -> AsyncIterator[Socket]:
    """A socket to ``host`` or a host below it, closed in the end. Pings keep it alive.

    Raises:
        Park: the address leads elsewhere.
        RetryLater: nobody answers there.
    """
    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    if parts.scheme not in _PORTS or (name != host and not name.endswith(f".{host}")):
        raise Park(f"no socket is opened to {name}", park_class=ParkClass.PERMISSION)
    try:
        addresses = await allow.addresses(name, port)
        socket = await connect(
            url, host=addresses[0], port=port, open_timeout=timeout_s, max_size=_LARGEST, proxy=None
        )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise RetryLater(f"{name}: no socket: {type(error).__name__}") from error
    async with socket:
        yield socket
