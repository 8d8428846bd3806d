"""The network in front of a simulated provider: request journal, faults, serving over loopback."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from connectors.simulation import Simulator

FaultKind: TypeAlias = Literal[
    "400",
    "402",
    "403",
    "404",
    "422",
    "429",
    "500",
    "502",
    "503",
    "timeout_before",
    "timeout_after",
    "reset_before",
    "reset_after",
    "garbage",
    "slow",
]


class Refused(Exception):
    """An answer that is an error in the provider's own shape; see :meth:`Simulator.refusal`."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.extra = extra
        """Further top-level keys of the answer."""


@dataclass(kw_only=True)
class Fault:
    """One planned failure of the next matching requests.

    A status: refused, nothing done. ``timeout_before``/``timeout_after``: never answered; nothing
    done / done. ``reset_before``/``reset_after``: the connection is cut; nothing done / done.
    ``garbage``: done, answered 200 with HTML. ``slow``: done, answered after ``seconds``.
    """

    kind: FaultKind
    method: str | None = None
    path: str | None = None
    """Regular expression, searched in the path."""
    times: int | None = 1
    """None: for ever."""
    retry_after: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(get_args(FaultKind))}")

    def refused(self) -> Refused:
        """The answer of the kinds that are a status."""
        wait = self.retry_after if self.retry_after is not None else 1 if self.kind == "429" else None
        headers = {"Retry-After": f"{wait:g}"} if wait is not None else {}
        return Refused(int(self.kind), "This request was made to fail", headers)

    def matches(self, method: str, path: str) -> bool:
        return (
            self.times != 0
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or re.search(self.path, path) is not None)
        )


class Faults:
    """The failure schedule: the first fault that matches a request acts on it."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self.planned.append(fault)
        return fault

    def clear(self) -> None:
        self.planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self.planned:
            if fault.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


@dataclass(eq=False)
class Exchange:
    """One request and what became of it. Times are real UTC, without the simulator's skew."""

    at: datetime
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    """Lower-case names; not in the repr, for they carry credentials."""
    body: Any = None
    status: int = 0
    """What the client was sent; 0: no answer (yet)."""
    answer: Any = None
    """What the provider answered, also where it never reached the client."""
    provider_status: int = 0
    """The status of the provider's own answer; 0: there is none, or a fault was answered in its place."""
    fault: FaultKind | None = None
    """The fault that acted on it."""
    until: datetime | None = None
    """When it ended; None: still in flight."""
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    """Of what the client was sent, lower-case names."""
    committed: bool = False
    """A write that the provider did, whether or not the client learnt it."""


