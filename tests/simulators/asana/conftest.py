"""A simulated Asana with a project, a client with the bot's token, a webhook target."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import serve, serve_app
from tests.simulators.asana.client import Api, Receiver
from tests.specification.documents import FOLDER, required


@pytest.fixture
def asana() -> AsanaSimulator:
    simulator = AsanaSimulator()
    simulator.hooks.backoff_s = (0.0, 0.0)
    return simulator


@pytest.fixture
def project(asana: AsanaSimulator) -> str:
    return asana.new_container("Website")


@pytest.fixture
async def api(asana: AsanaSimulator) -> AsyncIterator[Api]:
    async with (
        serve(asana) as base_url,
        httpx.AsyncClient(
            base_url=base_url + "/api/1.0",
            headers={"Authorization": f"Bearer {asana.token}"},
            timeout=5,
            trust_env=False,
            verify=False,
        ) as http,
    ):
        yield Api(http)


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """A webhook target and its address."""
    receiver = Receiver()
    async with serve_app(receiver.app) as base_url:
        yield receiver, base_url + "/hook"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Asana's published documents, which are not part of the repository."""
    required()
    return FOLDER / "asana"
