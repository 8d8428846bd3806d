"""The listening socket belongs to ``up`` and is lent to the web process, so a restart keeps the port.

While the web process is being replaced, the system queues new connections instead of refusing them.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Any

from sync.instance.folder import InstanceError

LISTEN_FD = "ASANA_SYNC_LISTEN_FD"

_BACKLOG = 2048
_PATIENCE_SECONDS = 3.0
"""How long a killed predecessor's web process may need to let go of the port."""


async def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises InstanceError where it is not to be had."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            return _server(family, address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or asyncio.get_running_loop().time() > deadline:
                raise InstanceError(f"cannot listen on {host} port {port}: {error.strerror}") from error
            await asyncio.sleep(0.05)


def _server(family: int, address: tuple[Any, ...]) -> socket.socket:
    """As ``socket.create_server`` makes it, but with its protocol named.

    asyncio switches the delays of small answers off (TCP_NODELAY) only on sockets that say they are TCP,
    and connections inherit that from the socket they are accepted on: 40 ms an answer.
    """
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def inherited() -> socket.socket | None:
    """In a web process: the socket ``up`` lent us, None when started alone."""
    descriptor = os.environ.pop(LISTEN_FD, "")
    return socket.socket(fileno=int(descriptor)) if descriptor else None


def url_of(listening: socket.socket) -> str:
    """How a program on this machine reaches it."""
    host, port, *_ = listening.getsockname()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
