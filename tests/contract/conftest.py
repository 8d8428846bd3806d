"""The bench of the contract suite: one connector, its simulator on loopback, one open session.

Every test that takes ``connector`` or ``bench`` runs once for each discovered connector.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors import discover
from connectors.base import Connector, Session
from connectors.changes import Change, Delivery, Echo, Handshake, Received, Secrets
from connectors.egress import Egress
from connectors.errors import DeliveryRefused
from connectors.http import Outbound
from connectors.limits import LocalGate
from connectors.records import Draft, FieldKind, FieldSpec, Found, Json, Key, Record, Ref, Value
from connectors.simulation import Clock, Fault, Simulator, serve
from connectors.simulation_network import FaultKind
from tests.specification.watch import WATCH

_WRITES = ("POST", "PUT", "PATCH", "DELETE")


class StoppedClock(Clock):
    """Everything happens in one and the same moment."""

    def __init__(self) -> None:
        super().__init__()
        self._at = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self._at


def _new_key() -> Key:
    token = secrets.token_hex(16)
    return Key(token, f"https://example.com/counterpart/{token}", f"counterpart {token[:6]}")


@dataclass(frozen=True)
class Bench:
    """One connector in a container of its own; people act through ``simulator``."""

    connector: Connector
    simulator: Simulator
    settings: BaseModel
    credentials: BaseModel
    session: Session
    container: str

    async def specs(self) -> Mapping[str, FieldSpec]:
        return {spec.name: spec for spec in await self.session.fields(self.container)}

    async def user_id(self, name: str) -> str:
        """Id of the user whom the simulator knows by this name."""
        for user in await self.session.people(self.container):
            if any(name in text.lower() for text in (user.login, user.name, user.email)):
                return user.id
        raise LookupError(f"{name} is not among the people of the container")

    async def assigned(self, name: str) -> Value:
        """The value of the field ``assignee`` that stands for this one person."""
        id, spec = await self.user_id(name), (await self.specs()).get("assignee")
        return (id,) if spec is not None and spec.kind is FieldKind.PEOPLE else id

    async def create(self, key: Key | None = None, /, **fields: Value) -> Record:
        return await self.session.create(self.container, Draft(fields=fields), key or _new_key())

    async def fetch(self, ref: Ref) -> Found:
        return (await self.session.fetch_many([ref]))[ref]

    async def record(self, ref: Ref) -> Record:
        found = await self.fetch(ref)
        assert isinstance(found, Record), found
        return found

    async def listed(self) -> Mapping[str, Record]:
        """The complete listing by object id."""
        records: dict[str, Record] = {}
        cursor: Json = None
        while True:
            page = await self.session.listing(self.container, cursor)
            for change in page.changes:
                assert change.record is not None, "listings carry records"
                records[change.ref.id] = change.record
            cursor = json.loads(json.dumps(page.cursor))
            if not page.more:
                return records

    async def made_by_person(self, **fields: Any) -> Record:
        """A new object of a person, as the connector reads it."""
        id = self.simulator.new(self.container, **{"title": "Made by a person", **fields})
        return (await self.listed())[id]

    async def drain(self, cursor: Json) -> tuple[list[Change], Json]:
        """All changes since the cursor, and the cursor to go on from."""
        changes: list[Change] = []
        for _ in range(100):
            page = await self.session.changes(self.container, cursor)
            assert not page.lost
            changes += page.changes
            cursor = json.loads(json.dumps(page.cursor))
            if not page.more:
                return changes, cursor
        raise AssertionError("changes() never comes to an end")

    async def offered(self, **fields: Value) -> dict[str, Value]:
        """Those of the fields that the container's objects have."""
        specs = await self.specs()
        return {name: value for name, value in fields.items() if name in specs}

    async def ours_to_edit(self, **fields: Any) -> Record:
        """A person's object, or one of ours where nobody changes what others wrote."""
        record = await self.made_by_person(**fields)
        if "title" not in record.read_only:
            return record
        self.simulator.remove(record.ref.id)
        created = await self.create(**await self.offered(**{"title": "Made by us", **fields}))
        return await self.record(created.ref)

    def fail(self, kind: FaultKind, *, writes: bool, times: int | None = None, **options: Any) -> None:
        """Plan a failure of reads or of writes."""
        for method in _WRITES if writes else ("GET",):
            self.simulator.faults.add(Fault(kind=kind, method=method, times=times, **options))

    def assert_same(self, sent: Mapping[str, Value], read: Mapping[str, Value]) -> None:
        for field, value in sent.items():
            assert self.session.same(field, value, read[field]), (field, value, read[field])

    @asynccontextmanager
    async def opened(
        self, base_url: str, credentials: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Bench]:
        """Another session to the same simulator."""
        async with open_session(self.connector, self.simulator, base_url, credentials=credentials) as bench:
            yield bench

    @asynccontextmanager
    async def receiver(self) -> AsyncIterator[Receiver]:
        receiver = Receiver(self.connector, self.settings)
        if self.connector.capabilities.webhooks == "app":
            receiver.secrets = self.connector.secrets(self.credentials)
        async with _served(receiver) as url:
            receiver.url = f"{url}/webhooks/contract"
            yield receiver


