"""Files through the outbound client: whom it asks, what it tells them, how much it takes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any, TypeAlias

import httpx
import pytest

from connectors.egress import Egress
from connectors.errors import ConnectorError, OnlyLinked, OutcomeUnknown, Park, ParkClass, RetryLater
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.stamps import stamped

SECRET = "s3cret-token"
BYTES = bytes(range(256)) * 10
STORAGE = "https://storage.example.net/f?key=permission"
Reply: TypeAlias = Callable[[httpx.Request], httpx.Response]


class Wire:
    """Answers by URL without its query; keeps what was asked."""

    def __init__(self, answers: dict[str, httpx.Response | Exception]) -> None:
        self.answers = answers
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers[str(request.url).partition("?")[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def outbound(self, gate: OpenGate | None = None) -> Outbound:
        out = Outbound(
            "https://api.example.com/v1",
            gate=gate or OpenGate(),
            allow=Egress(),
            transport=httpx.MockTransport(self),
        )
        return out.authorised({"authorization": f"Bearer {SECRET}"}, secrets=[SECRET])

    def tokens(self) -> list[bool]:
        """To whom the credentials went, in order."""
        return ["authorization" in request.headers for request in self.asked]


def found(content: bytes = BYTES, **headers: str) -> httpx.Response:
    return httpx.Response(200, content=content, headers={"content-type": "Image/PNG; x=y", **headers})


def leading_to(url: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": url})


async def refused(wire: Wire, address: str = "/file", **options: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await wire.outbound().download(address, BytesIO(), **{"limit": 10_000, **options})
    assert SECRET not in str(caught.value)
    assert "permission" not in str(caught.value)
    return caught.value


async def test_bytes_with_what_they_are() -> None:
    wire, into = Wire({"https://api.example.com/v1/file": found()}), BytesIO()
    content = await wire.outbound().download("/file", into, limit=len(BYTES))
    assert into.getvalue() == BYTES
    assert (content.size, content.sha256) == (len(BYTES), hashlib.sha256(BYTES).hexdigest())
    assert content.media_type == "image/png"


async def test_credentials_stay_with_the_provider() -> None:
    wire = Wire(
        {
            "https://www.example.com/file": leading_to(STORAGE),
            STORAGE.partition("?")[0]: found(),
        }
    )
    await wire.outbound().download(
        "https://www.example.com/file",
        BytesIO(),
        limit=10_000,
        hosts=["example.net"],
        trusted="https://www.example.com",
    )
    assert wire.tokens() == [True, False]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_storage_that_refuses_may_take_the_next_permission(status: int) -> None:
    """An address that we were led to is good for some minutes; one that was named is refused for good."""
    storage = STORAGE.partition("?")[0]
    wire = Wire({"https://api.example.com/v1/file": leading_to(STORAGE), storage: httpx.Response(status)})
    assert isinstance(await refused(wire, hosts=["example.net"]), RetryLater)
    assert isinstance(await refused(wire, storage, hosts=["example.net"]), Park)


@pytest.mark.parametrize(
    "address",
    [
        "https://storage.example.org/f",
        "https://example.net.evil.example/f",
        "https://evilexample.net/f",
        "http://storage.example.net/f",
        "https://user:word@api.example.com/f",
        "http://api.example.com/v1/f",
        "ftp://api.example.com/f",
    ],
)
@pytest.mark.parametrize("first", [True, False])
async def test_other_hosts_are_not_asked(address: str, first: bool) -> None:
    wire = Wire({"https://api.example.com/v1/file": leading_to(address)})
    error = await refused(wire, address if first else "/file", hosts=["example.net"])
    assert isinstance(error, Park)
    assert error.park_class is ParkClass.PERMISSION
    assert len(wire.asked) == (0 if first else 1)


async def test_a_host_inside_the_network_is_not_reached_and_pauses_nothing() -> None:
    out = Outbound("https://api.example.com", gate=OpenGate(), allow=Egress())
    try:
        with pytest.raises(Park):
            await out.download("https://127.0.0.1/f", BytesIO(), limit=1, hosts=["127.0.0.1"])
    finally:
        await out.aclose()


async def test_a_circle_ends() -> None:
    wire = Wire({"https://api.example.com/v1/file": leading_to("/v1/file")})
    assert isinstance(await refused(wire), Park)
    assert len(wire.asked) == 6


@pytest.mark.parametrize("told", [True, False])
async def test_too_much_is_only_linked(told: bool) -> None:
    async def parts() -> Any:
        for at in range(0, len(BYTES), 100):
            yield BYTES[at : at + 100]

    answer = found() if told else httpx.Response(200, content=parts())
    error = await refused(Wire({"https://api.example.com/v1/file": answer}), limit=len(BYTES) - 1)
    assert isinstance(error, OnlyLinked)


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (httpx.Response(401), Park),
        (httpx.Response(403), Park),
        (httpx.Response(404), Park),
        (httpx.Response(410), Park),
        (httpx.Response(408), RetryLater),
        (httpx.Response(429, headers={"retry-after": "7"}), RetryLater),
        (httpx.Response(503), RetryLater),
        (httpx.ReadError("cut"), RetryLater),
        (httpx.ReadTimeout("slow"), RetryLater),
    ],
)
async def test_what_a_refusal_means(
    answer: httpx.Response | Exception, error_type: type[ConnectorError]
) -> None:
    """A storage that refuses us says nothing about the connection."""
    error = await refused(Wire({"https://api.example.com/v1/file": answer}))
    assert type(error) is error_type


async def test_a_form_with_a_file() -> None:
    wire = Wire({"https://api.example.com/v1/files": httpx.Response(201, json={"id": 1})})
    answer = await wire.outbound().upload(
        "files", {"parent": "7"}, file=("file", "Größe.txt", BytesIO(b"text"), "text/plain")
    )
    assert answer.data == {"id": 1}
    (request,) = wire.asked
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    body = request.content
    assert b'name="parent"\r\n\r\n7\r\n' in body
    assert b'filename="Gr%C3%B6%C3%9Fe.txt"' in body
    assert b"text/plain" in body


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (httpx.Response(413), Park),
        (httpx.Response(307, headers={"location": "/v1/other"}), Park),
        (httpx.Response(502), OutcomeUnknown),
        (httpx.Response(200, text="<html>"), OutcomeUnknown),
        (httpx.ReadError("cut"), OutcomeUnknown),
        (httpx.ConnectError("no"), RetryLater),
    ],
)
async def test_what_a_refused_form_means(
    answer: httpx.Response | Exception, error_type: type[ConnectorError]
) -> None:
    wire = Wire({"https://api.example.com/v1/files": answer})
    with pytest.raises(error_type):
        await wire.outbound().upload("files", {}, file=("file", "a", BytesIO(b"1"), "text/plain"))
    assert len(wire.asked) == 1


class Slow(httpx.AsyncBaseTransport):
    """Answers after a while."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2)
        return httpx.Response(201, json={})


