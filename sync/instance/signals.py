"""Ending in good order on Ctrl-C and SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGINT)


async def until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run until it ends, or until a signal cancels it; returns once it has cleaned up."""
    body = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:  # a second signal must not disturb the orderly end
            stopped = True
            body.cancel()

    loop = asyncio.get_running_loop()
    for number in _ENDING:
        loop.add_signal_handler(number, stop)
    try:
        await body
    except asyncio.CancelledError:
        if not stopped:
            raise
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)
