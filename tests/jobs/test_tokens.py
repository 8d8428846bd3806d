"""OAuth tokens of a connection: renewed once for all processes, kept sealed before they are used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.asana.simulator import AsanaSimulator
from connectors.errors import RetryLater
from connectors.memory.simulator import MemorySimulator
from connectors.simulation import serve
from connectors.slack.simulator import SlackSimulator
from connectors.tokens import Issued
from sync.configuration import ConfigurationInvalid
from sync.jobs.connecting import connections
from sync.jobs.connecting.sessions import Sessions
from sync.jobs.connecting.tokens import SharedTokens
from sync.jobs.engine import Engine
from sync.jobs.tending import upkeep
from sync.settings import Settings
from sync.store.database import Database
from sync.store.figures import figures
from sync.store.tables import Connection, Token
from tests.jobs.conftest import Build
from tests.jobs.world import FAST, World

PROCESSES = 4


@pytest.fixture
async def world(settings: Settings, database: Database) -> AsyncIterator[World]:
    """Asana behind an OAuth app whose refresh token is replaced by each renewal, and the memory store."""
    hub, other = AsanaSimulator(), MemorySimulator()
    hub.oauth, hub.oauth_app.rotates = True, True
    async with serve(hub) as asana, serve(other) as memory:
        urls = {"asana": asana, "memory": memory}
        world = World.over(settings.model_copy(update=FAST), database, hub, other, urls)
        await world.apply()
        yield world
        await world.engine.sessions.aclose()


async def asana(world: World) -> Connection:
    return await world.the(Connection, name="our-asana")


async def test_many_processes_renew_once(world: World) -> None:
    app = world.hub.oauth_app
    app.end_access()
    before = app.renewals
    await everywhere(world.engine, await asana(world))
    assert app.renewals == before + 1


async def test_of_a_refresh_token_that_works_once_the_next_one_is_kept(build: Build) -> None:
    world = await build(InstalledSlack)
    assert isinstance(world.external, SlackSimulator)
    row, app = await world.the(Connection, name="other"), world.external.oauth_app
    for _ in range(2):
        app.end_access()
        before = app.renewals
        await everywhere(world.engine, row)
        assert app.renewals == before + 1
    kept = await SharedTokens(world.engine.database, world.engine.vault, row, turn_s=1).read()
    assert kept is not None
    assert kept.values["refresh_token"] == app.refresh_token


class InstalledSlack(SlackSimulator):
    """Its app was authorised, with token rotation."""

    def __init__(self) -> None:
        super().__init__()
        self.oauth = True


async def everywhere(engine: Engine, row: Connection) -> None:
    """Every process makes calls at once."""
    async with AsyncExitStack() as stack:
        sessions = []
        for _ in range(PROCESSES):
            process = Sessions(engine.settings, engine.database, engine.vault, None)
            stack.push_async_callback(process.aclose)
            sessions.append(await process.get(row))
        await asyncio.gather(*(session.containers() for session in sessions for _ in range(2)))


async def test_what_was_handed_out_outlives_the_process_and_the_configuration(world: World) -> None:
    given = dict(world.document["connections"][0]["credentials"])
    assert given["refresh_token"] != world.hub.oauth_app.refresh_token, "it was replaced already"
    await world.engine.sessions.aclose()
    world.hub.oauth_app.end_access()
    assert await connections.check(world.engine, await asana(world)) is not None
    await world.apply_document(world.document)
    assert await connections.check(world.engine, await asana(world)) is not None


async def test_tokens_are_stored_sealed(world: World) -> None:
    row = await world.the(Token)
    app = world.hub.oauth_app
    assert row.sealed
    assert world.engine.vault.open(row.sealed)["refresh_token"] == app.refresh_token
    for secret in (app.refresh_token, app.client_secret):
        assert secret not in f"{row.key} {row.sealed} {row!r}"


async def test_a_revoked_app_needs_a_person_and_new_credentials_mend_it(world: World) -> None:
    world.hub.oauth_app.revoke()
    assert await connections.check(world.engine, await asana(world)) is None
    row = await asana(world)
    assert row.state == connections.NEEDS_REAUTH
    assert "authorise the app again" in row.reason
    await world.apply()
    assert (await asana(world)).state == connections.OK


async def test_credentials_that_are_refused_do_not_touch_the_tokens_in_use(world: World) -> None:
    document = world.configured()
    document["connections"][0]["credentials"] = {
        **world.hub.oauth_app.credentials(),
        "refresh_token": "2/another",
    }
    with pytest.raises(ConfigurationInvalid, match="authorise the app again"):
        await world.apply_document(document)
    world.hub.oauth_app.end_access()
    assert await connections.check(world.engine, await asana(world)) is not None


async def test_a_turn_that_was_lost_keeps_nothing(world: World) -> None:
    engine, row = world.engine, await asana(world)
    slow, quick = (SharedTokens(engine.database, engine.vault, row, turn_s=0.0) for _ in range(2))
    until = datetime.now(UTC) + timedelta(hours=1)
    async with slow.alone(), quick.alone():
        with pytest.raises(RetryLater):
            await slow.keep(Issued({"access_token": "a", "refresh_token": "b"}, until))
        await quick.keep(Issued({"access_token": "c", "refresh_token": "d"}, until, "tasks:read"))
    issued = await slow.read()
    assert issued == Issued({"access_token": "c", "refresh_token": "d"}, until, "tasks:read")


async def test_who_waits_too_long_tries_later(world: World) -> None:
    engine, row = world.engine, await asana(world)
    holder = SharedTokens(engine.database, engine.vault, row, turn_s=60)
    waiting = SharedTokens(engine.database, engine.vault, row, turn_s=0.05)
    async with holder.alone():
        with pytest.raises(RetryLater):
            async with waiting.alone():
                raise AssertionError("nobody else may be inside")


async def test_tokens_of_credentials_in_no_use_are_forgotten(world: World) -> None:
    await world.change(Token, {"key": "of other credentials"})
    await world.engine.sessions.aclose()
    world.hub.oauth_app.rotates = False
    world.hub.oauth_app.refresh_token = world.document["connections"][0]["credentials"]["refresh_token"]
    await connections.check(world.engine, await asana(world))
    world.clock.advance(2 * 86_400)
    await upkeep.clean(world.engine)
    (kept,) = await world.rows(Token)
    assert kept.key != "of other credentials"


async def test_when_the_token_ends_can_be_watched(world: World) -> None:
    async with world.engine.database.read() as session:
        found = await figures(session, datetime.now(UTC))
        row = (await session.execute(select(Token))).scalars().one()
    assert row.until is not None
    assert found.tokens_until == {("asana", "our-asana"): pytest.approx(row.until.timestamp(), abs=1)}
