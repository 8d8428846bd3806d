"""Connections that are kept open: what comes over them is stored once, by one worker at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from connectors.interactions import Answer, Interaction
from connectors.slack.simulator import SlackSimulator
from sync.jobs.capture.interactions import Interactions
from sync.jobs.connecting import states
from sync.jobs.engine import Engine
from sync.jobs.receiving.intake import Intake
from sync.jobs.receiving.streams import Streams
from sync.store.errors import StoreError
from sync.store.tables import Connection, Delivery, Mark, Stream
from tests.jobs.conftest import Build
from tests.jobs.world import World


class SocketSlack(SlackSimulator):
    """Its app uses Socket Mode."""

    def __init__(self) -> None:
        super().__init__()
        self.use_socket_mode()


@asynccontextmanager
async def hearing(engine: Engine) -> AsyncIterator[Streams]:
    """A worker that holds what it can."""
    async with Intake(engine) as intake, Interactions(engine) as interactions:
        streams = Streams(engine, intake, interactions)
        await streams.look()
        yield streams
        await streams.close()


async def until(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
async def slack(build: Build) -> World:
    return await build(SocketSlack, create={"to_asana": True})


def simulator(world: World) -> SlackSimulator:
    assert isinstance(world.external, SlackSimulator)
    return world.external


async def test_what_comes_over_a_stream_is_stored_and_acknowledged(slack: World) -> None:
    sockets = simulator(slack).socket_mode
    async with hearing(slack.engine):
        thread = slack.external.new(slack.container, title="The footer is broken", by="bob")
        async with asyncio.timeout(20):
            await sockets.idle()
        (stored,) = await slack.rows(Delivery)
        assert stored.state == "processed"
        assert [mark.object_id for mark in await slack.rows(Mark)] == [thread]
    await slack.settle()
    assert slack.task()["title"] == "The footer is broken"


async def test_a_stream_that_ends_is_opened_again_and_nothing_is_lost(slack: World) -> None:
    sockets = simulator(slack).socket_mode
    async with hearing(slack.engine):
        await until(lambda: sockets.opened == 1)
        sockets.disconnect()
        thread = slack.external.new(slack.container, title="Said in between", by="bob")
        await until(lambda: sockets.opened == 2)
        async with asyncio.timeout(20):
            await sockets.idle()
        assert {mark.object_id for mark in await slack.rows(Mark)} == {thread}


async def test_one_worker_at_a_time_holds_it(slack: World) -> None:
    sockets = simulator(slack).socket_mode
    other = replace(slack.engine, owner="other")
    async with hearing(slack.engine) as first, hearing(other) as second:
        assert (len(first.open), len(second.open)) == (1, 0)
        await until(lambda: sockets.opened == 1)
        held = await slack.the(Stream)
        assert (held.owner, held.until <= slack.engine.in_s(15)) == ("test", True), (
            "people wait for what comes"
        )
        await first.close()
        await second.look()
        assert len(second.open) == 1
        await until(lambda: sockets.opened == 2)
        await slack.change(Stream, {"owner": "dead", "until": slack.engine.in_s(60)})
        await second.look()
        assert second.open == {}, "another worker has it now"
        slack.clock.advance(120)
        await first.look()
        assert len(first.open) == 1, "whose holder died"


async def test_a_paused_connection_hears_nothing(slack: World) -> None:
    async with hearing(slack.engine) as streams:
        assert len(streams.open) == 1
        await slack.change(Connection, {"paused": True}, name="other")
        await streams.look()
        assert streams.open == {}
    assert await slack.rows(Stream) == []


async def test_a_stream_that_is_refused_for_good_is_said_and_not_asked_for_again(slack: World) -> None:
    simulator(slack).api.app_token = "revoked"
    async with hearing(slack.engine) as streams:

        async def said() -> bool:
            return (await slack.the(Connection, name="other")).state == states.NEEDS_REAUTH

        await until(said)
        assert "invalid_auth" in (await slack.the(Connection, name="other")).reason
        await streams.look()
        assert streams.open == {}
    assert len(slack.external.journal.by("POST", "apps.connections.open")) == 2


class _Failing(Interactions):
    """The database does not answer it."""

    async def attend(self, connection: Connection, interaction: Interaction) -> Answer:
        raise StoreError("the database does not answer")


async def test_a_request_that_cannot_be_served_does_not_end_the_stream(slack: World) -> None:
    sockets, engine = simulator(slack).socket_mode, slack.engine
    async with Intake(engine) as intake, _Failing(engine) as interactions:
        streams = Streams(engine, intake, interactions)
        await streams.look()
        said = await simulator(slack).command("ada", slack.container, "/asana", "help")
        assert said.said == ()
        slack.external.new(slack.container, title="The footer is broken", by="bob")

        async def stored() -> bool:
            return bool(await slack.rows(Delivery))

        await until(stored)
        assert sockets.opened == 1
        await streams.close()


async def test_people_are_answered_over_it(slack: World) -> None:
    async with hearing(slack.engine) as streams:
        said = await simulator(slack).command("ada", slack.container, "/asana", "help")
        assert said.status == 200
        assert "/asana new" in str(said.said)
        await streams.interactions.idle()
