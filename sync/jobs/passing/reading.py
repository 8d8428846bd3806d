"""Read both ends of many links, the cheapest way: what a listing proves to be as it was is not read again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from connectors.errors import ConnectorError, PauseConnection, RetryLater
from connectors.records import Found, Gone, Hidden, Record, Ref
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.unit import Unit
from sync.jobs.watching.news import differs
from sync.jobs.watching.snapshots import Snapshot, shows_all
from sync.reconcile.model import Side
from sync.store import links, marks
from sync.store.cursors import cursors_on

MANY = 10
"""Fewer are read one by one: a listing would cost about as much."""

_JUST_LISTED = timedelta(seconds=10)
"""So long a poll's record does for an end that is not written: the next poll tells what changed since."""


async def read(desk: Desk, units: Iterable[Unit]) -> None:
    """Read all ends of these units, each side's in one request for many.

    A side that fails as a whole is read object by object later, so that one broken object does not
    hold up the others; what the whole connection refuses is raised.
    """
    units = list(units)
    started = desk.engine.now()
    # the other side's read gets to its end, too: nothing goes on behind a pass that gave up
    ends = await asyncio.gather(*(_side(desk, side, units) for side in Side), return_exceptions=True)
    errors = [end for end in ends if isinstance(end, BaseException)]
    if errors:  # an outage of the one side must not hide that the other one's credentials are dead
        raise next((error for error in errors if isinstance(error, PauseConnection)), errors[0])
    for unit in units:
        if all(side in unit.found for side in unit.refs):
            unit.read_at = started


async def _side(desk: Desk, side: Side, units: Sequence[Unit]) -> None:
    there = [unit for unit in units if side in unit.refs]
    listed = _just_listed(desk, side, there) if len(there) >= MANY else {}
    others = [unit for unit in there if unit.refs[side] not in listed]
    still = await _still(desk, side, others) if len(others) >= MANY else {}
    for unit in there:
        unit.presumed.discard(side)
        unit.listed.discard(side)
        ref = unit.refs[side]
        if ref in listed or ref in still:
            unit.found[side] = desk.route.placed(side, listed.get(ref) or still[ref])
            unit.presumed.add(side)
            unit.listed.update({side} if ref in listed else ())
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
    read = (each for each in found.values() if isinstance(each, Record))
    desk.engine.snapshots.keep(desk.route.end(side).connection.id, read, started)
    for unit in there:
        if unit.refs[side] in found:
            answer = found[unit.refs[side]]
            placed = desk.route.placed(side, answer) if isinstance(answer, Record) else answer
            unit.found[side] = _believed(unit, side, placed)


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


def _just_listed(desk: Desk, side: Side, units: Sequence[Unit]) -> dict[Ref, Record]:
    """What a poll told a moment ago of ends that alone changed. What is done to them since comes later."""
    just_now = desk.engine.now() - _JUST_LISTED
    return {
        unit.refs[side]: snapshot.record
        for unit, snapshot in _remembered(desk, side, units)
        if snapshot.read_at > just_now
        and all(Side(mark.side) is side for mark in unit.marks)
        and _is_told(unit, side, snapshot.record)
    }


def _remembered(desk: Desk, side: Side, units: Sequence[Unit]) -> Iterator[tuple[Unit, Snapshot]]:
    """Units of which nothing was in doubt until now, with what this process read last."""
    connection_id = desk.route.end(side).connection.id
    for unit in units:
        ref = unit.refs[side]
        snapshot = desk.engine.snapshots.of(connection_id, ref) if unit.is_first_look else None
        if snapshot is not None and snapshot.record.ref.address == ref.address:
            yield unit, snapshot


def _is_told(unit: Unit, side: Side, record: Record) -> bool:
    """Whether the marks on that end are of a listing, and show this record: what webhooks tell is read."""
    return all(
        mark.delivery_id is None and mark.seen_at is not None and mark.seen_at <= record.modified_at
        for mark in unit.marks
        if Side(mark.side) is side
    )


async def _still(desk: Desk, side: Side, units: Sequence[Unit]) -> dict[Ref, Record]:
    """What a listing proves to be as this process read it last."""
    engine, end = desk.engine, desk.route.end(side)
    remembered = list(_remembered(desk, side, units))
    if len(remembered) < MANY or desk.route.mapping.full_pass_due:  # something may have been missed
        return {}
    async with engine.database.read() as session:
        rows = await cursors_on(session, [(end.connection.id, end.container)])
        refs = [str(unit.refs[side]) for unit, _ in remembered]
        marked = await marks.on(session, desk.route.mapping.id, refs)
    polled_at = next((row.read_at for row in rows if row.attempts == 0), None)
    known: dict[Ref, datetime] = {}
    for unit, snapshot in remembered:
        ref = unit.refs[side]
        if any(Side(mark.side) is side for mark in unit.marks):
            told = _is_told(unit, side, snapshot.record)
            at = snapshot.read_at if told else None
        else:
            at = polled_at if str(ref) not in marked and _as_settled(desk, side, unit, snapshot) else None
        if at is not None and shows_all(end, snapshot.record, at):
            known[ref] = at
    return await engine.snapshots.still(end, known, engine.now()) if len(known) >= MANY else {}


def _as_settled(desk: Desk, side: Side, unit: Unit, snapshot: Snapshot) -> bool:
    """Whether what is remembered is what the newest version settled says, field by field."""
    link, record = unit.link, snapshot.record
    if link is None or unit.past is None or link.state != links.ACTIVE or link.gone or link.hidden_since:
        return False
    return record.version == getattr(link, f"{side}_version") and not differs(
        desk.route, side, record, links.pairs(unit.past.seen)
    )
