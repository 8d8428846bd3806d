"""A web process of our own, served over loopback, with one mapping that both providers send webhooks for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from pydantic import SecretStr
from sqlmodel import SQLModel, select

from connectors.signing import hmac_sha256_hex
from sync.configuration import MappingConfig
from sync.instance.folder import Instance
from sync.instance.listening import listen, url_of
from sync.instance.ready import until
from sync.jobs.connecting.sessions import Sessions
from sync.jobs.engine import Engine, Wake
from sync.settings import Settings
from sync.store.database import Database
from sync.store.secrets import Vault
from sync.store.tables import Connection, Delivery, Mapping, Subscription
from sync.web.app import make_app

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures"
SECRET = "It's a Secret to Everybody"
KEYS = {"github": "0" * 31 + "1", "asana": "0" * 31 + "2", "creating": "0" * 31 + "3"}
FERNET = "8J3aPZ2pVbC1pQm3ZkV1r8mC2n0bq8T8y3v5l0c2u5E="

Serve = Callable[..., AbstractAsyncContextManager["Web"]]


def recorded(folder: str, pattern: str) -> list[Path]:
    """Fixture files; where they are absent the test is skipped, and fails where all has to run (CI)."""
    found = sorted((FIXTURES / folder).glob(pattern))
    if not found:
        assert not os.environ.get("CI"), f"no fixtures in {FIXTURES / folder}"
        pytest.skip(f"THE FIXTURES ARE MISSING: {FIXTURES / folder}")
    return found


@dataclass(slots=True)
class Web:
    """The served web side, what it stores, and who calls it."""

    url: str
    engine: Engine
    http: httpx.AsyncClient
    woken: list[int] = field(default_factory=list)

    async def github(
        self, event: str, body: bytes, *, guid: str = "g-1", secret: str = SECRET, **headers: str
    ) -> httpx.Response:
        """A call as GitHub makes it, signed over the raw body."""
        signed = {
            "x-github-event": event,
            "x-github-delivery": guid,
            "x-hub-signature-256": f"sha256={hmac_sha256_hex(secret, body)}",
            "content-type": "application/json",
        }
        return await self.post("github", body, {**signed, **headers})

    async def asana(self, body: bytes, *, secret: str = SECRET) -> httpx.Response:
        """A call as Asana makes it."""
        return await self.post("asana", body, {"x-hook-signature": hmac_sha256_hex(secret, body)})

    async def post(self, name: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        path = f"/webhooks/{'asana' if name == 'creating' else name}/{KEYS[name]}"
        return await self.http.post(path, content=body, headers=headers)

    async def deliveries(self) -> list[Delivery]:
        async with self.engine.database.read() as session:
            return list((await session.execute(select(Delivery).order_by(Delivery.id))).scalars())

    async def add(self, *rows: SQLModel) -> None:
        async with self.engine.database.write() as session:
            session.add_all(rows)


@pytest.fixture
def serve(settings: Settings, database: Database) -> Serve:
    """Serves the app; options go to ``make_app``. ``wake``: another way to ring than to note it."""
    safe = settings.model_copy(update={"secret_key": SecretStr(FERNET), "allow_private_hosts": "127.0.0.1"})

    @asynccontextmanager
    async def serving(wake: Wake | None = None, **options: Any) -> AsyncIterator[Web]:
        vault = Vault.from_settings(safe)
        sessions = Sessions(safe, database, vault, None)
        woken: list[int] = []

        async def note(mapping_id: int, delay_s: float) -> None:
            woken.append(mapping_id)

        engine = Engine(
            settings=safe, database=database, vault=vault, sessions=sessions, owner="web", wake=wake or note
        )

        async def engines() -> AsyncIterator[Engine]:
            yield engine
            await sessions.aclose()

        with await listen("127.0.0.1", 0) as socket:
            url = url_of(socket)
            app = make_app(engines, here=Instance(url=url, pid=os.getpid(), redis=""), **options)
            server = uvicorn.Server(
                uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", server_header=False)
            )
            running = asyncio.create_task(server._serve([socket]))
            await until(partial(_answers, url), within_s=20, otherwise="the web side does not answer")
            async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
                try:
                    yield Web(url, engine, http, woken)
                finally:
                    server.should_exit = True
            await running

    return serving


@pytest_asyncio.fixture
async def web(serve: Serve) -> AsyncIterator[Web]:
    """The web side with a GitHub and an Asana connection, a mapping, and subscriptions of each."""
    async with serve() as served:
        await found(served)
        yield served


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{url}/livez")).status_code == 200


async def found(web: Web) -> None:
    """Rows as ``apply`` and the worker make them."""
    vault = web.engine.vault
    rows = {
        name: Connection(
            name=name,
            connector=name,
            site=site,
            settings={**settings, "base_url": web.url},
            credentials=vault.seal({"token": "not-a-real-token"}),
            account_id="1",
            account_name="bot",
        )
        for name, site, settings in (
            ("asana", "1200000000000001", {"workspace": "1200000000000001"}),
            ("github", "127.0.0.1", {}),
        )
    }
    await web.add(*rows.values())
    config = MappingConfig.model_validate(
        {
            "name": "web",
            "connection": "github",
            "container": "acme/website",
            "asana": {"connection": "asana", "project": "1200000000000002"},
        }
    )
    mapping = Mapping(
        name="web",
        hub_connection_id=rows["asana"].id,
        external_connection_id=rows["github"].id,
        hub_container="1200000000000002",
        external_container="acme/website",
        config=config.model_dump(mode="json"),
        started={"at": "2020-01-01T00:00:00.000Z"},
        state="active",
    )
    places = {"github": "acme/website", "asana": "1200000000000002", "creating": "1200000000000002"}
    subscriptions = [
        Subscription(
            connection_id=rows["github" if name == "github" else "asana"].id,
            container=container,
            key=KEYS[name],
            secret="" if name == "creating" else vault.seal({"secret": SECRET}),
            state="creating" if name == "creating" else "active",
            created_at=web.engine.now(),
        )
        for name, container in places.items()
    ]
    await web.add(mapping, *subscriptions)
