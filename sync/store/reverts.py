"""Fields that a person asked to put back to what stood there before our writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.store import writes
from sync.store.tables import Revert, Write

OPEN, DONE, SKIPPED = "open", "done", "skipped"

EDITED_SINCE = "somebody edited since what we had written on the other side: that edit stays"


@dataclass(frozen=True, slots=True)
class Undoable:
    """What can be asked for. ``left``: writes that are no field of an object, with why they stay."""

    fields: Sequence[Revert]
    left: Sequence[tuple[Write, str]]


_STAY = {
    writes.CREATE: "an object that was created stays: delete it by hand, or end its link",
    writes.COMMENT_ADD: "a comment that was copied stays",
    writes.COMMENT_EDIT: "an edited comment stays as it is",
    writes.COMMENT_DELETE: "a copy of a deleted comment is not made again",
    writes.ATTACHMENT_ADD: "a file that was copied stays",
    writes.DELETE: "what was deleted is not made again",
}


async def undoable(session: AsyncSession, mapping_id: int, since: datetime, now: datetime) -> Undoable:
    """What the mapping has written since then and can put back, as rows that are not stored yet.

    A field goes back through our own writes as far as nobody edited it in between; the other side follows.
    Where first one side was written and then the other one, somebody edited what we had written: that edit
    stays. So does what a person had put there by hand, by restoring a value or by an earlier revert.
    """
    query = (
        select(Write)
        .where(
            col(Write.mapping_id) == mapping_id,
            col(Write.intent_at) >= since,
            col(Write.state) == writes.DONE,
        )
        .order_by(col(Write.id).desc())
    )
    found: dict[tuple[int, str], Revert] = {}
    by_hand: set[tuple[int, str]] = set()
    left: list[tuple[Write, str]] = []
    for write in (await session.execute(query)).scalars():
        if write.op != writes.UPDATE:
            left.append((write, _STAY.get(write.op, "it follows a deletion, and stays")))
            continue
        for rule, part in write.plan.items():
            key = (write.link_id, rule)
            if part.get("by_hand"):
                by_hand.add(key)
            if key in by_hand or part["field"] not in write.before:
                continue
            known = found.get(key)
            if known is None:
                found[key] = _entry(write, rule, str(part["field"]), now)
            elif known.side == write.side:
                _further_back(known, write)
            elif not part.get("merged"):
                known.state, known.reason = SKIPPED, EDITED_SINCE
    return Undoable([entry for entry in found.values() if entry.back != entry.holds], left)


def _entry(write: Write, rule: str, field: str, now: datetime) -> Revert:
    return Revert(
        mapping_id=write.mapping_id,
        link_id=write.link_id,
        side=write.side,
        rule=rule,
        field=field,
        holds=_answered(write, field),
        back=write.before[field],
        write_id=write.id,
        asked_at=now,
    )


def _further_back(known: Revert, write: Write) -> None:
    """To what stood there before an older write, where nobody edited between that and the next one."""
    if known.back == _answered(write, known.field):
        known.back, known.write_id = write.before[known.field], write.id


def _answered(write: Write, field: str) -> Any:
    return (write.answer or {}).get(field, write.fields.get(field))


async def ask(session: AsyncSession, entries: Sequence[Revert]) -> None:
    """Store them; what was asked for earlier and is not done yet is asked for no more."""
    if not entries:
        return
    await session.execute(
        update(Revert)
        .where(col(Revert.link_id).in_([entry.link_id for entry in entries]), col(Revert.state) == OPEN)
        .values(state=SKIPPED, reason="asked for again")
    )
    session.add_all(entries)
    await session.flush()


_ASKED = (
    select(Revert)
    .where(col(Revert.link_id).in_(bindparam("link_ids", expanding=True)), col(Revert.state) == OPEN)
    .order_by(col(Revert.id))
)


async def asked(session: AsyncSession, link_ids: Sequence[int]) -> dict[int, list[Revert]]:
    """What is to be put back on these links."""
    found: dict[int, list[Revert]] = {}
    for entry in (await session.execute(_ASKED, {"link_ids": link_ids})).scalars():
        found.setdefault(entry.link_id, []).append(entry)
    return found


async def close(session: AsyncSession, reasons: Mapping[int, str], now: datetime) -> None:
    """``reasons``: id -> why it was not put back, empty where it was."""
    for entry_id, reason in reasons.items():
        await session.execute(
            update(Revert)
            .where(col(Revert.id) == entry_id, col(Revert.state) == OPEN)
            .values(state=SKIPPED if reason else DONE, reason=reason, done_at=now)
        )


async def open_number(session: AsyncSession, ids: Sequence[int]) -> int:
    """How many of these wait."""
    query = select(func.count()).where(col(Revert.id).in_(ids), col(Revert.state) == OPEN)
    return int((await session.execute(query)).scalar_one())
