"""A mapping is given back though the database is busy: nobody else could work on it until the lease ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from sync.jobs.asked import by_hand
from sync.jobs.passing.lease import leased
from sync.reconcile.model import Side
from sync.store.database import Database
from sync.store.errors import StoreUnreachable
from sync.store.tables import Conflict, Mapping
from tests.jobs.world import World


@dataclass
class Busy(Database):
    """A database in which somebody else has the lock, for so many transactions from some moment on."""

    real: Database
    left: int = 0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        if self.left:
            self.left -= 1
            raise StoreUnreachable("the database cannot do it now: database is locked")
        async with self.real.write() as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with self.real.read() as session:
            yield session


async def test_a_lease_is_given_back_at_the_next_try(world: World) -> None:
    busy = Busy(world.engine.database)
    mapping = await world.the(Mapping)
    async with leased(replace(world.engine, database=busy), mapping.id) as lease:
        assert lease is not None
        busy.left = 1
    assert (await world.the(Mapping)).lease_until is None


async def test_a_restore_goes_on_though_the_database_was_busy_all_along(world: World) -> None:
    item, task = await world.paired(title="Start")
    world.external.edit(item, title="Outside")
    world.hub.edit(task, title="Inside")
    await world.settle()
    entry = await world.the(Conflict)
    assert entry.winner == Side.HUB
    await by_hand.ask_to_restore(world.engine, entry.id, None)
    busy = Busy(world.engine.database, left=3)
    await by_hand.restore(replace(world.engine, database=busy), entry.id)
    assert busy.left == 0
    assert (world.thing()["title"], world.task()["title"]) == ("Outside", "Outside")
