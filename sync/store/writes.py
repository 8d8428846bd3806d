"""The write log: an intent is committed before each remote write, its result after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import Record
from sync.store.tables import Write
from sync.store.values import dump_all

INTENT = "intent"
UNKNOWN = "unknown"
DONE = "done"
NOT_DONE = "not_done"
REFUSED = "refused"

OPEN = (INTENT, UNKNOWN)
"""Not known whether it happened."""

CREATE = "create"
UPDATE = "update"
DELETE = "delete"
COMMENT_ADD = "comment_add"
COMMENT_EDIT = "comment_edit"
COMMENT_DELETE = "comment_delete"
ATTACHMENT_ADD = "attachment_add"
CARD = "card"


async def unresolved(session: AsyncSession, link_ids: Sequence[int]) -> dict[int, list[Write]]:
    """Writes of these links whose outcome is not known, oldest first."""
    found: dict[int, list[Write]] = {}
    if not link_ids:
        return found
    query = (
        select(Write)
        .where(col(Write.link_id).in_(list(link_ids)), col(Write.state).in_(OPEN))
        .order_by(col(Write.id))
    )
    for write in (await session.execute(query)).scalars():
        found.setdefault(write.link_id, []).append(write)
    return found


async def recent(session: AsyncSession, refs: Sequence[str], since: datetime) -> Sequence[Write]:
    """Updates of these objects that were done since then, newest first, under whatever mapping."""
    query = (
        select(Write)
        .where(
            col(Write.ref).in_(list(refs)),
            col(Write.state) == DONE,
            col(Write.op).in_([UPDATE, CREATE]),
            col(Write.done_at) >= since,
        )
        .order_by(col(Write.id).desc())
    )
    return (await session.execute(query)).scalars().all()


async def updated(session: AsyncSession, mapping_id: int, side: str, since: datetime) -> Sequence[Write]:
    """Updates of a mapping on that side that were done since then, newest first."""
    query = (
        select(Write)
        .where(
            col(Write.state) == DONE,
            col(Write.mapping_id) == mapping_id,
            col(Write.side) == side,
            col(Write.op) == UPDATE,
            col(Write.done_at) >= since,
        )
        .order_by(col(Write.id).desc())
    )
    return (await session.execute(query)).scalars().all()


async def newest_of(
    session: AsyncSession, link_ids: Sequence[int], op: str, since: datetime
) -> dict[int, Write]:
    """The newest write of that kind done since then, by link."""
    query = (
        select(Write)
        .where(
            col(Write.link_id).in_(list(link_ids)),
            col(Write.op) == op,
            col(Write.state) == DONE,
            col(Write.done_at) >= since,
        )
        .order_by(col(Write.id))
    )
    return {write.link_id: write for write in (await session.execute(query)).scalars()}


async def last_of(session: AsyncSession, ref: str, limit: int = 20) -> Sequence[Write]:
    """The newest finished writes to an object, newest first, under whatever mapping."""
    query = (
        select(Write)
        .where(col(Write.ref) == ref, col(Write.state) == DONE)
        .order_by(col(Write.id).desc())
        .limit(limit)
    )
    return (await session.execute(query)).scalars().all()


async def count_since(session: AsyncSession, mapping_id: int, ops: Sequence[str], since: datetime) -> int:
    """How many writes of these kinds a mapping has begun since then, refused ones left out."""
    query = select(func.count()).where(
        col(Write.mapping_id) == mapping_id,
        col(Write.op).in_(list(ops)),
        col(Write.intent_at) >= since,
        col(Write.state).in_([INTENT, UNKNOWN, DONE]),
    )
    return int((await session.execute(query)).scalar_one())


async def update_counts(session: AsyncSession, link_ids: Sequence[int], since: datetime) -> dict[int, int]:
    """How many updates of each link were sent since then: the budget against loops."""
    query = (
        select(col(Write.link_id), func.count())
        .where(
            col(Write.link_id).in_(link_ids),
            col(Write.op) == UPDATE,
            col(Write.intent_at) >= since,
            col(Write.state) != NOT_DONE,
        )
        .group_by(col(Write.link_id))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def begin(session: AsyncSession, rows: Sequence[Write]) -> None:
    """Store intents at once; each row gets its id."""
    if rows:
        statement = insert(Write).returning(col(Write.id), sort_by_parameter_order=True)
        ids = await session.execute(statement, [row.model_dump(exclude={"id"}) for row in rows])
        for row, row_id in zip(rows, ids.scalars(), strict=True):
            row.id = row_id


async def end(session: AsyncSession, answers: Sequence[tuple[Write, Record]], now: datetime) -> None:
    """Keep what came back of writes that were done."""
    if answers:
        statement = (
            update(Write.__table__)  # type: ignore[attr-defined]
            .where(col(Write.id) == bindparam("write_id"))
            .values(state=DONE, done_at=now, answer=bindparam("came"), answer_version=bindparam("version"))
        )
        rows = [
            {"write_id": row.id, "came": dump_all(answer.fields), "version": answer.version}
            for row, answer in answers
        ]
        await (await session.connection()).execute(statement, rows)
        for row, _ in answers:
            row.state = DONE
