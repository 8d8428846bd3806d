"""The worker and its queue: what is due is found, woken and done; the queue itself may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from redis.asyncio import Redis

from sync.jobs.queue import connect, redis_settings, waker
from sync.jobs.worker import run_worker
from sync.store.tables import Connection, Worker
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Another process's work shows itself in what it leaves behind."""
    while True:
        if await condition():
            return
        await asyncio.sleep(0.02)


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
    worker = asyncio.create_task(run_worker(world.engine.settings, redis_url))
    try:
        async with asyncio.timeout(30):
            await until(lambda: at_work(world))
            world.external.new(world.container, title="Found by polling", by="ada")
            await until(lambda: titled(world, "Found by polling"))
            async with Redis.from_url(redis_url) as redis:
                await redis.flushall()
            world.external.edit(world.things()[0], title="Found although the queue was lost")
            await until(lambda: titled(world, "Found although the queue was lost"))
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
    assert await world.rows(Worker) == []


async def test_a_silence_is_shared_and_survives_the_queue(build: Build, redis_url: str) -> None:
    world = await build(first=False)
    await world.settle()
    await world.change(Connection, {"blocked_until": world.engine.in_s(300)}, name="other")
    asked = len(world.external.journal)
    worker = asyncio.create_task(run_worker(world.engine.settings, redis_url))
    try:
        async with asyncio.timeout(20):
            await until(lambda: at_work(world))
            world.hub.new(world.project, title="Waits")
            polled = len(world.hub.journal)
            await until(lambda: asked_since(world, polled))
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
    assert len(world.external.journal) == asked


async def test_every_wake_up_is_a_job_of_its_own(redis_url: str) -> None:
    redis = await connect(redis_url)
    await waker(redis)(1, 0)
    assert await redis.zcard("arq:queue") == 1
    await waker(redis)(1, 5)
    assert await redis.zcard("arq:queue") == 2, "no wake-up is swallowed"
    await redis.aclose()
