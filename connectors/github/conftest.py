"""The bench of the connector's own tests: a simulated repository, and sessions of the bot in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors.changes import Change
from connectors.egress import Egress
from connectors.github import connector
from connectors.github.config import GitHubCredentials, GitHubSettings
from connectors.github.session import GitHubSession
from connectors.github.simulator import GitHubSimulator
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.records import Json, Record, Ref
from connectors.simulation import serve

REPOSITORY = "acme/website"


@asynccontextmanager
async def opened(
    simulator: GitHubSimulator, *, credentials: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncIterator[GitHubSession]:
    connection = simulator.connection(simulator.base_url)
    model = GitHubSettings.model_validate({**connection["settings"], **settings})
    outbound = Outbound(connector.base_url(model), gate=OpenGate(), allow=Egress(["127.0.0.1"]), timeout_s=5)
    session = connector.open(
        model, GitHubCredentials.model_validate(credentials or connection["credentials"]), outbound
    )
    try:
        yield session
    finally:
        await session.aclose()


@pytest.fixture
async def github() -> AsyncIterator[GitHubSimulator]:
    simulator = GitHubSimulator()
    simulator.new_container(REPOSITORY)
    async with serve(simulator):
        yield simulator


@pytest.fixture
async def session(github: GitHubSimulator) -> AsyncIterator[GitHubSession]:
    async with opened(github) as session:
        yield session


async def drained(session: GitHubSession, cursor: Json) -> tuple[list[Change], Json]:
    changes: list[Change] = []
    while True:
        page = await session.changes(REPOSITORY, cursor)
        changes += page.changes
        cursor = json.loads(json.dumps(page.cursor))
        if not page.more:
            return changes, cursor


async def listed(session: GitHubSession, container: str = REPOSITORY) -> dict[str, Record]:
    records: dict[str, Record] = {}
    cursor: Json = None
    while True:
        page = await session.listing(container, cursor)
        records |= {change.ref.id: change.record for change in page.changes if change.record}
        cursor = page.cursor
        if not page.more:
            return records


async def fetched(session: GitHubSession, ref: Ref) -> Any:
    return (await session.fetch_many([ref]))[ref]


async def made(github: GitHubSimulator, session: GitHubSession, **fields: Any) -> Record:
    id = github.new(REPOSITORY, **{"title": "A bug", **fields})
    return (await listed(session))[id]