class Receiver:
    """A loopback address for webhooks that does what the intake does, without a store."""

    def __init__(self, connector: Connector, settings: BaseModel) -> None:
        self.url = ""
        self.secrets = Secrets(active=(secrets.token_hex(16),))
        if connector.capabilities.webhooks == "handshake":
            self.secrets = Secrets(pending=True)
        self.received: list[tuple[Delivery, Received]] = []
        self._connector = connector
        self._settings = settings

    def read(self, delivery: Delivery, secrets: Secrets, now: datetime | None = None) -> Received:
        result = self._connector.receive(delivery, secrets, self._settings, now or datetime.now(UTC))
        assert isinstance(result, Received)
        return result

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        delivery = Delivery(headers=dict(request.headers), body=await request.body())
        headers: Mapping[str, str] = {}
        status, text = 200, ""
        try:
            result = self._connector.receive(delivery, self.secrets, self._settings, datetime.now(UTC))
        except DeliveryRefused:
            status = 401
        else:
            if isinstance(result, Handshake):
                self.secrets = Secrets(active=(result.secret,))
                headers = result.reply_headers
            elif isinstance(result, Echo):
                text = result.text
            else:
                self.received.append((delivery, result))
        await Response(text, status_code=status, headers=dict(headers))(scope, receive, send)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[str]:
    server = _Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def simulator_type(connector: Connector) -> type[Simulator]:
    """The simulator in the connector's folder."""
    folder = type(connector).__module__.rpartition(".")[0]
    module = importlib.import_module(f"{folder}.simulator")
    (found,) = (
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Simulator) and each.__module__ == module.__name__
    )
    return found


@asynccontextmanager
async def open_session(
    connector: Connector,
    simulator: Simulator,
    base_url: str,
    *,
    container: str | None = None,
    credentials: Mapping[str, Any] | None = None,
    timeout_s: float = 10.0,
) -> AsyncIterator[Bench]:
    """The connector with the settings and credentials that its simulator gives, as production opens it."""
    connection = simulator.connection(base_url)
    settings = connector.settings.model_validate(connection["settings"])
    accepted = connector.credentials.model_validate(credentials or connection["credentials"])
    limits = connector.limits(settings)
    outbound = Outbound(
        connector.base_url(settings),
        gate=LocalGate(int(limits["reads"]), int(limits["writes"])),
        allow=Egress(["127.0.0.1"]),
        timeout_s=timeout_s,
    )
    session = connector.open(settings, accepted, outbound)
    try:
        container = container or simulator.new_container("contract")
        yield Bench(connector, simulator, settings, accepted, session, container)
    finally:
        await session.aclose()


@pytest.fixture(params=list(discover().values()), ids=list(discover()))
def connector(request: pytest.FixtureRequest) -> Connector:
    """Each discovered connector."""
    found: Connector = request.param
    return found


@pytest.fixture
def new_key() -> Callable[[], Key]:
    """Makes keys as sync does."""
    return _new_key


@pytest.fixture
async def bench(connector: Connector) -> AsyncIterator[Bench]:
    simulator = simulator_type(connector)()
    with WATCH.watching(simulator):
        async with serve(simulator) as url, open_session(connector, simulator, url) as bench:
            yield bench


@pytest.fixture
async def stopped_bench(connector: Connector) -> AsyncIterator[Bench]:
    """The provider's clock stands still."""
    simulator = simulator_type(connector)(clock=StoppedClock())
    with WATCH.watching(simulator):
        async with serve(simulator) as url, open_session(connector, simulator, url) as bench:
            yield bench


@pytest.fixture
async def hasty_bench(connector: Connector) -> AsyncIterator[Bench]:
    """Calls have a deadline of one second."""
    simulator = simulator_type(connector)()
    with WATCH.watching(simulator):
        async with serve(simulator) as url, open_session(connector, simulator, url, timeout_s=1) as bench:
            yield bench
