"""Did our write overwrite an edit that we never read? A provider's echo that names the old value tells.

Between our read and our write a person may have edited the field. Where the echo of our own write
says what stood there before (GitHub: ``changes.*.from``), and that is not what we read, that edit is
lost at the provider: it goes to the conflict list with its whole value.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.changes import Change
from sync.jobs.routing.route import Route
from sync.reconcile.model import Clash, Pair, Policy, Side
from sync.store import conflicts, links
from sync.store.tables import Write
from sync.store.values import parse

_LOOK_BACK = 5


async def keep_lost_edits(
    session: AsyncSession, route: Route, side: Side, changes: Iterable[Change], now: datetime
) -> None:
    """List every edit that these changes show to have been overwritten by us."""
    own = route.own_names(side)
    telling = [change for change in changes if change.previous and change.actor in own]
    by_ref = await links.by_refs(session, route.mapping.id, [str(change.ref) for change in telling])
    for change in telling:
        link = by_ref.get(str(change.ref))
        if link is None:
            continue
        ours = await _newest(session, link.id, str(change.ref))
        for name, stood in change.previous.items():
            write = next((row for row in ours if name in row.before), None)
            if write is None:
                continue
            same = route.end(side).session.same
            expected = [
                parse(values[name]) for row in ours for values in (row.before, row.fields) if name in values
            ]
            if any(same(name, value, stood) for value in expected):
                continue
            sent = parse(write.fields[name])
            clash = Clash(
                rule=name,
                field=name,
                kind="overwritten",
                policy=Policy.LAST_MODIFIED,
                winner=side.other,
                values=Pair(stood, sent) if side is Side.HUB else Pair(sent, stood),
                hub_stamp=None,
                external_stamp=None,
                reason="edited between our read and our write, and overwritten by it",
            )
            await conflicts.keep(session, link, clash, now, route.mapping.version, salt=str(write.id))


async def _newest(session: AsyncSession, link_id: int, ref: str) -> list[Write]:
    """Our newest updates of the object, the one under way included."""
    query = (
        select(Write)
        .where(col(Write.link_id) == link_id, col(Write.ref) == ref, col(Write.op) == "update")
        .order_by(col(Write.id).desc())
        .limit(_LOOK_BACK)
    )
    return list((await session.execute(query)).scalars())
