"""Whether what was read may be the past: nobody's newer edit is written over, and no mark goes too early."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from datetime import datetime, timedelta

from connectors.records import Fields, Record
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import Done, Later, Outcome
from sync.jobs.passing.past import Past
from sync.jobs.passing.unit import Unit
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Link, Mark, Seen, Write
from sync.store.values import parse

_LOOKS_S = (5.0, 15.0, 60.0)
LOOKS = len(_LOOKS_S)
"""So often it is looked again soon."""


def look_again_s(looks: int) -> float:
    """How long to wait for the present, after so many looks in vain."""
    return _LOOKS_S[min(looks, LOOKS - 1)]


def too_old(desk: Desk, unit: Unit) -> bool:
    """Whether less than half of the time between read and write is left."""
    assert unit.read_at is not None
    age = desk.engine.now() - unit.read_at
    return age > timedelta(seconds=desk.engine.settings.write_window_seconds / 2)


def good_until(desk: Desk, unit: Unit) -> datetime:
    """How long what was read may be written over: the longer, the oftener it could not be made in time."""
    assert unit.read_at is not None
    return unit.read_at + timedelta(seconds=desk.engine.settings.write_window_seconds) * (1 + unit.attempts)


def shows_the_past(desk: Desk, link: Link, past: Past, records: dict[Side, Record]) -> str:
    """Why what was read cannot be the present, empty when it can."""
    horizon = desk.engine.now() - timedelta(seconds=desk.engine.settings.stale_seconds)
    if link.looked_at is None or link.looked_at < horizon:
        return ""
    recent = [write for write in past.written if write.done_at and write.done_at >= horizon]
    for side, record in records.items():
        known = getattr(link, f"{side}_version")
        title = desk.route.end(side).connector.title
        if known and record.version < known:
            return f"{title} answered with an older version than it did before"
        if not known or record.version > known:
            continue
        if _replaced(desk, side, record, past.seen, horizon):
            return f"{title} shows a value that was replaced a moment ago"
        ours = [write for write in recent if write.ref == str(record.ref)]
        pairs = links.pairs(past.seen)
        settled = {
            rule.field(side): pairs[rule.name].of(side) for rule in desk.route.rules if rule.name in pairs
        }
        if _shows_before_image(record, ours, settled):
            return f"{title} does not show our own write yet"
    return ""


def _replaced(desk: Desk, side: Side, record: Record, seen: Map[str, Seen], horizon: datetime) -> bool:
    """Whether a field shows, at a version that is not newer, what stood there before it was settled."""
    for rule in desk.route.rules:
        row, name = seen.get(rule.name), rule.field(side)
        if row is None or row.moved_at is None or row.moved_at < horizon or name not in record.fields:
            continue
        before, now = parse(getattr(row, f"{side}_before")), parse(getattr(row, str(side)))
        if record.fields[name] == before != now:
            return True
    return False


def _shows_before_image(record: Record, ours: list[Write], settled: Fields) -> bool:
    """``ours``: newest first; only the newest write of each field says what should stand there.

    A value that was settled since is no before-image, even if it is equal to one.
    """
    judged: set[str] = set()
    for write in ours:
        for name, before in write.before.items():
            if name in judged or name not in record.fields:
                continue
            judged.add(name)
            came_back = (write.answer or {}).get(name)
            value = record.fields[name]
            if value == parse(before) != parse(came_back) and value != settled.get(name):
                return True
    return False


def doubtful(desk: Desk, unit: Unit, outcome: Done) -> Outcome:
    """Whether the marks may go: not while what was read may be older than the change behind them.

    Reads may show the past for a while (``STALE_SECONDS``). Where something was done the change was
    there; where nothing was, the read must be newer than the change, or it is repeated.
    """
    waiting = {} if outcome.did else behind(desk, unit, unit.marks, timedelta())
    return next(iter(waiting.values()), outcome)


def behind(desk: Desk, unit: Unit, marks: Iterable[Mark], leeway: timedelta) -> dict[Side, Later]:
    """Ends of which a mark tells a change that is younger than what was read, and when to look again.

    Args:
        leeway: so much later may a change be told to have been than the object shows.
    """
    now, found = desk.engine.now(), {}
    for mark in marks:
        side = Side(mark.side)
        read, left = unit.found.get(side), desk.engine.settings.stale_seconds
        if mark.seen_at is None:
            continue
        changed_at = mark.seen_at - desk.route.end(side).offset
        told_at = changed_at if mark.first_at < changed_at <= now else mark.first_at
        left -= (now - told_at).total_seconds()
        if left <= 0:
            continue
        if isinstance(read, Record) and desk.route.end(side).contains(
            read.modified_at + leeway, mark.seen_at
        ):
            continue
        reason = "what was read may be older than the change"
        found[side] = Later(
            max(0.1, min(look_again_s(mark.rechecks), left)), reason, attempt=False, recheck=True
        )
    return found
