"""The gate of one process: room for requests, silence when asked."""

from __future__ import annotations

import asyncio
import time

import pytest

from connectors.errors import RetryLater
from connectors.limits import LocalGate, OpenGate


class Hours:
    """A clock that only moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_reads_and_writes_have_room_of_their_own() -> None:
    gate = LocalGate(reads=2, writes=1)
    most = {True: 0, False: 0}
    inside = {True: 0, False: 0}

    async def call(write: bool) -> None:
        async with gate.slot(write=write):
            inside[write] += 1
            most[write] = max(most[write], inside[write])
            await asyncio.sleep(0)
            inside[write] -= 1

    await asyncio.gather(*(call(number % 2 == 0) for number in range(20)))
    assert most == {False: 2, True: 1}


async def test_a_long_hold_refuses_at_once() -> None:
    clock = Hours()
    gate = LocalGate(1, 1, clock=clock)
    await gate.hold(30)
    await gate.hold(5)  # a shorter one does not cut it
    for write in (False, True):
        with pytest.raises(RetryLater) as caught:
            async with gate.slot(write=write):
                pytest.fail("held")
        assert caught.value.limited
        assert caught.value.after == 30
    clock.now = 30
    async with gate.slot(write=True):
        pass


async def test_a_short_hold_is_waited_out() -> None:
    gate = LocalGate(1, 1)
    start = time.monotonic()
    await gate.hold(0.05)
    async with gate.slot(write=False):
        assert time.monotonic() - start >= 0.05


async def test_no_minute_has_more_than_allowed() -> None:
    clock = Hours()
    gate = LocalGate(5, 5, per_minute=3, clock=clock)
    for second in (0, 10, 20):
        clock.now = second
        async with gate.slot(write=False):
            pass
    with pytest.raises(RetryLater) as caught:
        async with gate.slot(write=True):
            pytest.fail("one too many")
    assert caught.value.after == 40
    clock.now = 60
    async with gate.slot(write=True):
        pass
    with pytest.raises(RetryLater) as caught:
        async with gate.slot(write=True):
            pytest.fail("one too many")
    assert caught.value.after == 10


async def test_an_open_gate() -> None:
    gate = OpenGate()
    await gate.hold(100)
    async with gate.slot(write=True), gate.slot(write=True):
        pass
