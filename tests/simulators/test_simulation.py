"""The kit of the simulators: what the network does wrong, what is journaled, how webhooks go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.simulation import (
    Clock,
    Exchange,
    Fault,
    Lagging,
    Outgoing,
    RateLimit,
    Refused,
    Simulator,
    serve,
)
from connectors.simulation_network import FaultKind


class Notebook(Simulator):
    """A provider of one list of notes; also what is sent to ``/hook`` is answered as planned."""

    name = "notebook"
    people = {"ada": "ada@example.com", "bob": "bob@example.com", "bot": "bot@example.com"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, str] = {}
        self.hook_answers: list[int] = []
        self.hooked: list[bytes] = []
        self.reads_in_flight = 50
        self.arrived = asyncio.Event()

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/notes", self._list, methods=["GET"]),
            Route("/notes", self._add, methods=["POST"]),
            Route("/hook", self._hook, methods=["POST"]),
        ]

    def admission(self, exchange: Exchange) -> Refused | None:
        self.arrived.set()
        if len(self.journal.open) > self.reads_in_flight:
            return Refused(429, "too many at once", {"Retry-After": "2"})
        return None

    async def _list(self, request: Request) -> Response:
        if "token" not in request.headers.get("authorization", "token"):
            raise Refused(401, "who are you?")
        return JSONResponse(list(self.notes.values()))

    async def _add(self, request: Request) -> Response:
        return JSONResponse({"id": self.new("", title=(await request.json())["title"])}, 201)

    async def _hook(self, request: Request) -> Response:
        self.hooked.append(await request.body())
        return Response(status_code=self.hook_answers.pop(0) if self.hook_answers else 200)

    def connection(self, base_url: str) -> dict[str, Any]:
        return {"settings": {"base_url": base_url}, "credentials": {"token": "token"}}

    def new_container(self, name: str) -> str:
        return name

    def new(
        self, container: str, *, title: str, notes: str = "", by: str | None = None, **fields: Any
    ) -> str:
        key = str(len(self.notes))
        self.notes[key] = title
        return key

    def edit(self, object_id: str, *, by: str | None = None, **fields: Any) -> None:
        self.notes[object_id] = fields["title"]

    def comment(self, object_id: str, text: str, *, by: str | None = None) -> str:
        return object_id

    def edit_comment(self, comment_id: str, text: str) -> None: ...

    def delete_comment(self, comment_id: str) -> None: ...

    def remove(self, object_id: str, *, by: str | None = None) -> None:
        del self.notes[object_id]

    def view(self, object_id: str) -> dict[str, Any] | None:
        return {"title": self.notes[object_id]}

    def objects(self, container: str) -> list[str]:
        return list(self.notes)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
async def client(notebook: Notebook) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serve(notebook) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=0.3, trust_env=False, verify=False) as client,
    ):
        yield client


async def add(client: httpx.AsyncClient, title: str = "milk") -> httpx.Response:
    return await client.post("/notes", json={"title": title}, headers={"Authorization": "Bearer token"})


async def test_a_request_is_journaled_with_its_answer(notebook: Notebook, client: httpx.AsyncClient) -> None:
    await add(client)
    await client.get("/notes", params={"limit": "1"})

    write, read = notebook.journal
    assert (write.method, write.path, write.body, write.status, write.answer) == (
        "POST",
        "/notes",
        {"title": "milk"},
        201,
        {"id": "0"},
    )
    assert write.until is not None
    assert write.at <= write.until <= read.at
    assert read.query == {"limit": "1"}
    assert notebook.journal.writes() == [write]
    assert notebook.journal.by("get", "^/no") == [read]
    assert not notebook.journal.open


async def test_credentials_are_kept_but_not_shown(notebook: Notebook, client: httpx.AsyncClient) -> None:
    await add(client)

    (exchange,) = notebook.journal
    assert exchange.headers["authorization"] == "Bearer token"
    assert "Bearer" not in repr(exchange)


async def test_a_long_run_keeps_the_newest_requests(notebook: Notebook, client: httpx.AsyncClient) -> None:
    notebook.journal.keep = 2
    for number in range(4):
        await client.get("/notes", params={"number": number})

    assert [exchange.query["number"] for exchange in notebook.journal] == ["2", "3"]


async def test_a_request_that_breaks_off_leaves_no_trace(notebook: Notebook) -> None:
    async with serve(notebook) as base_url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(base_url.rpartition(":")[2]))
        writer.write(b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            assert (await client.get(base_url + "/notes")).json() == []

    assert [exchange.method for exchange in notebook.journal] == ["GET"]


async def test_refused_requests_are_journaled(notebook: Notebook, client: httpx.AsyncClient) -> None:
    answer = await client.get("/notes", headers={"Authorization": "wrong"})
    unknown = await client.get("/nowhere")

    assert (answer.status_code, answer.json()) == (401, {"message": "who are you?"})
    assert (unknown.status_code, unknown.json()) == (404, {"message": "Not Found"})
    assert [e.status for e in notebook.journal] == [401, 404]


@pytest.mark.parametrize("kind", ["429", "500", "502", "503"])
async def test_a_status_fault_does_nothing(
    notebook: Notebook, client: httpx.AsyncClient, kind: FaultKind
) -> None:
    notebook.faults.add(Fault(kind=kind, method="POST", path="/notes$", retry_after=7))

    answer = await add(client)

    assert answer.status_code == int(kind)
    assert answer.headers["retry-after"] == "7"
    assert notebook.journal[-1].answer_headers["retry-after"] == "7"
    assert notebook.notes == {}
    assert notebook.journal.writes() == []
    assert (await add(client)).status_code == 201


@pytest.mark.parametrize(
    ("kind", "done"),
    [("timeout_before", False), ("timeout_after", True), ("reset_before", False), ("reset_after", True)],
)
async def test_a_cut_request_was_done_or_not(
    notebook: Notebook, client: httpx.AsyncClient, kind: FaultKind, done: bool
) -> None:
    notebook.faults.add(Fault(kind=kind))
    expected = (
        httpx.ReadTimeout if kind.startswith("timeout") else (httpx.ReadError, httpx.RemoteProtocolError)
    )

    with pytest.raises(expected):
        await add(client)

    (exchange,) = notebook.journal
    assert (exchange.status, exchange.committed, bool(notebook.notes)) == (0, done, done)
    assert (await add(client)).status_code == 201


async def test_garbage_is_a_success_that_nobody_can_read(
    notebook: Notebook, client: httpx.AsyncClient
) -> None:
    notebook.faults.add(Fault(kind="garbage"))

    answer = await add(client)

    assert (answer.status_code, answer.text[:9]) == (200, "<!doctype")
    assert notebook.journal.writes()


async def test_slow_answers_late_and_counts_as_in_flight(
    notebook: Notebook, client: httpx.AsyncClient
) -> None:
    notebook.reads_in_flight = 1
    notebook.faults.add(Fault(kind="slow", seconds=0.1))

    answers = await asyncio.gather(client.get("/notes"), client.get("/notes"))

    assert sorted(answer.status_code for answer in answers) == [200, 429]


async def test_faults_are_taken_in_order_and_used_up(notebook: Notebook, client: httpx.AsyncClient) -> None:
    notebook.faults.add(Fault(kind="503", method="GET", times=2))
    notebook.faults.add(Fault(kind="500", times=None))

    assert [(await client.get("/notes")).status_code for _ in range(4)] == [503, 503, 500, 500]
    notebook.faults.clear()
    assert (await client.get("/notes")).status_code == 200


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout_after"):
        Fault(kind="fire")  # type: ignore[arg-type]


async def test_stopping_does_not_wait_for_a_held_request(notebook: Notebook) -> None:
    notebook.faults.add(Fault(kind="timeout_after"))
    async with httpx.AsyncClient(trust_env=False) as client:
        async with asyncio.timeout(2), serve(notebook) as base_url:
            waiting = asyncio.create_task(client.get(base_url + "/notes"))
            await notebook.arrived.wait()
        with pytest.raises(httpx.TransportError):
            await waiting


async def test_the_date_header_tells_a_skewed_clock(notebook: Notebook, client: httpx.AsyncClient) -> None:
    notebook.clock.advance(3600)

    told = parsedate_to_datetime((await client.get("/notes")).headers["date"])

    assert abs(told - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=5)


def test_a_lagging_table_shows_the_state_before() -> None:
    clock = Clock()
    table: Lagging[str] = Lagging(clock)
    table["a"] = "first"
    clock.advance(10)
    table["a"] = "second"
    clock.advance(1)
    del table["a"]

    assert "a" not in table
    assert (len(table), list(table), table.get("a")) == (0, [], None)
    assert table.seen("a", 0) is None
    assert table.seen("a", 0.5) == "second"
    assert table.seen("a", 5) == "first"
    assert table.all_seen(5) == ["first"]
    assert table.all_seen(0) == []
    assert table.seen("a", 60) is None
    clock.advance(6)
    assert table.seen("a", 5) is None


def test_rejected_requests_count_against_the_limit() -> None:
    clock = Clock()
    limit = RateLimit(clock, limit=2, window_s=10)

    assert [limit.take("t"), limit.take("t")] == [None, None]
    assert limit.take("other") is None
    clock.advance(5)
    wait = limit.take("t")
    assert wait == pytest.approx(5, abs=0.1) or wait == pytest.approx(10, abs=0.1)
    clock.advance(6)
    assert limit.take("t") is None
    assert limit.take("t") is not None


async def test_a_webhook_is_repeated_until_it_is_acknowledged(
    notebook: Notebook, client: httpx.AsyncClient
) -> None:
    notebook.hook_answers = [500, 503, 200]
    answered: list[int | None] = []

    notebook.outbox.put(hook(notebook, b"1", backoff=(0.0, 0.0, 0.0), answered=answered.append))
    await notebook.outbox.idle()

    assert answered == [500, 503, 200]
    assert [sent.status for sent in notebook.outbox.sent] == answered


async def test_410_ends_the_repetitions(notebook: Notebook, client: httpx.AsyncClient) -> None:
    notebook.hook_answers = [410]

    notebook.outbox.put(hook(notebook, b"1", backoff=(0.0, 0.0)))
    await notebook.outbox.idle()

    assert [sent.status for sent in notebook.outbox.sent] == [410]


async def test_nobody_there_is_no_status(notebook: Notebook, client: httpx.AsyncClient) -> None:
    answered: list[int | None] = []

    notebook.outbox.put(Outgoing(target="http://127.0.0.1:1/", body=b"", answered=answered.append))
    await notebook.outbox.idle()

    assert answered == [None]


async def test_webhooks_go_out_in_order(notebook: Notebook, client: httpx.AsyncClient) -> None:
    for number in b"1234":
        notebook.outbox.put(hook(notebook, bytes([number])))
    await notebook.outbox.idle()

    assert notebook.hooked == [b"1", b"2", b"3", b"4"]


async def test_webhooks_are_reordered(notebook: Notebook, client: httpx.AsyncClient) -> None:
    notebook.outbox.reorder = True
    for number in b"1234":
        notebook.outbox.put(hook(notebook, bytes([number])))
    await notebook.outbox.idle()

    assert notebook.hooked == [b"4", b"3", b"2", b"1"]


async def test_webhooks_are_dropped_duplicated_and_late(
    notebook: Notebook, client: httpx.AsyncClient
) -> None:
    notebook.outbox.drop = True
    notebook.outbox.put(hook(notebook, b"lost"))
    notebook.outbox.drop = lambda outgoing: outgoing.body == b"unwanted"
    notebook.outbox.put(hook(notebook, b"unwanted"))
    notebook.outbox.duplicate = 1
    notebook.outbox.delay_s = 0.1
    before = datetime.now(UTC)
    notebook.outbox.put(hook(notebook, b"twice"))
    await notebook.outbox.idle()

    assert notebook.hooked == [b"twice", b"twice"]
    assert notebook.outbox.sent[0].at - before >= timedelta(seconds=0.1)


async def test_what_is_put_before_serving_waits(notebook: Notebook) -> None:
    async with serve(Notebook()) as target:
        notebook.outbox.put(Outgoing(target=target + "/hook", body=b"early"))
        await notebook.outbox.idle()
        assert notebook.outbox.sent == []
        async with serve(notebook):
            await notebook.outbox.idle()
            assert [sent.status for sent in notebook.outbox.sent] == [200]


def hook(notebook: Notebook, body: bytes, **more: Any) -> Outgoing:
    return Outgoing(target=notebook.base_url + "/hook", body=body, **more)
