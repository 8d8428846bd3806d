"""How many calls meet credentials that have died."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from connectors.errors import PauseConnection, RetryLater
from connectors.trust import FEW, Trust


class Provider:
    """Takes calls through a Trust; ``answers`` lets one after the other go on."""

    def __init__(self, trust: Trust) -> None:
        self.trust, self.dead, self.met = trust, False, 0
        self.answers = asyncio.Semaphore(0)

    async def ask(self, *, write: bool = False) -> None:
        async with self.trust.call(write=write):
            self.met += 1
            await self.answers.acquire()
            if self.dead:
                raise PauseConnection("refused", status=401)

    async def one(self) -> None:
        self.answers.release()
        await self.ask()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Still:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_whoever_waits_when_one_is_refused_is_refused_unsent() -> None:
    provider = Provider(Trust(Still()))
    await provider.one()
    calls = [asyncio.create_task(provider.ask()) for _ in range(20)]
    await settled()
    assert provider.met == 1 + FEW
    provider.dead = True
    for _ in range(FEW):
        provider.answers.release()
    over = await asyncio.gather(*calls, return_exceptions=True)
    assert provider.met == 1 + FEW
    assert {type(each) for each in over} == {PauseConnection}


async def test_after_a_silence_and_after_a_refusal_one_goes_first() -> None:
    clock = Still()
    provider = Provider(Trust(clock))
    await provider.one()
    clock.now = 60
    calls = [asyncio.create_task(provider.ask()) for _ in range(10)]
    await settled()
    assert provider.met == 2
    provider.dead = True
    provider.answers.release()
    await asyncio.gather(*calls, return_exceptions=True)
    assert provider.met == 2
    again = [asyncio.create_task(provider.ask()) for _ in range(3)]
    await settled()
    assert provider.met == 3
    provider.dead = False
    for _ in range(10):
        provider.answers.release()
    await asyncio.gather(*again)
    assert provider.met == 5


@pytest.mark.parametrize("quick_reads", [False, True])
async def test_a_provider_that_takes_its_time_is_asked_for_more_at_once(quick_reads: bool) -> None:
    clock = Still()
    provider = Provider(Trust(clock))
    for _ in range(20):
        waiting = asyncio.create_task(provider.ask(write=quick_reads))
        await settled()
        clock.now += 0.1
        provider.answers.release()
        await waiting
    for _ in range(20 if quick_reads else 0):
        await provider.one()
    before = provider.met
    calls = [asyncio.create_task(provider.ask()) for _ in range(15)]
    await settled()
    assert provider.met == before + 15
    for _ in calls:
        provider.answers.release()
    await asyncio.gather(*calls)


async def test_calls_that_hang_do_not_hold_up_the_others() -> None:
    clock = Still()
    provider = Provider(Trust(clock))
    hanging = asyncio.create_task(provider.ask())
    await settled()
    other = asyncio.create_task(provider.ask())
    await settled()
    assert provider.met == 1
    clock.now += 2
    for _ in range(2):
        provider.answers.release()
    async with asyncio.timeout(5):
        await asyncio.gather(hanging, other)


async def test_what_is_given_up_and_what_fails_leave_their_places() -> None:
    trust = Trust(Still())
    with suppress(RetryLater):
        async with trust.call(write=True):
            raise RetryLater("busy")
    async with trust.call(write=True):
        waiting = asyncio.create_task(trust.call(write=True).__aenter__())
        await settled()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(1), trust.call(write=True), trust.call(write=True):
        pass
