"""Several machines: web and worker processes that share nothing but PostgreSQL, a queue and the key."""

from __future__ import annotations

import asyncio
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from tests.e2e.town import Town, town


@dataclass(eq=False)
class Machine:
    """One process with a data folder and a log of its own."""

    role: str
    folder: Path
    process: Process
    url: str = ""

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def send(self, by: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(by)

    async def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit code."""
        self.send(by)
        self.send(signal.SIGCONT)
        async with asyncio.timeout(30):
            return await self.process.wait()


@dataclass(eq=False)
class Machines:
    """``town`` holds the providers and runs the commands; it looks through the first web process."""

    town: Town
    running: list[Machine] = field(default_factory=list)
    started: int = 0

    def of(self, role: str) -> list[Machine]:
        return [machine for machine in self.running if machine.role == role]

    async def start(self, role: str, port: int = 0) -> Machine:
        """``port``: where a web process listens; 0: somewhere."""
        self.started += 1
        folder = self.town.folder / f"machine-{self.started}"
        folder.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = port or probe.getsockname()[1]
        environment = {"ASANA_SYNC_DATA_DIR": str(folder), "ASANA_SYNC_PORT": str(port)}
        process = await self.town.start(role, log=folder / "log", **environment)
        machine = Machine(role, folder, process, f"http://127.0.0.1:{port}" if role == "web" else "")
        self.running.append(machine)
        if role == "web":
            await self._ready(machine)
        return machine

    async def _ready(self, machine: Machine) -> None:
        async def answers() -> bool:
            try:
                return (await self.town.http.get(f"{machine.url}/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        await self.town.until(answers, f"{machine.role} is ready: {machine.log}", 180)
        self.town.url = machine.url

    async def stop(self, machine: Machine, by: signal.Signals = signal.SIGTERM) -> int:
        self.running.remove(machine)
        return await machine.stop(by)

    async def end(self) -> None:
        for machine in list(self.running):
            await self.stop(machine, signal.SIGKILL)


@asynccontextmanager
async def machines(folder: Path, database_url: str, redis_url: str, **extra: str) -> AsyncIterator[Machines]:
    """Providers and stores; nothing runs yet."""
    shared = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": Fernet.generate_key().decode(),
        **extra,
    }
    async with town(folder, **shared) as made:
        several = Machines(made)
        try:
            yield several
        finally:
            await several.end()
