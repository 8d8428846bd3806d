"""Ties between a child and ``up``; that children die with it is shown in test_supervisor.py."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE

import pytest

from sync.instance import lifeline

CHILD = (
    "import runpy; ties = runpy.run_path({path!r}); print(ties['die_with_parent'](), flush=True)"
    ";import os; print({name!r} in os.environ)"
)


async def child(parent: int) -> tuple[int | None, list[bytes]]:
    program = CHILD.format(path=lifeline.__file__, name=lifeline.PARENT)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=PIPE, env={**os.environ, lifeline.PARENT: str(parent)}
    )
    out, _ = await process.communicate()
    return process.returncode, out.split()


async def test_a_child_is_tied_and_its_own_children_are_not() -> None:
    assert await child(os.getpid()) == (0, [b"True", b"False"])


async def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    assert await child(os.getppid()) == (-signal.SIGKILL, [])


def test_a_process_of_its_own_is_not_tied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(lifeline.PARENT, raising=False)
    assert lifeline.die_with_parent() is False


async def test_a_program_that_is_not_ours_is_started_through_it() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", lifeline.__file__, "/bin/echo", "hello", stdout=PIPE
    )
    out, _ = await process.communicate()
    assert out == b"hello\n"
