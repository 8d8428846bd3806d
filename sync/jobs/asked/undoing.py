"""``revert``: what the mapping wrote since a time is put back, field by field, by the next pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.jobs.asked.by_hand import work_while
from sync.jobs.engine import Engine
from sync.jobs.watching.looking import look_again
from sync.store import links, reverts
from sync.store.audit import note
from sync.store.listings import side_word
from sync.store.tables import Link, Revert, Write
from sync.store.times import rfc3339

ENDED = "the link has ended"


async def undo(engine: Engine, mapping_id: int, since: datetime) -> list[int]:
    """Ask for everything that can be put back; ids of what was asked for. Passes do it.

    Nothing is checked against the providers yet: whether a field still holds what we wrote is seen right
    before it would be written.
    """
    async with engine.database.write() as session:
        found = await reverts.undoable(session, mapping_id, since, engine.now())
        living = await _living(session, [entry.link_id for entry in found.fields])
        entries = [entry for entry in found.fields if entry.link_id in living]
        await reverts.ask(session, entries)
        for link in living.values():
            await look_again(session, link, "revert asked for", engine.now())
        note(session, "revert", str(mapping_id), since=rfc3339(since), fields=len(entries))
    return [entry.id for entry in entries]


async def foretell(engine: Engine, mapping_id: int, since: datetime) -> dict[str, Any]:
    """What would be asked for, as :func:`told` tells it; nothing is stored."""
    async with engine.database.read() as session:
        found = await reverts.undoable(session, mapping_id, since, engine.now())
        living = await _living(session, [entry.link_id for entry in found.fields])
        for entry in found.fields:
            if entry.link_id not in living:
                entry.state, entry.reason = reverts.SKIPPED, ENDED
    return _document(found.fields, found.left)


async def finish(engine: Engine, mapping_id: int, ids: Sequence[int]) -> None:
    """Work until nothing of it is left to do, or a person has to do something first."""

    async def waits() -> bool:
        async with engine.database.read() as session:
            return bool(await reverts.open_number(session, ids))

    await work_while(engine, mapping_id, waits)


async def told(engine: Engine, mapping_id: int, since: datetime, ids: Sequence[int]) -> dict[str, Any]:
    """How far it is: ``{fields: [...], left: [...]}``."""
    async with engine.database.read() as session:
        query = select(Revert).where(col(Revert.id).in_(ids)).order_by(col(Revert.id))
        entries = (await session.execute(query)).scalars().all()
        oldest = min((entry.asked_at for entry in entries), default=engine.now())
        found = await reverts.undoable(session, mapping_id, since, oldest)
    return _document(entries, [(write, why) for write, why in found.left if write.intent_at < oldest])


async def _living(session: AsyncSession, link_ids: Sequence[int]) -> dict[int, Link]:
    query = select(Link).where(col(Link.id).in_(link_ids), col(Link.state) != links.UNLINKED)
    return {row.id: row for row in (await session.execute(query)).scalars()}


def _document(entries: Sequence[Revert], left: Sequence[tuple[Write, str]]) -> dict[str, Any]:
    return {
        "fields": [
            {
                "link": entry.link_id,
                "side": side_word(entry.side),
                "field": entry.field,
                "from": entry.holds,
                "to": entry.back,
                "write_id": entry.write_id,
                "state": entry.state,
                "reason": entry.reason,
            }
            for entry in entries
        ],
        "left": [
            {
                "link": write.link_id,
                "side": side_word(write.side),
                "op": write.op,
                "write_id": write.id,
                "reason": why,
            }
            for write, why in left
        ],
    }
