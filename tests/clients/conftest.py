"""Where the providers' own clients meet the simulators: over loopback, past every proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.simulation import serve_app


@dataclass
class Target:
    """Takes webhooks of either provider, and echoes Asana's handshake while ``echo`` is set."""

    url: str = ""
    echo: bool = True
    calls: list[tuple[Headers, bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.calls.append((request.headers, await request.body()))
        secret = request.headers.get("x-hook-secret")
        answer = Response(headers={"X-Hook-Secret": secret} if secret and self.echo else {})
        await answer(scope, receive, send)


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands between a client and loopback, whatever the shell has set."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    target = Target()
    async with serve_app(target) as base_url:
        target.url = f"{base_url}/hook"
        yield target
