"""Limits that all workers share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from connectors.errors import RetryLater
from sync.jobs.connecting.gate import SharedGate, restore_hold


class Remembered:
    """Stands for the database: what silence was asked for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


def gate(redis: Redis, *, held: Remembered | None = None, reads: int = 2, call_s: float = 5) -> SharedGate:
    """One worker's gate of the same connection."""
    return SharedGate(redis, "acme", reads=reads, writes=1, call_s=call_s, held=held or Remembered())


async def test_requests_in_flight_are_limited_over_all_workers(redis: Redis) -> None:
    workers = [gate(redis), gate(redis)]
    inside, most = 0, 0

    async def call(worker: SharedGate) -> None:
        nonlocal inside, most
        async with worker.slot(write=False):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(call(workers[number % 2]) for number in range(12)))
    assert most == 2


async def test_reads_and_writes_have_lanes_of_their_own(redis: Redis) -> None:
    async with asyncio.timeout(5), gate(redis).slot(write=True), gate(redis).slot(write=False):
        pass


async def test_a_place_that_nobody_gave_back_frees_itself(redis: Redis) -> None:
    await redis.zadd("asana-sync:writes:acme", {"of a killed worker": 0})
    async with asyncio.timeout(5), gate(redis).slot(write=True):
        pass


async def test_whoever_gives_up_while_it_enters_keeps_no_place(redis: Redis) -> None:
    """Cancelled while Redis is asked: the place is taken there, and nobody is left to give it back."""
    worker = gate(redis, call_s=60)

    async def call() -> None:
        async with worker.slot(write=True):
            raise AssertionError("it was cancelled before")

    for _ in range(5):
        calling = asyncio.create_task(call())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calling.cancel()
        await asyncio.wait([calling])
    async with asyncio.timeout(5), worker.slot(write=True):
        pass


async def test_silence_holds_for_all_and_is_remembered(redis: Redis) -> None:
    remembered = Remembered()
    one, two = gate(redis, held=remembered), gate(redis)
    await one.hold(30)
    await one.hold(5)
    for worker in (one, two):
        with pytest.raises(RetryLater) as caught:
            async with worker.slot(write=False):
                pass
        assert caught.value.limited
        assert 25 < (caught.value.after or 0) <= 30, "a longer silence is never shortened"
    assert remembered.seconds == [30, 5]


async def test_a_short_silence_is_waited_out(redis: Redis) -> None:
    await gate(redis).hold(0.1)
    started = asyncio.get_running_loop().time()
    async with gate(redis).slot(write=False):
        assert asyncio.get_running_loop().time() - started >= 0.09


async def test_a_silence_outlives_an_emptied_redis_in_this_process(redis: Redis) -> None:
    worker = gate(redis)
    await worker.hold(30)
    await redis.flushall()
    with pytest.raises(RetryLater):
        async with worker.slot(write=True):
            pass


async def test_what_only_the_database_remembers_is_brought_back(redis: Redis) -> None:
    await restore_hold(redis, "acme", 0)
    async with gate(redis).slot(write=False):
        pass
    await restore_hold(redis, "acme", 20)
    with pytest.raises(RetryLater):
        async with gate(redis).slot(write=False):
            pass


async def test_without_redis_nothing_is_sent(unused_tcp_port: int) -> None:
    remembered = Remembered()
    async with Redis(host="127.0.0.1", port=unused_tcp_port) as away:
        worker = gate(away, held=remembered)
        with pytest.raises(RetryLater, match="Redis does not answer"):
            async with worker.slot(write=False):
                raise AssertionError("sent without a limit")
        with pytest.raises(RetryLater, match="Redis does not answer"):
            await worker.hold(3)
    assert remembered.seconds == [3], "the silence itself is kept all the same"
