"""The write log: an intent is committed before each remote write, its result after."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import Record
from sync.store.tables import Write, table_of
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


_WRITES = table_of(Write)
_LINKS: BindParameter[int] = bindparam("link_ids", expanding=True)

_UNRESOLVED = (
    select(Write).where(col(Write.link_id).in_(_LINKS), col(Write.state).in_(OPEN)).order_by(col(Write.id))
)


async def unresolved(session: AsyncSession, link_ids: Sequence[int]) -> dict[int, list[Write]]:
    """Writes of these links whose outcome is not known, oldest first."""
    found: dict[int, list[Write]] = {}
    if not link_ids:
        return found
    for write in (await session.execute(_UNRESOLVED, {"link_ids": list(link_ids)})).scalars():
        found.setdefault(write.link_id, []).append(write)
    return found


_RECENT = (
    select(Write)
    .where(
        col(Write.ref).in_(bindparam("refs", expanding=True)),
        col(Write.state) == DONE,
        col(Write.op).in_([UPDATE, CREATE]),
        col(Write.done_at) >= bindparam("since"),
    )
    .order_by(col(Write.id).desc())
)


async def recent(session: AsyncSession, refs: Sequence[str], since: datetime) -> Sequence[Write]:
    """Updates of these objects that were done since then, newest first, under whatever mapping."""
    return (await session.execute(_RECENT, {"refs": list(refs), "since": since})).scalars().all()


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


async def count_since(
    session: AsyncSession, mapping_id: int, ops: Sequence[str], since: datetime, *, but: Collection[int] = ()
) -> int:
    """How many writes of these kinds a mapping has begun since then, refused ones left out.

    Args:
        but: links whose writes do not count.
    """
    query = select(func.count()).where(*_begun(mapping_id, ops, since), col(Write.link_id).not_in(but))
    return int((await session.execute(query)).scalar_one())


def links_since(mapping_id: int, ops: Sequence[str], since: datetime) -> Select[int]:
    """The links of such writes."""
    return select(col(Write.link_id)).where(*_begun(mapping_id, ops, since), col(Write.link_id).is_not(None))


def _begun(mapping_id: int, ops: Sequence[str], since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Write.mapping_id) == mapping_id,
        col(Write.op).in_(list(ops)),
        col(Write.intent_at) >= since,
        col(Write.state).in_([INTENT, UNKNOWN, DONE]),
    )


_UPDATES = (
    select(_WRITES.c.link_id, func.count())
    .where(
        _WRITES.c.link_id.in_(_LINKS),
        _WRITES.c.op == UPDATE,
        _WRITES.c.intent_at >= bindparam("since"),
        _WRITES.c.state != NOT_DONE,
    )
    .group_by(_WRITES.c.link_id)
)


async def update_counts(session: AsyncSession, link_ids: Sequence[int], since: datetime) -> dict[int, int]:
    """How many updates of each link were sent since then: the budget against loops."""
    counted = await session.execute(_UPDATES, {"link_ids": link_ids, "since": since})
    return {row[0]: row[1] for row in counted}


_BEGINNING = insert(_WRITES).returning(_WRITES.c.id, sort_by_parameter_order=True)


async def begin(session: AsyncSession, rows: Sequence[Write]) -> None:
    """Store intents at once; each row gets its id."""
    if rows:
        ids = await session.execute(_BEGINNING, [row.model_dump(exclude={"id"}) for row in rows])
        for row, row_id in zip(rows, ids.scalars(), strict=True):
            row.id = row_id


_ENDING = (
    update(_WRITES)
    .where(_WRITES.c.id == bindparam("write_id"))
    .values(
        state=DONE,
        done_at=bindparam("now"),
        answer=bindparam("came"),
        answer_version=bindparam("version"),
    )
)


async def end(session: AsyncSession, answers: Sequence[tuple[Write, Record]], now: datetime) -> None:
    """Keep what came back of writes that were done."""
    if answers:
        rows = [
            {"write_id": row.id, "now": now, "came": dump_all(answer.fields), "version": answer.version}
            for row, answer in answers
        ]
        await session.execute(_ENDING, rows)
        for row, _ in answers:
            row.state = DONE
