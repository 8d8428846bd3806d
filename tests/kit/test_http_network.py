"""The outbound client on a real network: what goes wrong on the way, and where it connects to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeAlias

import httpx
import pytest

from connectors.egress import Egress
from connectors.errors import ConnectorError, OutcomeUnknown, PauseConnection, RetryLater
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.stamps import stamped

LOOPBACK = Egress(["127.0.0.1"])
Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[str]:
    """A raw server on loopback; gives its URL."""

    talks: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
    await asyncio.gather(*filter(None, talks))


async def raised(out: Outbound, method: str, path: str = "/x", **options: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await out.send(method, path, **options)
    return caught.value


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


async def _half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
    await writer.drain()


async def _dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


def _json(body: bytes, heard: list[bytes] | None = None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.append(request)
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()

    return talk


def _kept_alive(heard: list[bytes]) -> Talk:
    """Answers request after request on one connection; what is heard comes in pieces, as it was sent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heard.append((await reader.readuntil(b"\r\n\r\n")).split()[1])
            heard.append(await reader.readexactly(2))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()

    return talk


class _Sleepy(httpx.AsyncBaseTransport):
    """The process is stopped, as by SIGSTOP, when a request gets to ``stage``, httpcore's name."""

    def __init__(self, stage: str) -> None:
        self.stage, self.awake = stage, True
        self._wire = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        watch = request.extensions["trace"]

        async def trace(event: str, info: object) -> None:
            if event == f"http11.{self.stage}" and not self.awake:
                time.sleep(0.5)  # noqa: ASYNC251 -- nothing else runs meanwhile
            await watch(event, info)

        request.extensions = {**request.extensions, "trace": trace}
        return await self._wire.handle_async_request(request)

    async def aclose(self) -> None:
        await self._wire.aclose()


def _network(url: str) -> AbstractAsyncContextManager[Outbound]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Outbound]:
        out = Outbound(url, gate=OpenGate(), allow=LOOPBACK, timeout_s=0.3)
        try:
            yield out
        finally:
            await out.aclose()

    return opened()


@pytest.mark.parametrize("talk", [_silent, _cut, _half, _dripping])
async def test_what_goes_wrong_on_the_way(talk: Talk) -> None:
    async with listening(talk) as url, _network(url) as out:
        start = asyncio.get_running_loop().time()
        assert isinstance(await raised(out, "GET"), RetryLater)
        assert isinstance(await raised(out, "POST", json={}), OutcomeUnknown)
        assert asyncio.get_running_loop().time() - start < 2


async def test_what_was_never_sent_is_tried_later() -> None:
    async with listening(_silent) as url:
        pass
    async with _network(url) as out:
        for method in ("GET", "POST"):
            assert isinstance(await raised(out, method), RetryLater)


async def test_a_name_without_address_is_tried_later() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    out = Outbound("https://gone.example", gate=OpenGate(), allow=Egress(resolve=resolve))
    assert isinstance(await raised(out, "POST"), RetryLater)
    await out.aclose()


async def test_internal_addresses_are_refused_unless_listed() -> None:
    async with listening(_json(b"{}")) as url:
        for allow, refused in (
            (Egress(), True),
            (LOOPBACK, False),
            (Egress([url.removeprefix("http://")]), False),
        ):
            out = Outbound(url, gate=OpenGate(), allow=allow)
            if refused:
                assert isinstance(await raised(out, "POST"), PauseConnection)
            else:
                assert (await out.send("GET", "/")).data == {}
            await out.aclose()


async def test_the_checked_address_is_used_and_the_name_kept() -> None:
    heard: list[bytes] = []

    async def resolve(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]  # nobody listens on the first

    async with listening(_json(b"{}", heard)) as url:
        port = url.rpartition(":")[2]
        out = Outbound(
            f"http://ghe.example.com:{port}",
            gate=OpenGate(),
            allow=Egress(["ghe.example.com"], resolve=resolve),
        )
        await out.send("GET", "/")
        await out.aclose()
    assert f"host: ghe.example.com:{port}".encode() in heard[0].lower()


async def test_a_process_that_slept_after_its_permit_sends_nothing() -> None:
    heard: list[bytes] = []

    async def asleep() -> None:
        time.sleep(0.5)  # noqa: ASYNC251 -- as SIGSTOP does: nothing else runs meanwhile

    async with listening(_json(b"{}", heard)) as url, _network(url) as out:
        with stamped("W1", "M1@3", asleep), pytest.raises((RetryLater, OutcomeUnknown)):
            await out.send("POST", "/late", json={})
        await asyncio.sleep(0.1)
        assert heard == []
        with stamped("W2", "M1@3"):
            await out.send("POST", "/in-time", json={})
        assert len(heard) == 1


@pytest.mark.parametrize(
    ("stage", "sent"),
    [("send_request_headers.started", []), ("send_request_body.started", [b"/late"])],
)
async def test_a_process_that_slept_while_it_was_sending_sends_no_more(stage: str, sent: list[bytes]) -> None:
    """The timers of a process that goes on are late by one step: it must look at the clock itself."""
    heard: list[bytes] = []
    sleepy = _Sleepy(stage)
    async with listening(_kept_alive(heard)) as url:
        out = Outbound(url, gate=OpenGate(), allow=LOOPBACK, timeout_s=0.3, transport=sleepy)
        await out.send("POST", "/before", json={})
        heard.clear()
        sleepy.awake = False
        assert isinstance(await raised(out, "POST", "/late", json={}), OutcomeUnknown)
        await asyncio.sleep(0.1)
        assert heard == sent, "no request came whole"
        sleepy.awake = True
        await out.send("POST", "/after", json={})
        assert heard[-2:] == [b"/after", b"{}"]
        await out.aclose()
