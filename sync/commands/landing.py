"""Where a browser lands that a provider sends back to this machine: once, with the code in its address."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def is_loopback(redirect: str) -> bool:
    """Whether a redirect address leads to this machine, so that its answer can be taken there."""
    address = urlsplit(redirect)
    if address.scheme != "http" or address.hostname is None:
        return False
    try:
        return ipaddress.ip_address(address.hostname).is_loopback
    except ValueError:
        return address.hostname == "localhost"


def listening(redirect: str) -> socket.socket:
    """From now on whoever is sent there is waited for.

    Raises:
        OSError: the port is taken.
    """
    address = urlsplit(redirect)
    host = address.hostname or ""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, address.port or 80), family=family)


async def landed(redirect: str, listener: socket.socket, answers: Callable[[str], bool]) -> str:
    """The address of the first visitor that ``answers``; others get a 400 and are not listened to."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def land(request: Request) -> PlainTextResponse:
        if not answers(str(request.url)):
            return PlainTextResponse("This is no answer to the request under way.", 400)
        if not found.done():
            found.set_result(str(request.url))
        return PlainTextResponse("asana-sync has got it. You can close this window.")

    app = Starlette(routes=[Route(urlsplit(redirect).path or "/", land)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve([listener]))
    serving.add_done_callback(lambda _: found.cancel())  # Ctrl-C
    try:
        return await found
    finally:
        server.should_exit = True
        await serving
