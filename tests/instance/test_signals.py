"""A signal ends the work, and waits for its cleaning up."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from sync.instance.signals import until_signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_returns_once_the_work_has_cleaned_up(number: signal.Signals) -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), number)  # impatience changes nothing
            await asyncio.sleep(0.01)
            cleaned.append("up")

    await until_signal(work())
    assert cleaned == ["up"]


async def test_other_cancellations_go_through() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await until_signal(work())
