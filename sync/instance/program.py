"""A child process that is kept running: started again when it ends, ended when we stop."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sync.instance.lifeline import PARENT
from sync.logs import get_logger

_STDERR = 2
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_STEADY_SECONDS = 10.0
"""A program that lived this long was well: its next end starts the pauses anew."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. ``env`` is added to ours; ``grace_s`` is how long it may take to end by SIGTERM."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    descriptors: Sequence[int] = ()
    grace_s: float = 5.0


@asynccontextmanager
async def kept_running(program: Program) -> AsyncIterator[None]:
    """Inside, the program runs; leaving ends it. Raises OSError where it cannot be started at all."""
    keeper = asyncio.create_task(_keep(program, await _start(program)))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])


async def _start(program: Program) -> Process:
    """A session of its own: Ctrl-C in the terminal reaches only ``up``, which stops things in order.

    What it prints goes to our stderr: stdout carries results only.
    """
    return await asyncio.create_subprocess_exec(
        *program.command,
        stdin=DEVNULL,
        stdout=_STDERR,
        env={**os.environ, **program.env, PARENT: str(os.getpid())},
        pass_fds=program.descriptors,
        start_new_session=True,
    )


async def _keep(program: Program, process: Process) -> None:
    clock = asyncio.get_running_loop().time
    pause = _FIRST_PAUSE_SECONDS
    while True:
        since = clock()
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process, program.grace_s)
            raise
        if clock() - since > _STEADY_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        get_logger().warning("process.ended", process=program.name, reason=_reason(code), again_in_s=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        process = await _start(program)


async def _end(process: Process, grace_s: float) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(grace_s):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