DEPOT = "https://files.example.net/upload/1"


class HeldGate(OpenGate):
    """Keeps for how long it was held."""

    def __init__(self) -> None:
        self.held: list[float] = []

    async def hold(self, seconds: float) -> None:
        self.held.append(seconds)


async def deposited(
    wire: Wire, address: str = f"{DEPOT}?key=permission", gate: OpenGate | None = None
) -> str:
    file = ("Größe.txt", BytesIO(b"text"), "text/plain")
    return await wire.outbound(gate).deposit(address, file, trusted="https://files.example.net")


async def test_no_credentials_go_to_an_address_that_is_the_permission() -> None:
    wire = Wire({DEPOT: httpx.Response(200, text="OK - 4")})
    assert await deposited(wire) == "OK - 4"
    assert wire.tokens() == [False]
    assert b'filename="Gr%C3%B6%C3%9Fe.txt"' in wire.asked[0].content


@pytest.mark.parametrize("address", ["https://files.example.net:8443/1", STORAGE, "http://files.example.net"])
async def test_files_are_deposited_where_the_provider_is_and_nowhere_else(address: str) -> None:
    wire = Wire({})
    with pytest.raises(Park, match="not sent to"):
        await deposited(wire, address)
    assert wire.asked == []


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (httpx.Response(413), Park),
        (httpx.Response(307, headers={"location": "/other"}), Park),
        (httpx.Response(429), RetryLater),
        (httpx.Response(502), RetryLater),
        (httpx.ReadError("cut"), RetryLater),
    ],
)
async def test_what_a_refused_deposit_means(
    answer: httpx.Response | Exception, error_type: type[ConnectorError]
) -> None:
    """Nobody sees the file before another call shows it: it may be sent again."""
    wire = Wire({DEPOT: answer})
    with pytest.raises(error_type):
        await deposited(wire)
    assert len(wire.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_who_takes_files_may_ask_for_silence(status: int) -> None:
    gate = HeldGate()
    wire = Wire({DEPOT: httpx.Response(status, headers={"retry-after": "30"})})
    with pytest.raises(RetryLater) as refused:
        await deposited(wire, gate=gate)
    assert (refused.value.after, refused.value.limited, gate.held) == (30, True, [30])


async def test_a_deposit_is_a_write_that_needs_its_permit() -> None:
    async def denied() -> None:
        raise RetryLater("the lease is over")

    wire = Wire({DEPOT: httpx.Response(200)})
    with stamped("1", "web@1", denied), pytest.raises(RetryLater, match="lease"):
        await deposited(wire)
    assert wire.asked == []


@pytest.mark.parametrize("way", ["upload", "deposit"])
@pytest.mark.parametrize(("size", "arrives"), [(10, False), (1_000_000, True)])
async def test_the_deadline_of_a_file_grows_with_it(size: int, arrives: bool, way: str) -> None:
    """A second for each half a megabyte."""
    out = Outbound(
        "https://api.example.com/v1", gate=OpenGate(), allow=Egress(), transport=Slow(), timeout_s=0.1
    )
    file = ("f.bin", BytesIO(bytes(size)), "text/plain")
    sending: Awaitable[object] = (
        out.upload("files", {}, file=("file", *file))
        if way == "upload"
        else out.deposit("https://api.example.com/presigned", file)
    )
    if arrives:
        assert await sending
        return
    with pytest.raises((OutcomeUnknown, RetryLater), match=r"in 0\.1"):
        await sending
