"""The outbound client: its own host only, deadlines, redirects, no cookies, no secrets, no repetition."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeAlias

import httpx
import pytest

from connectors.answers import Answer
from connectors.egress import Egress
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    PauseConnection,
    ReplanNeeded,
    RetryLater,
)
from connectors.http import Outbound
from connectors.limits import Gate, LocalGate, OpenGate
from connectors.stamps import stamped

SECRET = "s3cret-token"
Reply: TypeAlias = Callable[[httpx.Request], httpx.Response]


def outbound(
    reply: Reply, *, gate: Gate | None = None, base_url: str = "https://api.example.com/v1"
) -> Outbound:
    return Outbound(base_url, gate=gate or OpenGate(), allow=Egress(), transport=httpx.MockTransport(reply))


def answering(status: int = 200, data: Any = None, **headers: str) -> Reply:
    content = b"" if data is None else json.dumps(data).encode()
    return lambda request: httpx.Response(status, content=content, headers=headers)


async def raised(out: Outbound, method: str, path: str = "/x", **options: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await out.send(method, path, **options)
    return caught.value


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_session_that_was_replaced_sends_nothing_and_says_so(method: str) -> None:
    out = outbound(answering())
    await out.aclose()
    error = await raised(out, method)
    assert isinstance(error, RetryLater)
    assert "opened anew" in error.reason


# addresses


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/tasks", "https://api.example.com/v1/tasks"),
        ("tasks?a=1", "https://api.example.com/v1/tasks?a=1"),
        ("/find?url=https://x.example/", "https://api.example.com/v1/find?url=https://x.example/"),
        ("https://api.example.com/v1/tasks?page=2", "https://api.example.com/v1/tasks?page=2"),
        ("https://API.example.com:443/other", "https://api.example.com/other"),
        ("//evil.example/x", "https://api.example.com/v1/evil.example/x"),
    ],
)
async def test_paths(path: str, url: str) -> None:
    seen: list[str] = []
    out = outbound(lambda request: seen.append(str(request.url)) or httpx.Response(204))  # type: ignore[func-returns-value]
    await out.send("GET", path)
    assert seen == [url]


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/v1/tasks",
        "http://api.example.com/v1/tasks",
        "https://api.example.com:8443/v1/tasks",
        "https://user:pass@api.example.com/v1/tasks",
        "https://api.example.com.evil.example/",
        "https://api.example.com:port/",
        "https://api.example.com/\x01",
    ],
)
async def test_other_hosts_are_refused(path: str) -> None:
    out = outbound(lambda request: pytest.fail("sent"))
    assert isinstance(await raised(out, "GET", path), Park)


@pytest.mark.parametrize(
    "base_url", ["ftp://example.com", "example.com", "https://u:p@example.com", "https://"]
)
def test_odd_base_urls_are_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Outbound(base_url, gate=OpenGate(), allow=Egress())


# what a call carries


async def test_headers_query_and_body() -> None:
    seen: list[httpx.Request] = []
    out = outbound(lambda request: seen.append(request) or httpx.Response(204)).authorised(  # type: ignore[func-returns-value]
        {"Authorization": f"Bearer {SECRET}", "Accept": "application/vnd.x+json"}, secrets=[SECRET]
    )
    await out.send(
        "POST", "/x", params={"a": 1, "b": None, "c": True}, json={"t": "é\ud83d"}, headers={"If-Match": "7"}
    )
    (request,) = seen
    assert str(request.url) == "https://api.example.com/v1/x?a=1&c=true"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers.get_list("accept") == ["application/vnd.x+json"]
    assert request.headers["if-match"] == "7"
    assert json.loads(request.content) == {"t": "é\ud83d"}


async def test_only_writes_are_stamped() -> None:
    agents: list[str] = []
    out = outbound(lambda request: agents.append(request.headers["user-agent"]) or httpx.Response(204))  # type: ignore[func-returns-value]
    with stamped("W1", "M1@3"):
        await out.send("GET", "/x")
        await out.send("PATCH", "/x", json={})
    await out.send("POST", "/x", json={})
    assert agents == ["asana-sync/0", "asana-sync/0 (write=W1; mapping=M1@3)", "asana-sync/0"]


async def test_no_cookie_is_sent_back() -> None:
    seen: list[httpx.Headers] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(204, headers={"set-cookie": "session=1; Path=/"})

    out = outbound(reply)
    await out.send("GET", "/a")
    await out.send("GET", "/b")
    assert all("cookie" not in headers for headers in seen)


@pytest.mark.parametrize("token", ["two\nlines", "späce", "nul\0"])
async def test_a_token_that_fits_no_header_is_told_without_showing_it(token: str) -> None:
    with pytest.raises(PauseConnection) as caught:
        outbound(answering()).authorised({"Authorization": f"Bearer {token}"}, secrets=[token])
    assert token not in str(caught.value)


# answers


async def test_an_answer() -> None:
    out = outbound(answering(201, {"id": 1}, **{"X-Thing": "v"}))
    answer = await out.send("POST", "/x", json={})
    assert (answer.status, answer.data, answer.headers["x-thing"]) == (201, {"id": 1}, "v")


async def test_accepted_statuses_are_answers() -> None:
    for status in (304, 404, 301):
        out = outbound(answering(status, location="/elsewhere"))
        assert (await out.send("GET", "/x", accept=(status,))).status == status


async def test_garbage() -> None:
    out = outbound(lambda request: httpx.Response(200, content=b"<html>"))
    assert isinstance(await raised(out, "GET"), RetryLater)
    assert isinstance(await raised(out, "POST"), OutcomeUnknown)


async def test_an_error_need_not_be_json() -> None:
    out = outbound(lambda request: httpx.Response(403, content=b"<html>Sorry"))
    error = await raised(out, "POST")
    assert isinstance(error, Park)
    assert (error.status, error.provider_message) == (403, "")


async def test_an_answer_without_end_is_cut() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000_000

    out = outbound(lambda request: httpx.Response(200, content=endless()))
    assert isinstance(await raised(out, "GET"), RetryLater)


async def test_messages_carry_no_secret() -> None:
    out = outbound(answering(422, {"message": f"Bad {SECRET} and ghp_{'a' * 36}"})).authorised(
        {}, secrets=[SECRET]
    )
    error = await raised(out, "POST")
    assert error.provider_message == "Bad [redacted] and [redacted]"
    assert SECRET not in f"{error!r} {error} {error.reason}"


async def test_a_connector_may_read_errors_in_its_own_way() -> None:
    def classify(answer: Answer, write: bool) -> ConnectorError | None:
        return ReplanNeeded(f"{answer.data} {SECRET}") if answer.status == 409 and write else None

    out = outbound(answering(409, "moved")).authorised({}, secrets=[SECRET], classify=classify)
    error = await raised(out, "POST")
    assert isinstance(error, ReplanNeeded)
    assert str(error) == "moved [redacted]"
    assert isinstance(await raised(out, "GET"), Park)


async def test_quota_and_clock_are_seen_by_every_twin() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    out = outbound(answering(204, Date=date, **{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "7"}))
    assert (out.quota, out.clock_offset_s) == (None, None)
    twin = out.authorised({}, secrets=[])
    await twin.send("GET", "/x")
    assert out.quota is not None
    assert (out.quota.limit, out.quota.remaining) == (60, 7)
    assert out.clock_offset_s == pytest.approx(600, abs=2)


# limits


@pytest.mark.parametrize(
    ("status", "headers", "held"),
    [(429, {"retry-after": "20"}, 20), (429, {}, 60), (503, {"retry-after": "30"}, 30)],
)
async def test_a_limit_holds_everybody(status: int, headers: dict[str, str], held: float) -> None:
    for method in ("GET", "POST"):
        out = outbound(answering(status, **headers), gate=LocalGate(1, 1))
        await raised(out, method)
        for other in ("GET", "DELETE"):
            error = await raised(out, other)
            assert isinstance(error, RetryLater)
            assert error.limited
            assert error.after == pytest.approx(held, abs=1)


async def test_waiting_for_the_gate_ends_with_the_deadline() -> None:
    gate = LocalGate(1, 1)
    out = Outbound(
        "https://api.example.com",
        gate=gate,
        allow=Egress(),
        timeout_s=0.05,
        transport=httpx.MockTransport(answering()),
    )
    async with gate.slot(write=True):
        assert isinstance(await raised(out, "POST"), RetryLater)


# redirects


def _redirecting(status: int, location: str) -> Reply:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/x":
            return httpx.Response(status, headers={"location": location})
        sent = {"method": request.method, "path": request.url.path, "body": request.content.decode()}
        return httpx.Response(200, json={**sent, "authorization": request.headers.get("authorization")})

    return reply


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_reads_follow_on_the_same_host(status: int) -> None:
    for location in ("/v1/y", "y", "https://api.example.com/v1/y"):
        out = outbound(_redirecting(status, location)).authorised({"Authorization": "Bearer t"}, secrets=[])
        answer = await out.send("GET", "/x")
        assert (answer.data["path"], answer.data["authorization"]) == ("/v1/y", "Bearer t")


@pytest.mark.parametrize("status", [307, 308])
async def test_writes_follow_with_method_and_body(status: int) -> None:
    answer = await outbound(_redirecting(status, "/v1/y")).send("PATCH", "/x", json={"a": 1})
    assert (answer.data["method"], answer.data["path"], answer.data["body"]) == ("PATCH", "/v1/y", '{"a": 1}')


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_writes_never_turn_into_reads(status: int) -> None:
    assert isinstance(await raised(outbound(_redirecting(status, "/v1/y")), "POST"), Park)


@pytest.mark.parametrize(
    "location", ["https://evil.example/", "//evil.example/", "http://api.example.com/v1/y"]
)
async def test_no_redirect_leaves_the_host(location: str) -> None:
    for method in ("GET", "POST"):
        assert isinstance(await raised(outbound(_redirecting(307, location)), method), Park)


async def test_redirects_in_a_circle() -> None:
    asked: list[str] = []
    out = outbound(lambda request: asked.append("") or httpx.Response(302, headers={"location": "/v1/x"}))  # type: ignore[func-returns-value]
    assert isinstance(await raised(out, "GET"), Park)
    assert len(asked) == 6
