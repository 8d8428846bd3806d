"""Marks: "look again at this Ref". The database is the queue of record; arq only wakes.

A mark is deleted when its object was looked at, unless its counter moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import Ref
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Mapping as MappingRow
from sync.store.tables import Mark, table_of
from sync.store.upsert import upsert

_MARKS, _MAPPINGS = table_of(Mark), table_of(MappingRow)
_MARK = _MARKS.c

LIVE = "live"
BACKFILL = "backfill"
LANES = (LIVE, BACKFILL)
"""What is looked at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMark:
    """What is known about why to look. ``due_at`` None: at once."""

    mapping_id: int
    side: Side
    ref: Ref
    lane: str = LIVE
    comments: bool = False
    gone: str = ""
    seen_at: datetime | None = None
    delivery_id: int | None = None
    reason: str = ""
    due_at: datetime | None = None


@upsert(Mark)
def _adding(insert: Any) -> Any:
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["mapping_id", "ref"],
        set_={
            "counter": _MARK.counter + 1,
            "comments": or_(_MARK.comments, new.comments),
            "gone": case((new.gone != "", new.gone), else_=_MARK.gone),
            # a listing may show the past: what is known of a later change stays
            "seen_at": case(
                (new.seen_at > _MARK.seen_at, new.seen_at), else_=func.coalesce(_MARK.seen_at, new.seen_at)
            ),
            "delivery_id": func.coalesce(new.delivery_id, _MARK.delivery_id),
            "address": case((new.address != "", new.address), else_=_MARK.address),
            "lane": case((new.lane == LIVE, LIVE), else_=_MARK.lane),
            "attempts": case((new.lane == LIVE, 0), else_=_MARK.attempts),
            "due_at": case((new.due_at < _MARK.due_at, new.due_at), else_=_MARK.due_at),
        },
    )


async def put(session: AsyncSession, marks: Iterable[NewMark], now: datetime) -> int:
    """Mark; storms collapse here. Returns how many marks were given."""
    merged: dict[tuple[int, str], NewMark] = {}
    for mark in marks:
        key = (mark.mapping_id, str(mark.ref))
        merged[key] = _joined(merged[key], mark) if key in merged else mark
    # always in the same order: two that mark the same objects must not wait for each other
    rows = [_row(merged[key], now) for key in sorted(merged)]
    if rows:
        await session.execute(_adding(session), rows)
    return len(rows)


async def of_sharers(
    session: AsyncSession, mapping_id: int, written: Mapping[str, tuple[Side, Ref]], *, comments: bool = False
) -> list[NewMark]:
    """For links of other mappings on objects that were written: so chains of three tools move."""
    if not written:
        return []
    found = []
    for link in await links.sharing(session, mapping_id, written):
        for ref in (link.hub_ref, link.external_ref):
            side, there = written.get(ref or "", (None, None))
            if side is not None and there is not None and ref == getattr(link, f"{side}_ref"):
                found.append(
                    NewMark(
                        mapping_id=link.mapping_id,
                        side=side,
                        ref=there,
                        comments=comments,
                        reason="another mapping wrote to it",
                    )
                )
    return found


def _joined(old: NewMark, new: NewMark) -> NewMark:
    return NewMark(
        mapping_id=new.mapping_id,
        side=new.side,
        ref=new.ref,
        lane=LIVE if LIVE in (old.lane, new.lane) else new.lane,
        comments=old.comments or new.comments,
        gone=new.gone or old.gone,
        seen_at=max(filter(None, (old.seen_at, new.seen_at)), default=None),
        delivery_id=new.delivery_id or old.delivery_id,
        reason=new.reason or old.reason,
        due_at=min(filter(None, (old.due_at, new.due_at)), default=None),
    )


def _row(mark: NewMark, now: datetime) -> dict[str, Any]:
    return {
        "mapping_id": mark.mapping_id,
        "side": mark.side.value,
        "ref": str(mark.ref),
        "kind": mark.ref.kind,
        "object_id": mark.ref.id,
        "address": mark.ref.address,
        "counter": 1,
        "lane": mark.lane,
        "comments": mark.comments,
        "gone": mark.gone,
        "seen_at": mark.seen_at,
        "delivery_id": mark.delivery_id,
        "attempts": 0,
        "rechecks": 0,
        "reason": mark.reason,
        "first_at": now,
        "due_at": mark.due_at or now,
    }


_DUE = (
    select(Mark)
    .where(
        col(Mark.mapping_id) == bindparam("mapping_id"),
        col(Mark.lane) == bindparam("lane"),
        col(Mark.due_at) <= bindparam("now"),
        col(Mark.id).not_in(bindparam("but", expanding=True)),
    )
    .order_by(col(Mark.due_at), col(Mark.id))
    .limit(bindparam("room"))
)


