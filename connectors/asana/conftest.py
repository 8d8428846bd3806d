"""The benches of the connector's own tests: a simulated workspace, and answers by script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx
import pytest

from connectors.asana import connector
from connectors.asana.config import AsanaCredentials, AsanaSettings
from connectors.asana.simulated_custom_fields import CustomField
from connectors.asana.simulator import AsanaSimulator
from connectors.base import Session
from connectors.egress import Egress
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.records import FieldSpec, Record, Ref
from connectors.simulation import serve
from connectors.tokens import Tokens


@dataclass
class Bench:
    """A simulated workspace with one project, and a session of the bot in it."""

    simulator: AsanaSimulator
    session: Session
    project: str
    base_url: str

    def ref(self, gid: str) -> Ref:
        return Ref("asana", self.simulator.workspace.gid, "task", gid)

    async def read(self, gid: str) -> Record:
        found = (await self.session.fetch_many([self.ref(gid)]))[self.ref(gid)]
        assert isinstance(found, Record)
        return found

    async def read_with_fields(self, gid: str) -> Record:
        """With the values of the project's custom fields."""
        await self.session.fields(self.project)
        return await self.read(gid)

    def section(self, name: str) -> str:
        """Id of the project's section of that name."""
        sections = self.simulator.workspace.sections
        return next(
            gid
            for gid in self.simulator.workspace.projects[self.project].sections
            if sections[gid].name == name
        )

    def opened(self, tokens: Tokens | None = None, **settings: Any) -> AbstractAsyncContextManager[Session]:
        """Another session, with other settings."""
        return opened(self.simulator, self.base_url, tokens, **settings)

    def calls(self) -> list[str]:
        """Writes so far, as ``METHOD last/parts``."""
        return [
            f"{exchange.method} {exchange.path.rsplit('/', 1)[-1]}"
            for exchange in self.simulator.journal
            if exchange.method != "GET"
        ]


@asynccontextmanager
async def opened(
    simulator: AsanaSimulator, base_url: str, tokens: Tokens | None = None, **settings: Any
) -> AsyncIterator[Session]:
    connection = simulator.connection(base_url)
    chosen = connector.settings.model_validate({**connection["settings"], **settings})
    credentials = connector.credentials.model_validate(connection["credentials"])
    outbound = Outbound(
        connector.base_url(chosen), gate=OpenGate(), allow=Egress(["127.0.0.1"]), timeout_s=5.0
    )
    session = connector.open(chosen, credentials, outbound, tokens)
    try:
        yield session
    finally:
        await session.aclose()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = AsanaSimulator()
    async with serve(simulator) as base_url, opened(simulator, base_url) as session:
        yield Bench(simulator, session, simulator.new_container("Website"), base_url)


Steps: TypeAlias = list[tuple[int, Any]]
"""(status, body) in turn; the last one stays. A text is a message of Asana's."""


@dataclass
class ScriptedAsana:
    """Answers by call (``GET tasks/7``); anything else is 404. Its clock stands still."""

    answers: dict[str, Steps]
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = f"{request.method} {request.url.path.removeprefix('/api/1.0/')}"
        body = json.loads(request.content) if request.content else dict(request.url.params)
        self.asked.append((call, body))
        steps = self.answers.get(call, [(404, None)])
        status, data = steps.pop(0) if len(steps) > 1 else steps[0]
        if status >= 400 and isinstance(data, str):
            data = {"errors": [{"message": data}]}
        return httpx.Response(status, json=data, headers={"Date": "Fri, 01 May 2026 10:00:00 GMT"})

    def calls(self, call: str) -> list[Any]:
        """Bodies or queries of this call."""
        return [body for name, body in self.asked if name == call]


Opened: TypeAlias = Callable[[Mapping[str, Steps]], tuple[Session, ScriptedAsana]]


@pytest.fixture
async def scripted() -> AsyncIterator[Opened]:
    """Opens a session of the user 1 in the workspace 12, with the project 20, on answers given by call."""
    sessions: list[Session] = []

    def open_(answers: Mapping[str, Steps]) -> tuple[Session, ScriptedAsana]:
        usual: dict[str, Steps] = {
            "GET users/me": [(200, {"data": {"gid": "1", "name": "Bot"}})],
            "GET projects/20": [(200, {"data": {"gid": "20"}})],
            "GET projects/20/sections": [(200, {"data": []})],
        }
        asana = ScriptedAsana({**usual, **answers})
        settings = AsanaSettings(workspace="12")
        outbound = Outbound(
            settings.base_url, gate=OpenGate(), allow=Egress(), transport=httpx.MockTransport(asana)
        )
        credentials = AsanaCredentials.model_validate({"token": "1/1:secret-token"})
        sessions.append(connector.open(settings, credentials, outbound))
        return sessions[-1], asana

    yield open_
    for session in sessions:
        await session.aclose()


class CustomFields:
    """One custom field of each kind in the bench's project."""

    def __init__(self, bench: Bench) -> None:
        def new(name: str, kind: str, options: tuple[str, ...] = (), **more: Any) -> CustomField:
            return bench.simulator.new_field(bench.project, name, kind, options, **more)

        self.text = new("Customer", "text")
        self.number = new("Points", "number", precision=1)
        self.percent = new("Done", "number", precision=0, format="percentage")
        self.cost = new("Cost", "number", precision=2, format="currency", currency_code="EUR")
        self.enum = new("Priority", "enum", ("Low", "High"))
        self.multi = new("Browsers", "multi_enum", ("Safari", "Firefox", "Chrome"))
        self.date = new("Launch", "date")
        self.people = new("Reviewers", "people")
        self.reference = new("Related", "reference")
        self.formula = new("Double", "formula", formula=lambda values: _double(values.get(self.number.gid)))
        self.id = new("Id", "custom_id", id_prefix="BUG")

    def option(self, field: CustomField, name: str) -> str:
        return next(option.gid for option in field.options if option.name == name)


def _double(value: object) -> float | None:
    return value * 2 if isinstance(value, int | float) else None


def name_of(field: CustomField) -> str:
    return f"custom:{field.gid}"


@pytest.fixture
def fields(bench: Bench) -> CustomFields:
    return CustomFields(bench)


async def specs(bench: Bench) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in await bench.session.fields(bench.project)}