class Journal(list[Exchange]):
    """Every request, also the refused ones, in order of arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.open: set[Exchange] = set()
        """Those in flight."""
        self.keep: int | None = None
        """Only the newest so many are kept, for long runs; None: all."""

    def begin(self, exchange: Exchange) -> None:
        self.append(exchange)
        self.open.add(exchange)
        if self.keep is not None:
            del self[: -self.keep]

    def end(self, exchange: Exchange) -> None:
        self.open.discard(exchange)
        exchange.until = datetime.now(UTC)

    def writes(self) -> list[Exchange]:
        """What changed something: not GET or HEAD, and the provider did it."""
        return [exchange for exchange in self if exchange.committed]

    def by(self, method: str, path: str) -> list[Exchange]:
        """Requests of this method whose path contains the regular expression."""
        return [e for e in self if e.method == method.upper() and re.search(path, e.path)]


class Wire:
    """The network in front of a provider: journal, limits, faults, the Date header."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.cut: Callable[[Any], None] | None = None
        """Cuts the TCP connection of a client address; set while served."""
        self._provider = Starlette(
            routes=simulator.routes(),
            exception_handlers={Refused: self._refuse, HTTPException: self._unknown},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            raw = await request.body()
        except ClientDisconnect:
            return
        exchange = Exchange(
            at=datetime.now(UTC),
            method=request.method,
            path=request.url.path,
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=_parsed(raw),
        )
        journal = self.simulator.journal
        journal.begin(exchange)
        try:
            response = await self._outcome(exchange, scope, raw, receive)
            if response is not None:
                exchange.status = response.status_code
                response.headers["Date"] = format_datetime(self.simulator.clock.now(), usegmt=True)
                exchange.answer_headers = dict(response.headers)
                await response(scope, receive, send)
        finally:
            journal.end(exchange)

    async def _outcome(
        self, exchange: Exchange, scope: Scope, raw: bytes, receive: Receive
    ) -> Response | None:
        """What the client gets; None: nothing at all."""
        refused = self.simulator.admission(exchange)
        if refused is not None:
            exchange.provider_status = refused.status
            return self._refusal(exchange, refused)
        fault = self.simulator.faults.take(exchange.method, exchange.path)
        if fault is None:
            return await self._execute(exchange, scope, raw)
        exchange.fault = fault.kind
        if fault.kind.isdecimal():
            return self._refusal(exchange, fault.refused())
        response = None
        if not fault.kind.endswith("_before"):
            response = await self._execute(exchange, scope, raw)
        if fault.kind == "garbage":
            return Response("<!doctype html><title>Please wait</title>", media_type="text/html")
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds if fault.seconds is not None else 1.0)
            return response
        if fault.kind.startswith("reset"):
            if self.cut is None:
                raise ConnectionResetError("connection cut")
            self.cut(scope["client"])
        while (await receive())["type"] != "http.disconnect":
            pass
        return None

    async def _execute(self, exchange: Exchange, scope: Scope, raw: bytes) -> Response:
        started: Message = {}
        body = bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            body.extend(message.get("body", b""))

        await self._provider(dict(scope), receive, send)
        response = Response(bytes(body), status_code=started["status"])
        response.raw_headers = list(started["headers"])
        exchange.answer, exchange.provider_status = _parsed(bytes(body)), started["status"]
        exchange.committed = self.simulator.did(exchange)
        return response

    def _refusal(self, exchange: Exchange, refused: Refused) -> Response:
        exchange.answer = self.simulator.refusal(refused)
        return JSONResponse(exchange.answer, refused.status, refused.headers)

    async def _refuse(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return JSONResponse(self.simulator.refusal(error), error.status, error.headers)

    async def _unknown(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await self._refuse(request, Refused(error.status_code, error.detail))


class _Server(uvicorn.Server):
    """uvicorn that leaves signals alone, tells when it is ready and stops without waiting for clients."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                http="httptools",
                ws="none",
                lifespan="off",
                proxy_headers=False,
                date_header=False,
                server_header=False,
            )
        )
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.stop.wait()
        self.cut()

    def cut(self, client: Any = None) -> None:
        """Reset the connection of this client address; None: of all clients."""
        for connection in tuple(self.server_state.connections):
            transport: asyncio.Transport | None = connection.transport
            if transport is None or client not in (None, transport.get_extra_info("peername")):
                continue
            sock: socket.socket = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()


@asynccontextmanager
async def serve(simulator: Simulator, *, port: int = 0) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 in the running loop and give the base URL; port 0 takes a free one."""
    async with _serving(simulator.app, port) as (base_url, server):
        simulator.base_url, simulator.wire.cut = base_url, server.cut
        try:
            async with simulator.outbox.working():
                yield base_url
        finally:
            simulator.wire.cut = None


@asynccontextmanager
async def serve_app(app: ASGIApp, *, port: int = 0) -> AsyncIterator[str]:
    """The same for a bare application, such as the target of webhooks."""
    async with _serving(app, port) as (base_url, _):
        yield base_url


@asynccontextmanager
async def _serving(app: ASGIApp, port: int) -> AsyncIterator[tuple[str, _Server]]:
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it each answer takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        server = _Server(app)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.ready.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
        finally:
            server.stop.set()
            await serving


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode(errors="replace")
