"""One run in the foreground: poll both sides, work until it is quiet. Works beside a running instance."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import col

from sync import __version__
from sync.jobs.connecting.states import NEEDS_REAUTH, UNREACHABLE
from sync.jobs.engine import Engine
from sync.jobs.passing.passes import sync_mapping
from sync.jobs.tending import upkeep
from sync.jobs.watching import polling
from sync.jobs.watching.full_pass import full_pass
from sync.store.cursors import cursors_on
from sync.store.status import busy, status
from sync.store.tables import Mapping

_LOOK_S = 0.1
_POLL_AGAIN_S = 1.0

Progress = Callable[[dict[str, Any]], None]


async def work_until_quiet(
    engine: Engine,
    mapping: str | None,
    *,
    full: bool = False,
    progress: Progress | None = None,
    patience_s: float = math.inf,
) -> dict[str, Any]:
    """Returns the status at the end: quiet, or waiting for a person.

    ``patience_s``: after a provider was away, or gave no complete listing, for so long, the status
    is that, too.
    """
    started = engine.now()
    answered_at = started
    await upkeep.bury_the_dead(engine)
    await upkeep.notice_gaps(engine)
    await upkeep.ensure_cursors(engine)
    await upkeep.check_connections(engine)
    chosen = await _mappings(engine, mapping)
    for row in chosen:
        if full or row.full_pass_due:
            async with engine.database.write() as session:
                await session.execute(
                    update(Mapping).where(col(Mapping.id) == row.id).values(full_pass_due=True)
                )
    await _poll(engine, chosen)
    for row in chosen:
        if full or row.full_pass_due:
            await full_pass(engine, row.id, all_comments=full)
    polled_at = engine.now()
    while True:
        for row in chosen:
            await sync_mapping(engine, row.id)
        compared = True
        for mapping_id in await upkeep.full_passes_due(engine):
            if mapping_id in {row.id for row in chosen}:
                compared = await full_pass(engine, mapping_id, all_comments=full) and compared
                await sync_mapping(engine, mapping_id)
        if progress is not None:
            progress(await _status(engine, started))
        if await _settled(engine, chosen):
            # our own writes come back with the next poll: it must find nothing new
            await _poll(engine, chosen)
            await upkeep.end_first_syncs(engine)
            polled_at = engine.now()
            if await _settled(engine, chosen):
                return await _status(engine, started)
        seen = await _status(engine, started)
        mine = [entry for entry in seen["mappings"] if mapping in (None, entry["name"])]
        if _stuck(seen, mine):
            return seen
        if compared and not any(entry["state"] == UNREACHABLE for entry in seen["connections"]):
            answered_at = engine.now()
        elif (engine.now() - answered_at).total_seconds() > patience_s:
            return seen
        if (engine.now() - polled_at).total_seconds() > max(_POLL_AGAIN_S, engine.settings.poll_seconds):
            await upkeep.check_connections(engine)
            await _poll(engine, chosen)
            polled_at = engine.now()
        await asyncio.sleep(_LOOK_S)


async def _mappings(engine: Engine, name: str | None) -> Sequence[Mapping]:
    query = select(Mapping).where(col(Mapping.removed_at).is_(None))
    if name is not None:
        query = query.where(col(Mapping.name) == name)
    async with engine.database.read() as session:
        return (await session.execute(query)).scalars().all()


async def _poll(engine: Engine, chosen: Sequence[Mapping]) -> None:
    places = [
        place
        for row in chosen
        for place in (
            (row.hub_connection_id, row.hub_container),
            (row.external_connection_id, row.external_container),
        )
    ]
    async with engine.database.read() as session:
        cursors = await cursors_on(session, places)
    await asyncio.gather(*(polling.poll(engine, cursor.id, even_if_early=True) for cursor in cursors))


async def _status(engine: Engine, since: datetime) -> dict[str, Any]:
    async with engine.database.read() as session:
        return await status(
            session, version=__version__, now=engine.now(), instance={"id": None, "url": None}, since=since
        )


async def _settled(engine: Engine, chosen: Sequence[Mapping]) -> bool:
    async with engine.database.read() as session:
        return not await busy(session, [row.id for row in chosen])


def _stuck(seen: dict[str, Any], mine: Sequence[dict[str, Any]]) -> bool:
    """Whether what is left of these mappings waits for a person: paused, stopped, or dead credentials."""
    dead = {entry["name"] for entry in seen["connections"] if entry["state"] in (NEEDS_REAUTH, "paused")}
    return bool(seen["paused"]) or all(
        entry["state"] in ("paused", "stopped") or dead & set(entry["connections"].values()) for entry in mine
    )
