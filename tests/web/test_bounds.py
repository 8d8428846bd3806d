"""What strangers may send: how much, how slowly, and how strangely."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
import pytest

from sync.web.hardening import HEADERS
from sync.web.limits import MAX_BODY
from tests.web.conftest import KEYS, Serve, Web, found

PATH = f"/webhooks/github/{KEYS['github']}"
SMALL = 64 * 1024


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 8192):
        yield b"x" * 8192


async def test_the_limit_is_what_github_may_send() -> None:
    assert MAX_BODY == 25 * 1024 * 1024


async def test_too_large_by_the_header(web: Web) -> None:
    answer = await raw(web, f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_too_large_without_saying_so(serve: Serve) -> None:
    async with serve(max_body=SMALL) as web:
        await found(web)
        answer = await web.http.post(PATH, content=chunks(SMALL * 4))
        assert answer.status_code == 413
        assert (await web.http.post(PATH, content=chunks(SMALL // 2))).status_code == 401
        assert await web.deliveries() == []


async def test_what_is_large_but_allowed_is_read(web: Web) -> None:
    answer = await web.github("ping", b'{"zen": "' + b"z" * (MAX_BODY // 2) + b'"}')
    assert answer.status_code == 200


async def test_a_slow_body_is_given_up(serve: Serve) -> None:
    async with serve(body_seconds=0.2) as web:
        await found(web)
        answer = await raw(web, f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_caller_that_goes_away_leaves_nothing(serve: Serve) -> None:
    async with serve() as web:
        await found(web)
        host, port = web.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc".encode())
        await writer.drain()
        writer.close()
        assert (await web.http.get("/livez")).status_code == 200
        assert await web.deliveries() == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/v1/status",
        "/api/v1/links",
        "/nowhere",
        "/openapi.json",
        PATH,
    ],
)
async def test_every_answer_carries_the_security_headers(web: Web, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = await web.http.request(method, path)
        assert answer.status_code < 500
        assert HEADERS.items() <= dict(answer.headers).items()
        assert "server" not in answer.headers


async def test_an_error_of_ours_carries_them_too_and_tells_nothing(serve: Serve) -> None:
    async with serve() as web:
        async with web.engine.database.write() as session:
            await (await session.connection()).exec_driver_sql("DROP TABLE delivery")
        answer = await web.http.get("/api/v1/deliveries")
        assert answer.status_code == 500
        assert "delivery" not in answer.text
        assert HEADERS.items() <= dict(answer.headers).items()


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 200]
HOSTS = [
    "localhost",
    "",
    "evil.example",
    "a b",
    "[::1",
    "127.0.0.1:99999",
    "x" * 3000,
    "\u00fc",
    "%00",
    "h:h:h",
]
PATHS = [
    "/",
    "//",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/api/v1/links?limit=0",
    "/api/v1/links?limit=x",
    "/api/v1/links?after=99999999999999999999999",
    "/api/v1/links?after=-1",
    "/api/v1/links?mapping=%00",
    "/api/v1/links?mapping='--",
    "/api/v1/status?" + "a=b&" * 500,
    PATH,
    f"{PATH}/",
    "/webhooks//",
    "/%ff%fe",
    "*",
]


async def test_strange_requests_are_never_an_error_of_ours(web: Web) -> None:
    chance = random.Random(20260501)
    for _ in range(150):
        method, path, host = chance.choice(METHODS), chance.choice(PATHS), chance.choice(HOSTS)
        headers = chance.choice(
            ["", "Content-Length: 0\r\n", "Cookie: " + "c" * 4000 + "\r\n", "X: \x07\r\n"]
        )
        text = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        answer = await raw(web, text)
        assert not answer.startswith(b"HTTP/1.1 5"), (text, answer[:200])
    assert (await web.http.get("/livez")).status_code == 200


async def raw(web: Web, request: str) -> bytes:
    """What the server answers to these very bytes; empty where it hangs up."""
    host, port = web.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.encode("utf-8"))
        async with asyncio.timeout(10):
            return await reader.read(4096)
    except (ConnectionError, httpx.HTTPError):
        return b""
    finally:
        writer.close()
