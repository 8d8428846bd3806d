"""``asana-sync up`` as a child process, driven only through what is public: its commands and its API."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from connectors.egress import Egress
from connectors.http import Outbound
from connectors.limits import OpenGate
from sync.instance import lifeline

LOOPBACK = "127.0.0.1"
PREFIX = "ASANA_SYNC_"
_GRACE_S = 10.0
_READY_S = 90.0


class ProductFailed(Exception):
    """It did not come up, or a command did not do its work; the text says what it said."""


class Installation:
    """One running product."""

    def __init__(self, url: str, log: Path, env: Mapping[str, str], api: Outbound) -> None:
        self.url = url
        self.log = log
        """What its processes say on stderr."""
        self._env = env
        self._api = api

    async def status(self) -> dict[str, Any]:
        """As ``asana-sync status --json`` tells it."""
        return dict((await self._api.send("GET", "/api/v1/status")).data)

    async def is_settled(self) -> bool:
        return not any(mapping["in_flight"] for mapping in (await self.status())["mappings"])

    async def is_quiet(self) -> bool:
        return bool((await self.status())["quiet"])

    async def resumed(self) -> bool:
        return not (await self.status())["paused"]

    async def listing(self, name: str, mapping: str) -> list[dict[str, Any]]:
        """``links``, ``conflicts`` or ``parked`` of a mapping."""
        return await self.items(name, mapping=mapping)

    async def items(self, name: str, **asked: str | int) -> list[dict[str, Any]]:
        """One page of a listing, as large as there are."""
        answer = await self._api.send("GET", f"/api/v1/{name}", params={"limit": 1000, **asked})
        return list(answer.data["items"])

    async def command(self, *arguments: str) -> None:
        """Run one of the product's commands, as an admin would beside a running ``up``."""
        process = await asyncio.create_subprocess_exec(
            *_command(*arguments), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=self._env
        )
        answer, said = await process.communicate()
        if process.returncode:
            reason = (said or answer).decode(errors="replace").strip()
            raise ProductFailed(f"asana-sync {' '.join(arguments)}: {reason}")

    async def workers(self) -> set[int]:
        """Process ids of the workers that showed a sign of life lately."""
        return {worker["pid"] for worker in (await self.status())["instance"]["workers"]}

    async def kill_workers(self) -> set[int]:
        """SIGKILL, as a machine that loses power; the ids of those that are no more."""
        killed = await self.workers()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        return killed


@asynccontextmanager
async def installed(folder: Path, configuration: str, env: Mapping[str, str]) -> AsyncIterator[Installation]:
    """The product on this configuration, with its data in the folder; it ends with this process.

    Args:
        env: variables of the product. The shell's own ones do not count: this is another installation.

    Raises:
        ProductFailed: it ended, or took too long.
    """
    file = folder / "asana-sync.yaml"
    file.write_text(configuration, encoding="utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    env = {**own, **env, f"{PREFIX}DATA_DIR": str(folder / "data")}
    log = folder / "asana-sync.log"
    with log.open("wb") as said:
        process = await _start(("up", "--config", str(file)), env, said)
        api = None
        try:
            url = await _ready(process, log)
            api = Outbound(url, gate=OpenGate(), allow=Egress([LOOPBACK]))
            yield Installation(url, log, env, api)
        finally:
            if api is not None:
                await api.aclose()
            await _end(process)


def free_port() -> int:
    """A port that nobody has now: the public address must be known before the product listens."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        return int(taken.getsockname()[1])


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log that tell of trouble, without the ends of very long ones."""
    told = (line for line in log.read_text(errors="replace").splitlines() if '"level": "info"' not in line)
    return "\n".join(line[:300] for line in deque(told, maxlen=lines))


def _command(*arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", "sync.cli", *arguments)


async def _start(arguments: Sequence[str], env: Mapping[str, str], said: IO[bytes]) -> Process:
    """Tied to us by the lifeline; in a session of its own, so that Ctrl-C reaches us alone."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(lifeline.__file__)), *_command(*arguments)),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=said,
        env={**env, lifeline.PARENT: str(os.getpid())},
        start_new_session=True,
    )


async def _ready(process: Process, log: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_READY_S):
            line = await process.stdout.readline()
    except TimeoutError:
        raise ProductFailed(f"asana-sync up was not ready within {_READY_S:g} s") from None
    if not line:
        raise ProductFailed(f"asana-sync up ended:\n{tail(log)}")
    return str(json.loads(line)["url"])


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_GRACE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
