"""The network of a town: requests to the providers, and their webhook calls. Slow, and cut now and then."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import httpx

from connectors.simulation import Simulator
from sync.jobs.receiving.intake import Intake
from sync.store.errors import StoreError
from tests.simulation.life import Killed, Life

QUICK_S, SLOW_S = 0.02, 0.3
PATIENCE_S = 10.0
"""So long do providers wait for the answer to a webhook call."""


class _Visit:
    """One request at a provider, which goes on with it whether or not somebody waits for the answer."""

    def __init__(self, request: httpx.Request, body: bytes) -> None:
        self.request = request
        self.answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self.left = asyncio.Event()
        self._body: bytes | None = body
        self._start: dict[str, Any] = {}
        self._content = bytearray()

    async def receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._start.update(message)
            return
        self._content += message.get("body", b"")
        if not message.get("more_body") and not self.answer.done():
            headers = self._start["headers"]
            self.answer.set_result(
                httpx.Response(self._start["status"], headers=headers, content=bytes(self._content))
            )

    def cut(self) -> None:
        self.left.set()
        if not self.answer.done():
            self.answer.set_exception(httpx.ReadError("the connection was cut", request=self.request))


class Air(httpx.AsyncBaseTransport):
    """The way to the providers for one life of the program.

    Args:
        providers: by the port of their address.
    """

    _visits: ClassVar[WeakValueDictionary[tuple[str, int], _Visit]] = WeakValueDictionary()
    """Of all lives: a provider cuts a connection of a process that is no more, too."""

    def __init__(self, providers: Mapping[int, Simulator], life: Life, chance: random.Random) -> None:
        self._providers, self._life, self._chance = providers, life, chance
        self._under_way: set[asyncio.Task[None]] = set()
        for provider in providers.values():
            provider.wire.cut = self._cut

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path}"
        await self._life.awake()
        self._life.cross(f"{name}, before")
        visit = _Visit(request, await request.aread())
        await asyncio.sleep(self._chance.uniform(QUICK_S, SLOW_S))
        if self._life.over:
            raise Killed
        client = ("192.0.2.1", id(visit))
        self._visits[client] = visit
        provider = self._providers[request.url.port or 0]
        task = asyncio.create_task(self._attend(provider, visit, _scope(request, client)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            response = await asyncio.shield(visit.answer)
            await asyncio.sleep(self._chance.uniform(QUICK_S, SLOW_S))
        finally:
            visit.left.set()
        await self._life.awake()
        self._life.cross(f"{name}, after")
        return response

    async def _attend(self, provider: Simulator, visit: _Visit, scope: dict[str, Any]) -> None:
        await provider.app(scope, visit.receive, visit.send)  # type: ignore[arg-type]

    def _cut(self, client: Any) -> None:
        self._visits[client].cut()


class Doorway(httpx.AsyncBaseTransport):
    """The way of webhook calls to us; ``open`` answers who takes them in, None while nobody does."""

    def __init__(self, open_: Callable[[], tuple[Intake, Life] | None], chance: random.Random) -> None:
        self._open, self._chance = open_, chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._chance.uniform(QUICK_S, SLOW_S))
        inside = self._open()
        if inside is None:
            raise httpx.ConnectError("nobody listens", request=request)
        intake, life = inside
        _, _, connection, key = request.url.path.split("/")
        try:
            async with asyncio.timeout(PATIENCE_S):
                reply = await intake.take_in(connection, key, dict(request.headers), await request.aread())
        except StoreError:
            return httpx.Response(503)
        except (Killed, TimeoutError):
            raise httpx.ReadError("no answer", request=request) from None
        if life.over:
            raise httpx.ReadError("the process was killed", request=request)
        return httpx.Response(reply.status, headers=dict(reply.headers), text=reply.text)


def _scope(request: httpx.Request, client: tuple[str, int]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": client,
        "server": (request.url.host, request.url.port),
        "state": {},
    }
