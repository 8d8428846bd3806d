"""Holding a mapping while working on it: renewed in the background, checked before every write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sync.jobs.engine import Engine
from sync.metrics import LEASES_LOST
from sync.store import leases
from sync.store.errors import StoreError
from sync.store.tables import Mapping

log = structlog.get_logger()

_RELEASE_AGAIN_S = (0.1, 0.5, 2.0)


@dataclass(slots=True)
class Lease:
    """One worker's hold on one mapping. ``number`` is the fencing number."""

    engine: Engine
    mapping_id: int
    number: int
    until: datetime
    lost: bool = False

    @property
    def hold(self) -> leases.Hold:
        """What is claimed under this lease."""
        return leases.Hold(self.engine.owner, self.mapping_id, self.number)

    def covers(self, seconds: float) -> bool:
        """Whether a call of that length may start now."""
        return not self.lost and self.engine.now() + timedelta(seconds=seconds) <= self.until

    async def renew(self) -> None:
        async with self.engine.database.write() as session:
            until = self.engine.in_s(self.engine.settings.lease_seconds)
            held = await leases.renew_lease(
                session, self.mapping_id, self.engine.owner, self.number, self.engine.now(), until
            )
            mapping = None if held else await session.get(Mapping, self.mapping_id)
        if held:
            self.until = until
        else:
            self.lost = True
            LEASES_LOST.inc()
            name = mapping.name if mapping else None
            log.warning("lease.lost", mapping=name, reason="another worker took over")


@asynccontextmanager
async def leased(engine: Engine, mapping_id: int) -> AsyncIterator[Lease | None]:
    """The mapping's lease for the body, None while another worker holds it."""
    async with engine.database.write() as session:
        until = engine.in_s(engine.settings.lease_seconds)
        number = await leases.take_lease(session, mapping_id, engine.owner, engine.now(), until)
    if number is None:
        yield None
        return
    lease = Lease(engine, mapping_id, number, until)
    renewing = asyncio.create_task(_keep(lease))
    try:
        yield lease
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        await _release(engine, mapping_id, number)


async def _release(engine: Engine, mapping_id: int, number: int) -> None:
    """A busy database is asked again: kept for nothing, the mapping would rest until the lease ends."""
    for pause in _RELEASE_AGAIN_S:
        with suppress(StoreError):
            async with engine.database.write() as session:
                await leases.release_lease(session, mapping_id, engine.owner, number)
            return
        await asyncio.sleep(pause)
    log.warning("lease.lost", reason="it could not be given back: it ends by itself")


async def _keep(lease: Lease) -> None:
    """Renew four times a lease; a database that does not answer is asked again until the lease ends."""
    pause = lease.engine.settings.lease_seconds / 4
    while not lease.lost:
        await asyncio.sleep(pause)
        with suppress(StoreError):
            await lease.renew()
