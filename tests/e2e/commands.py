"""Commands as processes of their own that start at once: forked from one that has the modules loaded.

Loading them takes longer than most commands, and a test run starts hundreds.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.cli import COMMANDS, main

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["sync.cli", *(f"sync.commands.{name}" for name in set(COMMANDS.values()))])


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def command(arguments: Sequence[str], environment: Mapping[str, str]) -> Said:
    """Run ``asana-sync`` with these arguments, in exactly this environment, to its end."""
    return await asyncio.to_thread(_ended, list(arguments), dict(environment))


def _ended(arguments: list[str], environment: dict[str, str]) -> Said:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _PROCESSES.Process(target=_run, args=(arguments, environment, out, err), daemon=True)
        process.start()
        process.join()
        assert process.exitcode is not None
        return Said(process.exitcode, out.read_text(), err.read_text())


def _run(arguments: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    for file, descriptor in ((out, 1), (err, 2)):
        opened = os.open(file, os.O_CREAT | os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["asana-sync", *arguments]
    main()
