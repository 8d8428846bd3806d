"""A town: Asana and another tool, the people there, and the program between them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import yaml
from sqlalchemy import update
from sqlmodel import col, select

from connectors import discover
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
from tests.simulation.tools import EXTERNAL, Asana, Tool

PORTS: Mapping[Side, int] = {Side.HUB: 8101, Side.EXTERNAL: 8102}
TOKENS_LIVE_S = 400
"""Of Asana, where the program comes as an OAuth app."""
PUBLIC_URL = "https://sync.example.com"


@dataclass(frozen=True, slots=True)
class Approval:
    """``number`` of deletions that waited for it; ``closed``: what was closed on either side by then."""

    number: int
    closed: frozenset[tuple[Side, str]]


class Town:
    """``program`` is the life that goes on now; None while there is none."""

    def __init__(
        self,
        disk: Disk,
        chance: random.Random,
        *,
        hooks: bool,
        tool: str = "github",
        oauth: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        disk.wipe()
        self.disk, self.chance = disk, chance
        asana, self.external = Asana(), EXTERNAL[tool]()
        self.hub = asana.simulator
        self.tools: Mapping[Side, Tool[Any]] = {Side.HUB: asana, Side.EXTERNAL: self.external}
        self.sides: Mapping[Side, Simulator] = {side: tool.simulator for side, tool in self.tools.items()}
        self.containers = {
            Side.HUB: self.hub.new_container("Website"),
            Side.EXTERNAL: self.external.simulator.new_container("website"),
        }
        self.settings = Settings(
            data_dir=disk.folder,
            database_url="",
            public_url=PUBLIC_URL if hooks else "",
            allow_private_hosts="127.0.0.1",
            **{**self.external.settings, **(settings or {})},
        )
        if hooks:
            self.external.install(PUBLIC_URL)
        self.hub.oauth = oauth
        self.hub.oauth_app.rotates, self.hub.oauth_app.lives_s = True, TOKENS_LIVE_S
        self.credentials = {side: self._usable(side) for side in Side}
        """What the configuration says: an admin brings others only when these are refused."""
        self.mapping: dict[str, Any] = dict(self.external.mapping)
        self.program: Program | None = None
        self.lives = 0
        self._asleep: list[Program] = []
        self.pauses: list[list[float]] = []
        """When each began and ended, by the loop's clock; the end of the present one is not there yet."""
        self.deaths: list[float] = []
        """When each life ended or fell asleep, by the loop's clock."""
        self.naps: list[tuple[float, float]] = []
        """From when to when a life slept that went on then, by the loop's clock."""
        self.applied: list[tuple[float, float]] = []
        """From when to when an admin's ``apply`` ran beside the program."""
        self.misdated: set[tuple[Side, str]] = set()
        """What was made while a clock was wrong, and it was right again before we asked for the time."""
        self.dead: set[Side] = set()
        """Sides whose credentials were refused at the end, or after it."""
        self.approvals: list[Approval] = []
        """What an admin allowed, in order."""

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
                await self.end_sleepers()
                await self.kill()

    def _inside(self) -> tuple[Intake, Life] | None:
        return (self.program.intake, self.program.life) if self.program is not None else None

    # lives of the program

    def begin(self) -> Program:
        """Another life."""
        self.lives += 1
        providers = {PORTS[side]: simulator for side, simulator in self.sides.items()}
        # a name of another machine: whether it is dead nobody can tell from here
        owner = f"town-{self.lives}"
        self.program = Program(self.settings, self.disk, providers, owner, self.chance)
        return self.program

    async def stop(self) -> None:
        program = self._taken()
        if program is not None:
            await program.stop()

    async def kill(self) -> None:
        program = self._taken()
        if program is not None:
            await program.kill()

    def _taken(self) -> Program | None:
        program, self.program = self.program, None
        self.deaths.append(asyncio.get_running_loop().time())
        return program

    def fall_asleep(self, sleeper: Program) -> None:
        """As SIGSTOP does: that life sleeps, and another one begins."""
        sleeper.life.fall_asleep()
        self.deaths.append(asyncio.get_running_loop().time())
        self._asleep.append(sleeper)
        if self.program is sleeper:
            self.begin().start()

    async def end(self, sleeper: Program) -> None:
        """Of a life that slept for a while."""
        if sleeper in self._asleep:
            self._asleep.remove(sleeper)
            await sleeper.kill()

    async def end_sleepers(self) -> None:
        for sleeper in tuple(self._asleep):
            await self.end(sleeper)

    async def alive(self) -> Program:
        """The program; another life begins at once, or in a moment."""
        while (program := self.program) is None:  # noqa: ASYNC110  # virtual time: nothing is polled
            await asyncio.sleep(1)
        return program

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
                    "name": self.tools[side].connection,
                    "connector": self.sides[side].name,
                    "settings": given[side]["settings"],
                    "credentials": self.credentials[side],
                }
                for side in Side
            ],
            "people": [
                {tool.connection: tool.person(name) for tool in self.tools.values()}
                for name in ("ada", "bob")
            ],
            "mappings": [
                {
                    "name": "web",
                    "connection": self.external.connection,
                    "container": self.containers[Side.EXTERNAL],
                    "asana": {
                        "connection": self.tools[Side.HUB].connection,
                        "project": self.containers[Side.HUB],
                    },
                    **self.mapping,
                }
            ],
        }

    async def apply(self) -> None:
        program, text = await self.alive(), yaml.safe_dump(self.document())
        began = asyncio.get_running_loop().time()
        try:
            async with program.beside() as engine:
                await apply(engine, load(text, {}, discover()), consent=True)
        finally:
            self.applied.append((began, asyncio.get_running_loop().time()))

    async def switch(self, *, paused: bool) -> None:
        """As ``asana-sync pause --mapping web`` and ``resume``."""
        engine = (await self.alive()).engine  # a command needs nobody else; here it borrows the engine
        try:
            async with engine.database.write() as session:
                await session.execute(update(MappingRow).values(paused=paused))
                if not paused:
                    stopped = update(MappingRow).where(col(MappingRow.state) == "stopped")
                    await session.execute(stopped.values(state="active", reason="", full_pass_due=True))
                    ids = list((await session.execute(select(MappingRow.id))).scalars())
                    await marks.hurry(session, ids, engine.now())
        finally:  # killed with the engine at the commit: it may be over for all that
            now, lasts = asyncio.get_running_loop().time(), bool(self.pauses) and len(self.pauses[-1]) == 1
            if lasts and not paused:
                self.pauses[-1].append(now)
        if paused and not lasts:
            self.pauses.append([now])

    async def approve(self, number: int) -> None:
        """As ``asana-sync approve web``, where so many deletions wait for it."""
        assert self.program is not None
        self.approvals.append(Approval(number, self.closed()))
        engine = self.program.engine
        async with engine.database.write() as session:
            for row in (await session.execute(select(MappingRow))).scalars():
                assert row.approval is not None
                allowed = [action["link"] for action in row.approval["actions"]]
                row.state, row.reason, row.approval = "active", "", {**row.approval, "approved": allowed}
                await marks.hurry(session, [row.id], engine.now())

    def closed(self) -> frozenset[tuple[Side, str]]:
        """What is closed now, on either side."""
        return frozenset(
            (side, id)
            for side, simulator in self.sides.items()
            for id in simulator.objects(self.containers[side])
            if (view := simulator.view(id)) is not None and view["state"] == "closed"
        )

    async def renew(self) -> bool:
        """Get credentials that work for connections that need them, to be applied; whether any do."""
        assert self.program is not None
        async with self.program.engine.database.read() as session:
            query = select(Connection.name).where(col(Connection.state) == "needs_reauth")
            names = set((await session.execute(query)).scalars())
        dead = {side for side in Side if self.tools[side].connection in names}
        self.dead |= dead
        self.credentials |= {side: self._usable(side) for side in dead if side is Side.HUB and self.hub.oauth}
        return bool(dead)

    def _usable(self, side: Side) -> dict[str, str]:
        return dict(self.sides[side].connection("")["credentials"])
