"""The worker and its queue: what is due is found, woken and done; the queue itself may be lost."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from structlog.typing import EventDict

from connectors.simulation import Fault
from sync.instance.supervisor import environment
from sync.jobs.queue import connect, redis_settings, waker
from sync.jobs.worker import run_worker
from sync.settings import Settings
from sync.store import writes
from sync.store.database import Database
from sync.store.errors import StoreError
from sync.store.tables import Claim, Connection, Mapping, Mark, Worker, Write
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Another process's work shows itself in what it leaves behind."""
    while True:
        if await condition():
            return
        await asyncio.sleep(0.02)


@asynccontextmanager
async def working(world: World, redis_url: str) -> AsyncIterator[asyncio.Task[None]]:
    """A worker at work; leaving tells it to end and waits until it has."""
    worker = asyncio.create_task(run_worker(world.engine.settings, redis_url))
    try:
        async with asyncio.timeout(30):
            await until(lambda: at_work(world))
            yield worker
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


async def at_work(world: World) -> bool:
    return bool(await world.rows(Worker))


async def titled(world: World, title: str) -> bool:
    return bool(world.tasks()) and world.task()["title"] == title


async def asked_since(world: World, requests: int) -> bool:
    """Whether the hub, which is not silent, was asked something more than a few times since."""
    return len(world.hub.journal) > requests + 3


def test_urls_of_queues() -> None:
    assert redis_settings("unix:///run/valkey.sock").unix_socket_path == "/run/valkey.sock"
    settings = redis_settings("redis://:secret@example.com:6380/3")
    assert (settings.host, settings.port, settings.database) == ("example.com", 6380, 3)


async def test_a_worker_finds_what_is_due(build: Build, redis_url: str) -> None:
    world = await build()
    async with working(world, redis_url):
        world.external.new(world.container, title="Found by polling", by="ada")
        await until(lambda: titled(world, "Found by polling"))
        async with Redis.from_url(redis_url) as redis:
            await redis.flushall()
        world.external.edit(world.things()[0], title="Found although the queue was lost")
        await until(lambda: titled(world, "Found although the queue was lost"))
    assert await world.rows(Worker) == []


async def test_a_silence_is_shared_and_survives_the_queue(build: Build, redis_url: str) -> None:
    world = await build(first=False)
    await world.settle()
    await world.change(Connection, {"blocked_until": world.engine.in_s(300)}, name="other")
    asked = len(world.external.journal)
    async with working(world, redis_url):
        world.hub.new(world.project, title="Waits")
        polled = len(world.hub.journal)
        await until(lambda: asked_since(world, polled))
    assert len(world.external.journal) == asked


async def test_a_worker_told_to_end_gets_its_answers_and_hands_the_rest_back(
    build: Build, redis_url: str, told: list[EventDict]
) -> None:
    world = await build()
    for number in range(20):
        world.external.new(world.container, title=f"Thing {number}", by="ada")
    await world.settle()
    for thing in world.things():
        world.external.edit(thing, title=f"Renamed {thing}", by="ada")
    before = len(world.hub.journal)
    slow = world.hub.faults.add(Fault(kind="slow", method="PUT", path="/tasks/", seconds=1, times=None))

    async def writing() -> bool:
        return any(each.method == "PUT" for each in world.hub.journal.open)

    async def all_renamed() -> bool:
        return {view["title"] for view in map(world.hub.view, world.tasks()) if view} == {
            f"Renamed {thing}" for thing in world.things()
        }

    async with working(world, redis_url):
        await until(writing)
    first = [each for each in world.hub.journal[before:] if each.method == "PUT"]
    assert 0 < len(first) < 20
    assert not world.hub.journal.open
    assert {each.status for each in first} == {200}, "calls in flight were answered"
    assert "write.unknown" not in {entry["event"] for entry in told}
    assert {row.state for row in await world.rows(Write)} <= {writes.DONE, writes.NOT_DONE}
    assert (await world.the(Mapping)).lease_until is None
    assert not await world.rows(Claim)
    waiting = await world.rows(Mark)
    assert len(waiting) >= 20 - len(first)
    assert all(mark.due_at <= world.engine.now() for mark in waiting), "due at once"

    slow.times = 0
    async with working(world, redis_url), asyncio.timeout(world.engine.settings.lease_seconds / 4):
        await until(all_renamed)
    puts = [each.path for each in world.hub.journal[before:] if each.method == "PUT"]
    assert len(puts) == len(set(puts)) == 20, "each once"


@pytest.fixture(params=["sqlite", "postgresql"])
def no_tables(request: pytest.FixtureRequest) -> str:
    """URL of a database without tables; empty: the embedded one."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


async def test_a_worker_that_comes_first_makes_the_tables(
    settings: Settings, redis_url: str, no_tables: str
) -> None:
    first = Settings(
        data_dir=settings.data_dir,
        database_url=no_tables,
        redis_url=redis_url,
        secret_key=SecretStr(Fernet.generate_key().decode()),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sync.cli", "worker", env={**os.environ, **environment(first)}
    )
    database = Database.open(first)

    async def lives() -> bool:
        try:
            async with database.read() as session:
                return (await session.execute(select(Worker.pid))).scalar_one_or_none() == process.pid
        except (DBAPIError, StoreError):  # there is no table yet
            return False

    try:
        async with asyncio.timeout(60):
            await until(lives)
    finally:
        process.terminate()
        code = await process.wait()
        await database.close()
    assert code == 0


async def test_every_wake_up_is_a_job_of_its_own(redis_url: str) -> None:
    redis = await connect(redis_url)
    await waker(redis)(1, 0)
    assert await redis.zcard("arq:queue") == 1
    await waker(redis)(1, 5)
    assert await redis.zcard("arq:queue") == 2, "no wake-up is swallowed"
    await redis.aclose()
