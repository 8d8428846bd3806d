"""The conflict list: every edit that did not win, with its full value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import Value
from sync.reconcile.model import Clash, Side, Stamp
from sync.store.history import tell
from sync.store.tables import Conflict, Link
from sync.store.times import rfc3339
from sync.store.upsert import insert_into
from sync.store.values import dump

log = structlog.get_logger()

EDIT_VS_DELETE = "edit_vs_delete"
"""The kind of an entry about an object that was deleted while it was edited on the other side."""


def half(value: Value, stamp: Stamp | None) -> dict[str, Any]:
    """One side of a conflict as it is stored and shown: whole value, when, how known, by whom."""
    author = stamp.author if stamp else None
    return {
        "value": dump(value),
        "modified_at": rfc3339(stamp.at) if stamp else None,
        "time_from": stamp.known_from if stamp else "first_read",
        "author": {"id": author.id, "name": author.name} if author else None,
    }


async def keep(
    session: AsyncSession, link: Link, clash: Clash, now: datetime, version: int, *, salt: str = ""
) -> None:
    """Add an entry, unless the very same clash is listed already.

    ``salt`` tells apart clashes that happen to be between the same values again, in place of the times:
    of one clash the times may be told later.
    """
    hub, external = (
        half(clash.values.of(Side.HUB), clash.hub_stamp),
        half(clash.values.of(Side.EXTERNAL), clash.external_stamp),
    )
    times = [hub["modified_at"], external["modified_at"]] if clash.winner and not salt else []
    content = json.dumps([clash.kind, hub["value"], external["value"], times, salt], sort_keys=True)
    insert = insert_into(session, Conflict).values(
        mapping_id=link.mapping_id,
        mapping_version=version,
        link_id=link.id,
        field=clash.field,
        kind=clash.kind,
        state="open",
        policy=clash.policy.value,
        winner=clash.winner.value if clash.winner else None,
        reason=clash.reason,
        detected_at=now,
        hub=hub,
        external=external,
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
        restoring="",
    )
    added = await session.execute(insert.on_conflict_do_nothing().returning(col(Conflict.id)))
    if added.scalar_one_or_none() is not None:
        log.info("conflict.kept", link=link.id, field=clash.field, reason=clash.reason)
        tell(
            session,
            link,
            "conflict",
            clash.reason,
            now,
            field=clash.field,
            before=clash.values.hub,
            after=clash.values.external,
            version=version,
        )


async def keep_replaced(
    session: AsyncSession, link: Link, clash: Clash, now: datetime, version: int, *, sides: Collection[Side]
) -> None:
    """Add an entry for what a person has replaced on ``sides``, unless one of the same decision has it.

    It was planned anew after one side was written: what stood on the other one is listed already.
    """
    query = select(Conflict).where(
        col(Conflict.link_id) == link.id,
        col(Conflict.field) == clash.field,
        col(Conflict.kind) == clash.kind,
        col(Conflict.reason) == clash.reason,
    )
    for entry in (await session.execute(query)).scalars():
        halves = {Side.HUB: entry.hub, Side.EXTERNAL: entry.external}
        if all(halves[side]["value"] == dump(clash.values.of(side)) for side in sides):
            return
    await keep(session, link, clash, now, version)


_RESTORING = (
    select(Conflict)
    .where(col(Conflict.link_id).in_(bindparam("link_ids", expanding=True)), col(Conflict.restoring) != "")
    .order_by(col(Conflict.id))
)


async def restoring(session: AsyncSession, link_ids: Sequence[int]) -> dict[int, list[Conflict]]:
    """Entries of these links that somebody asked to restore."""
    found: dict[int, list[Conflict]] = {}
    for entry in (await session.execute(_RESTORING, {"link_ids": link_ids})).scalars():
        found.setdefault(entry.link_id, []).append(entry)
    return found


async def made_anew(session: AsyncSession, link_ids: Sequence[int]) -> None:
    """The objects of these links that had been deleted stand there again: their entries are restored."""
    await session.execute(
        update(Conflict)
        .where(col(Conflict.link_id).in_(link_ids), col(Conflict.state) == "open")
        .where(col(Conflict.restoring) != "")
        .values(state="restored", restoring="")
    )
