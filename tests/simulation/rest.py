"""When a town is at rest, and what is looked at once more then."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from connectors.simulation import Exchange
from sync.jobs.watching.full_pass import full_pass
from sync.reconcile.model import Side
from sync.store.status import status
from sync.store.tables import Mapping
from tests.simulation.town import Town

PATIENCE_S = 3 * 3600.0
"""After the last trouble everything must be at rest within this time."""


ENOUGH = 4000
"""Requests: no town needs so many, unless the program answers itself."""


class Restless(Exception):
    """The text says what is still to be done."""


async def standing(town: Town, *, since: datetime | None = None) -> dict[str, Any]:
    """As ``asana-sync status`` tells it; quiet only where everything was read after that time."""
    assert town.program is not None
    engine = town.program.engine
    async with engine.database.read() as session:
        return await status(session, version="", now=engine.now(), instance={}, since=since)


async def come_to_rest(town: Town, *, look_s: float = 60.0) -> float:
    """Wait until nothing is left to do and every side was polled since; how many seconds that took.

    What waits for an admin gets one meanwhile.

    Raises:
        Restless: there is no end to it.
    """
    clock, since = asyncio.get_running_loop().time, datetime.now(UTC)
    began = clock()
    while clock() - began < PATIENCE_S:
        await asyncio.sleep(look_s)
        asked = sum(len(simulator.journal) for simulator in town.sides.values())
        if asked > ENOUGH:
            raise Restless(f"{asked} requests, and no end to it")
        if town.program is None or town.program.life.over:
            continue
        if town.program.broken is not None:
            raise town.program.broken
        if await town.renew():  # an answer with new tokens was lost on the way here
            await town.apply()
        told = await standing(town, since=since)
        for mapping in told["mappings"]:
            if mapping["approval"]:
                await town.approve(len(mapping["approval"]["actions"]))
            elif mapping["state"] == "stopped":  # by an answer that was under way when the weather cleared
                await town.switch(paused=False)
        if told["quiet"]:
            return clock() - began
    raise Restless(f"not at rest after {PATIENCE_S:g} s: {await standing(town)}")


async def ask_for_full_pass(town: Town) -> None:
    """The complete comparison that otherwise comes every six hours."""
    async with (await town.alive()).engine.database.write() as session:
        await session.execute(update(Mapping).values(full_pass_due=True))


async def compare(town: Town) -> None:
    """A complete comparison, and what follows from it: no tool's listing shows a comment that is no more."""
    await _compare_all_comments(town)
    await ask_for_full_pass(town)
    await come_to_rest(town)


async def _compare_all_comments(town: Town) -> None:
    """As ``asana-sync sync --full``: otherwise those of quiet objects are spread over a day."""
    assert town.program is not None
    async with town.program.beside() as engine:
        async with engine.database.read() as session:
            ids = (await session.execute(select(Mapping.id))).scalars().all()
        for mapping_id in ids:
            await full_pass(engine, mapping_id, all_comments=True)


class Written:
    """What the program has written to the providers since this was made."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._from = {side: len(simulator.journal) for side, simulator in town.sides.items()}

    def __call__(self) -> list[tuple[Side, Exchange]]:
        return [
            (side, exchange)
            for side, simulator in self._town.sides.items()
            for exchange in simulator.journal[self._from[side] :]
            if exchange.committed and self._town.tools[side].is_content(exchange)
        ]