async def due(
    session: AsyncSession, mapping_id: int, now: datetime, limit: int, *, but: Collection[int] = ()
) -> Sequence[Mark]:
    """Marks to act on now, but for those with these ids: live ones first, oldest first.

    Live ones do not wait for a batch full of others: beside them there are a fifth of others at most.
    """
    found: list[Mark] = []
    for lane in LANES:  # one after the other: each is read in the order of its index, however many wait
        room = min(limit - len(found), max(1, limit // 5)) if found else limit
        if room > 0:
            asked = {"mapping_id": mapping_id, "lane": lane, "now": now, "but": list(but), "room": room}
            found += (await session.execute(_DUE, asked)).scalars()
    return found


_MARKED = select(_MARK.ref).where(
    _MARK.mapping_id == bindparam("mapping_id"), _MARK.ref.in_(bindparam("refs", expanding=True))
)


async def on(session: AsyncSession, mapping_id: int, refs: Sequence[str]) -> frozenset[str]:
    """Those of these Refs that are marked, whenever they are due."""
    found = await session.execute(_MARKED, {"mapping_id": mapping_id, "refs": refs})
    return frozenset(found.scalars())


_WAITING = select(Mark).where(
    col(Mark.mapping_id) == bindparam("mapping_id"),
    col(Mark.ref).in_(bindparam("refs", expanding=True)),
    col(Mark.id).not_in(bindparam("but", expanding=True)),
)


async def waiting(
    session: AsyncSession, mapping_id: int, refs: Collection[str], *, but: Collection[int]
) -> Sequence[Mark]:
    """Marks on these Refs beside those with these ids, due or not: what they tell is known all the same."""
    asked = {"mapping_id": mapping_id, "refs": list(refs), "but": list(but)}
    return (await session.execute(_WAITING, asked)).scalars().all()


_NEXT = select(
    *(
        select(func.min(_MARK.due_at))
        .where(_MARK.mapping_id == bindparam("mapping_id"), _MARK.lane == lane)
        .scalar_subquery()
        for lane in LANES
    )
)


async def next_due(session: AsyncSession, mapping_id: int) -> datetime | None:
    """When the earliest mark of a mapping wants to be looked at."""
    times = (await session.execute(_NEXT, {"mapping_id": mapping_id})).one()
    return min((at for at in times if at is not None), default=None)


_MAPPINGS_DUE = select(_MAPPINGS.c.id).where(
    _MAPPINGS.c.removed_at.is_(None),
    _MAPPINGS.c.paused.is_(False),
    _MAPPINGS.c.state != "stopped",
    or_(_MAPPINGS.c.lease_until.is_(None), _MAPPINGS.c.lease_until < bindparam("now")),
    exists().where(
        _MARK.mapping_id == _MAPPINGS.c.id, _MARK.lane.in_(LANES), _MARK.due_at <= bindparam("now")
    ),
)


async def mappings_due(session: AsyncSession, now: datetime) -> Sequence[int]:
    """Mappings that may work, have a mark to act on now, and that no pass works on already."""
    return (await session.execute(_MAPPINGS_DUE, {"now": now})).scalars().all()


_AS_READ = tuple_(_MARK.id, _MARK.counter).in_(bindparam("read", expanding=True))
_CLEARING = delete(_MARKS).where(_AS_READ).returning(_MARK.id)
_FRESH = (
    update(_MARKS)
    .where(_MARK.id == bindparam("mark_id"))
    .values(
        attempts=0,
        rechecks=0,
        reason="",
        first_at=bindparam("now"),
        # the time of a change that was looked at already is no time of what came since
        seen_at=case((_MARK.seen_at == bindparam("looked_at"), None), else_=_MARK.seen_at),
    )
)


async def clear(session: AsyncSession, marks: Iterable[Mark], now: datetime) -> None:
    """Delete these marks; one whose counter moved since it was read stays, as a fresh one."""
    read = {(mark.id, mark.counter): mark for mark in marks}
    if not read:
        return
    gone = set((await session.execute(_CLEARING, {"read": list(read)})).scalars())
    moved = [mark for mark in read.values() if mark.id not in gone]
    if moved:
        await session.execute(
            _FRESH, [{"mark_id": mark.id, "now": now, "looked_at": mark.seen_at} for mark in moved]
        )


_LATER = (
    update(_MARKS)
    .where(_MARK.id == bindparam("mark_id"))
    .values(
        due_at=case(
            (_MARK.counter == bindparam("read"), bindparam("until", type_=_MARK.due_at.type)),
            else_=_MARK.due_at,
        ),
        attempts=_MARK.attempts + bindparam("attempt"),
        rechecks=_MARK.rechecks + bindparam("recheck"),
        reason=bindparam("why"),
    )
)


@dataclass(frozen=True, slots=True)
class Postponed:
    """A mark that is looked at again later. ``attempt``, ``recheck``: whether it counts as one."""

    mark: Mark
    due_at: datetime
    reason: str
    attempt: bool = True
    recheck: bool = False


async def postpone(session: AsyncSession, postponed: Iterable[Postponed]) -> None:
    """Look again later. A mark whose counter moved keeps its earlier time."""
    rows = [
        {
            "mark_id": each.mark.id,
            "read": each.mark.counter,
            "until": each.due_at,
            "attempt": int(each.attempt),
            "recheck": int(each.recheck),
            "why": each.reason,
        }
        for each in postponed
    ]
    if rows:
        await session.execute(_LATER, rows)


async def put_off(session: AsyncSession, mapping_id: int, now: datetime, until: datetime) -> None:
    """Nothing that is due is looked at before that time: the mapping as a whole cannot be worked on."""
    waiting = _MARK.mapping_id == mapping_id, _MARK.due_at <= now
    await session.execute(update(_MARKS).where(*waiting).values(due_at=until))


async def hurry(session: AsyncSession, mapping_ids: Iterable[int], now: datetime) -> None:
    """Everything that waits is due now: after a resume or new credentials."""
    waiting = _MARK.mapping_id.in_(list(mapping_ids)), _MARK.due_at > now
    await session.execute(update(_MARKS).where(*waiting).values(due_at=now, attempts=0))
