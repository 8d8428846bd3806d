"""What the store knows of links that are about to be planned, read for a whole batch at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from sync.jobs.engine import Engine
from sync.store import conflicts, links, parking, reverts, writes
from sync.store.tables import Conflict, Link, Parked, Revert, Seen, Write

LOOP_WINDOW = timedelta(minutes=10)
"""So far back go the writes that tell whether two automations fight over a field."""


@dataclass(slots=True)
class Past:
    """Of one link.

    ``seen``: by rule name. ``parked``: its parked fields. ``to_restore``: conflicts that somebody
    asked to put back. ``to_revert``: fields that somebody asked to put back to what stood there before
    our writes. ``written``: what was written to either end lately, under whatever mapping,
    newest first. ``updates``: how often this link was written within ``LOOP_WINDOW``.
    """

    seen: Mapping[str, Seen] = field(default_factory=dict)
    parked: Sequence[Parked] = ()
    to_restore: Sequence[Conflict] = ()
    to_revert: Sequence[Revert] = ()
    written: Sequence[Write] = ()
    updates: int = 0


async def pasts_of(session: AsyncSession, engine: Engine, rows: Sequence[Link]) -> dict[int, Past]:
    """The past of each of these links, by link id."""
    ids = [link.id for link in rows]
    if not ids:
        return {}
    since = engine.now() - LOOP_WINDOW
    ends = {link.id: [ref for ref in (link.hub_ref, link.external_ref) if ref] for link in rows}
    seen = await links.seen_of(session, ids)
    parked = await parking.fields_parked(session, ids)
    to_restore = await conflicts.restoring(session, ids)
    to_revert = await reverts.asked(session, ids)
    updates = await writes.update_counts(session, ids, since)
    horizon = min(since, engine.in_s(-engine.settings.stale_seconds))
    written: dict[str, list[Write]] = {}
    for write in await writes.recent(session, [ref for refs in ends.values() for ref in refs], horizon):
        written.setdefault(write.ref, []).append(write)
    return {
        link_id: Past(
            seen=seen.get(link_id, {}),
            parked=parked.get(link_id, ()),
            to_restore=to_restore.get(link_id, ()),
            to_revert=to_revert.get(link_id, ()),
            written=sorted(
                (write for ref in refs for write in written.get(ref, ())), key=lambda write: -write.id
            ),
            updates=updates.get(link_id, 0),
        )
        for link_id, refs in ends.items()
    }
