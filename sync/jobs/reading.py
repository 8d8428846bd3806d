"""Read both ends of many links, the cheapest way: what a listing proves to be as it was is not read again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from connectors.errors import ConnectorError, PauseConnection, RetryLater
from connectors.records import Found, Gone, Hidden, Record, Ref
from sync.jobs.desk import Desk
from sync.jobs.news import differs
from sync.jobs.snapshots import Snapshot, shows_all
from sync.jobs.unit import Unit
from sync.reconcile.model import Side
from sync.store import links, marks
from sync.store.cursors import cursors_on

MANY = 10
"""Fewer are read one by one: a listing would cost about as much."""

_POLL = timedelta(seconds=60)
"""So long before it was done a poll of many pages may have begun."""
_JUST_LISTED = timedelta(seconds=10)
"""So long a poll's record does for an end that is only read: the next poll tells what changed since."""


async def read(desk: Desk, units: Iterable[Unit]) -> None:
    """Read all ends of these units, each side's in one request for many.

    A side that fails as a whole is read object by object later, so that one broken object does not
    hold up the others; what the whole connection refuses is raised.
    """
    units = list(units)
    started = desk.engine.now()
    # the other side's read gets to its end, too: nothing goes on behind a pass that gave up
    for end in await asyncio.gather(*(_side(desk, side, units) for side in Side), return_exceptions=True):
        if isinstance(end, BaseException):
            raise end
    for unit in units:
        if all(side in unit.found for side in unit.refs):
            unit.read_at = started


async def _side(desk: Desk, side: Side, units: Sequence[Unit]) -> None:
    there = [unit for unit in units if side in unit.refs]
    still = await _still(desk, side, there) if len(there) >= MANY else {}
    for unit in there:
        unit.presumed.discard(side)
        if unit.refs[side] in still:
            unit.found[side] = still[unit.refs[side]]
            unit.presumed.add(side)
    refs = list({unit.refs[side]: None for unit in there if side not in unit.presumed})
    if not refs:
        return
    started = desk.engine.now()
    try:
        found = await desk.route.end(side).session.fetch_many(refs)
    except PauseConnection:
        raise
    except RetryLater as error:
        if error.limited or len(units) == 1:
            raise
        return
    except ConnectorError:
        if len(units) == 1:
            raise
        return
    desk.engine.snapshots.keep((each for each in found.values() if isinstance(each, Record)), started)
    for unit in there:
        if unit.refs[side] in found:
            unit.found[side] = _believed(unit, side, found[unit.refs[side]])


def _believed(unit: Unit, side: Side, found: Found) -> Found:
    """A hidden object that a verified event called deleted is gone."""
    if isinstance(found, Hidden):
        proof = next((mark.gone for mark in unit.marks if mark.gone and Side(mark.side) is side), "")
        waiting = unit.link.gone if unit.link else None
        if not proof and waiting and waiting["side"] == side.value:
            proof = waiting["proof"]
        if proof:
            return Gone(proof)
    return found


async def _still(desk: Desk, side: Side, units: Sequence[Unit]) -> dict[Ref, Record]:
    """What a listing proves to be as this process read it last."""
    engine, end = desk.engine, desk.route.end(side)
    remembered = {
        unit.refs[side]: (unit, snapshot)
        for unit in units
        if unit.is_first_look and (snapshot := engine.snapshots.of(unit.refs[side])) is not None
    }
    if len(remembered) < MANY:
        return {}
    async with engine.database.read() as session:
        rows = await cursors_on(session, [(end.connection.id, end.container)])
        marked = await marks.on(session, desk.route.mapping.id, [str(ref) for ref in remembered])
    polled_at = next((row.read_at for row in rows if row.attempts == 0), None)
    just_now = engine.now() - _JUST_LISTED
    found: dict[Ref, Record] = {}
    known: dict[Ref, datetime] = {}
    for ref, (unit, snapshot) in remembered.items():
        at = _known(desk, side, unit, snapshot, polled_at, is_marked=str(ref) in marked)
        if at is not None and _is_source(unit, side) and snapshot.read_at > just_now:
            found[ref] = snapshot.record
        elif at is not None:
            known[ref] = at
    if len(known) >= MANY:
        found |= await engine.snapshots.still(end, known, engine.now())
    return found


def _is_source(unit: Unit, side: Side) -> bool:
    """Whether only that end changed: nothing is written to it, and what else is done to it comes later."""
    return all(Side(mark.side) is side for mark in unit.marks)


def _known(
    desk: Desk, side: Side, unit: Unit, snapshot: Snapshot, polled_at: datetime | None, *, is_marked: bool
) -> datetime | None:
    """Since when a listing has to tell whether it changed; None where what is remembered is in doubt."""
    end, link, record = desk.route.end(side), unit.link, snapshot.record
    mine = [mark for mark in unit.marks if Side(mark.side) is side]
    if mine:  # a listing brought it up; what a webhook tells, or a person asks for, is read
        listed = all(
            mark.delivery_id is None and mark.seen_at is not None and mark.seen_at <= record.modified_at
            for mark in mine
        )
        certain = _is_source(unit, side) or shows_all(end, record, snapshot.read_at)
        return snapshot.read_at if listed and certain else None
    if is_marked or polled_at is None or link is None or unit.past is None:
        return None
    if link.state != links.ACTIVE or link.gone or link.hidden_since:
        return None
    as_settled = record.version == getattr(link, f"{side}_version") and not differs(
        desk.route, side, record, links.pairs(unit.past.seen)
    )
    # all that changed until the last poll began is marked
    return polled_at - _POLL if as_settled and shows_all(end, record, polled_at) else None
