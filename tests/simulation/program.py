"""The program as it runs in a town: the real jobs and intake, rung for by a plain loop instead of arq."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, select
from sqlmodel import col

from connectors.http import Outbound
from connectors.simulation import Simulator
from sync.jobs.connecting.sessions import Sessions
from sync.jobs.engine import Engine
from sync.jobs.passing.passes import sync_mapping
from sync.jobs.receiving.intake import Intake
from sync.jobs.tending import upkeep
from sync.jobs.watching import polling
from sync.jobs.watching.full_pass import full_pass
from sync.settings import Settings
from sync.store import marks
from sync.store.cursors import cursors_due
from sync.store.secrets import Vault
from sync.store.tables import Cursor, Mark
from tests.simulation.air import Air
from tests.simulation.disk import Disk
from tests.simulation.life import Killed, Life

UPKEEP_S = 60.0
_BUSY_S = 1.0
"""Until the next look where something is due that nobody could work on."""


class Program:
    """One life of it, with web side and worker in one process."""

    def __init__(
        self,
        settings: Settings,
        disk: Disk,
        providers: Mapping[int, Simulator],
        owner: str,
        chance: random.Random,
    ) -> None:
        self.life = Life()
        self._rung = asyncio.Event()
        database, vault = disk.start(self.life, chance), Vault.from_settings(settings, create=True)
        self._way_out = partial(Outbound, transport=Air(providers, self.life, chance))
        self.engine = Engine(
            settings=settings,
            database=database,
            vault=vault,
            sessions=Sessions(settings, database, vault, None, way_out=self._way_out),
            owner=owner,
            wake=self._ring,
        )
        self.intake = Intake(self.engine)
        self._looked_after: datetime | None = None
        self._work: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[Engine]:
        """What a command has that runs beside it: the same database, and sessions of its own."""
        engine = self.engine
        own = Sessions(engine.settings, engine.database, engine.vault, None, way_out=self._way_out)
        try:
            yield replace(engine, sessions=own)
        finally:
            await own.aclose()

    async def _ring(self, mapping_id: int, delay_s: float) -> None:
        self._rung.set()

    def start(self) -> asyncio.Task[None]:
        self._work = asyncio.create_task(self._run())
        return self._work

    @property
    def broken(self) -> BaseException | None:
        """What ended it though nobody meant it to."""
        work = self._work
        if work is None or not work.done() or work.cancelled() or isinstance(work.exception(), Killed):
            return None
        return work.exception()

    async def stop(self) -> None:
        """As a deployment does: whatever is under way is cancelled where it stands."""
        await self._end()
        with suppress(Killed):
            await self.engine.sessions.aclose()
        self.life.kill()

    async def kill(self) -> None:
        """As SIGKILL does."""
        self.life.kill()
        await self._end()

    async def _end(self) -> None:
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError, Killed):
                await self._work

    async def _run(self) -> None:
        await upkeep.bury_the_dead(self.engine)
        await upkeep.notice_gaps(self.engine)
        while True:
            self._rung.clear()
            await self.look()
            await self._rest()

    async def look(self) -> None:
        """Do all that is due now."""
        engine, now = self.engine, self.engine.now()
        if self._looked_after is None or now - self._looked_after >= timedelta(seconds=UPKEEP_S):
            self._looked_after = now
            await upkeep.ensure_cursors(engine)
            await upkeep.round_of(engine)
        async with engine.database.read() as session:
            cursors = await cursors_due(session, engine.now())
        await _all(*(polling.poll(engine, cursor_id) for cursor_id in cursors))
        async with engine.database.read() as session:
            mappings = await marks.mappings_due(session, engine.now())
        await _all(*(sync_mapping(engine, mapping_id) for mapping_id in mappings))
        for mapping_id in await upkeep.full_passes_due(engine):
            await full_pass(engine, mapping_id)

    async def _rest(self) -> None:
        """Until something is due, or somebody rings."""
        now = self.engine.now()
        async with self.engine.database.read() as session:
            times = (
                await session.execute(
                    select(
                        select(func.min(col(Mark.due_at))).scalar_subquery(),
                        select(func.min(col(Cursor.next_at))).scalar_subquery(),
                    )
                )
            ).one()
        assert self._looked_after is not None
        next_at = min(self._looked_after + timedelta(seconds=UPKEEP_S), *(at for at in times if at))
        pause = (next_at - now).total_seconds()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause if pause > 0 else _BUSY_S):
                await self._rung.wait()


async def _all(*jobs: object) -> None:
    """All of them to their ends, as jobs of a queue have them; then the first error."""
    ends = await asyncio.gather(*jobs, return_exceptions=True)  # type: ignore[call-overload]
    for end in ends:
        if isinstance(end, BaseException):
            raise end
