"""A town: Asana and GitHub, the people there, and the program between them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import yaml
from sqlalchemy import update
from sqlmodel import col, select

from connectors import discover
from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Simulator
from sync.configuration import load
from sync.jobs.configuring.applying import apply
from sync.jobs.receiving.intake import Intake
from sync.reconcile.model import Side
from sync.settings import Settings
from sync.store import marks
from sync.store.tables import Connection
from sync.store.tables import Mapping as MappingRow
from tests.simulation.air import Doorway
from tests.simulation.disk import Disk
from tests.simulation.life import Life
from tests.simulation.program import Program

PORTS: Mapping[Side, int] = {Side.HUB: 8101, Side.EXTERNAL: 8102}
CONNECTIONS: Mapping[Side, str] = {Side.HUB: "our-asana", Side.EXTERNAL: "our-github"}


class Town:
    """``program`` is the life that goes on now; None while there is none."""

    def __init__(
        self, disk: Disk, chance: random.Random, *, hooks: bool, settings: Mapping[str, Any] | None = None
    ) -> None:
        disk.wipe()
        self.disk, self.chance = disk, chance
        self.hub, self.external = AsanaSimulator(), GitHubSimulator()
        self.sides: Mapping[Side, Simulator] = {Side.HUB: self.hub, Side.EXTERNAL: self.external}
        self.containers = {
            Side.HUB: self.hub.new_container("Website"),
            Side.EXTERNAL: self.external.new_container("website"),
        }
        self.settings = Settings(
            data_dir=disk.folder,
            database_url="",
            public_url="https://sync.example.com" if hooks else "",
            allow_private_hosts="127.0.0.1",
            **(settings or {}),
        )
        self.credentials: dict[Side, dict[str, str]] = {}
        self.mapping: dict[str, Any] = {}
        self.program: Program | None = None
        self.lives = 0
        self.pauses: list[list[float]] = []
        """When each began and ended, by the loop's clock; the end of the present one is not there yet."""
        """From when to when, in seconds since the beginning, nothing may be written."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Providers send their webhooks as long as the town is open; at its end nothing is left running."""
        async with AsyncExitStack() as stack:
            for side, simulator in self.sides.items():
                simulator.base_url = f"http://127.0.0.1:{PORTS[side]}"
                await stack.enter_async_context(simulator.outbox.working(Doorway(self._inside, self.chance)))
            try:
                yield
            finally:
                await self.kill()

    def _inside(self) -> tuple[Intake, Life] | None:
        return (self.program.intake, self.program.life) if self.program is not None else None

    # lives of the program

    def begin(self) -> Program:
        """Another life."""
        self.lives += 1
        providers = {PORTS[side]: simulator for side, simulator in self.sides.items()}
        # a name that no process has: it is dead as soon as somebody asks
        owner = f"town-{self.lives}"
        self.program = Program(self.settings, self.disk, providers, owner, self.chance)
        return self.program

    async def stop(self) -> None:
        program, self.program = self.program, None
        if program is not None:
            await program.stop()

    async def kill(self) -> None:
        program, self.program = self.program, None
        if program is not None:
            await program.kill()

    # what the admin does

    def document(self) -> dict[str, Any]:
        """The configuration file."""
        given = {
            side: simulator.connection(f"http://127.0.0.1:{PORTS[side]}")
            for side, simulator in self.sides.items()
        }
        return {
            "connections": [
                {
                    "name": CONNECTIONS[side],
                    "connector": self.sides[side].name,
                    "settings": given[side]["settings"],
                    "credentials": {**given[side]["credentials"], **self.credentials.get(side, {})},
                }
                for side in Side
            ],
            "people": [{"our-asana": f"{name}@example.com", "our-github": name} for name in ("ada", "bob")],
            "mappings": [
                {
                    "name": "web",
                    "connection": CONNECTIONS[Side.EXTERNAL],
                    "container": self.containers[Side.EXTERNAL],
                    "asana": {"connection": CONNECTIONS[Side.HUB], "project": self.containers[Side.HUB]},
                    **self.mapping,
                }
            ],
        }

    async def apply(self) -> None:
        assert self.program is not None
        text = yaml.safe_dump(self.document())
        async with self.program.beside() as engine:
            await apply(engine, load(text, {}, discover()), consent=True)

    async def switch(self, *, paused: bool) -> None:
        """As ``asana-sync pause --mapping web`` and ``resume``."""
        assert self.program is not None
        engine = self.program.engine
        async with engine.database.write() as session:
            await session.execute(update(MappingRow).values(paused=paused))
            if not paused:
                stopped = update(MappingRow).where(col(MappingRow.state) == "stopped")
                await session.execute(stopped.values(state="active", reason="", full_pass_due=True))
                ids = list((await session.execute(select(MappingRow.id))).scalars())
                await marks.hurry(session, ids, engine.now())
        lasts = bool(self.pauses) and len(self.pauses[-1]) == 1
        now = asyncio.get_running_loop().time()
        if paused and not lasts:
            self.pauses.append([now])
        elif lasts and not paused:
            self.pauses[-1].append(now)

    async def dead(self) -> list[str]:
        """Connections whose credentials do not work."""
        assert self.program is not None
        async with self.program.engine.database.read() as session:
            query = select(Connection.name).where(col(Connection.state) == "needs_reauth")
            return list((await session.execute(query)).scalars())


async def moment(seconds: float = 0.0) -> None:
    """Let the town go on for so long."""
    await asyncio.sleep(seconds)
