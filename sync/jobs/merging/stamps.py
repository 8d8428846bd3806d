"""When was a value put there by a person? Needed only where both sides changed one field.

In this order (design: "Modified when"):
1. a value we wrote carries the time of the human edit it came from, whatever link wrote it;
2. the field's own history at the provider, less the entries our own writes made;
3. the record's time when the value was first read;
4. the record's time now, unless our own write made it.
Times are brought to our clock by the connection's offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.errors import ConnectorError, PauseConnection
from connectors.records import Author, FieldTime, Record, Value
from sync.jobs.engine import Engine
from sync.jobs.routing.route import End, Route
from sync.reconcile.model import Rule, Side, Stamp
from sync.store import writes
from sync.store.tables import Link, Seen, Write
from sync.store.times import parse_time, rfc3339
from sync.store.values import parse

ECHO = timedelta(seconds=2)
"""A history entry this close to our own write of the same value is that write."""


async def stamps_for(
    engine: Engine,
    route: Route,
    link: Link,
    records: Mapping[Side, Record],
    seen: Mapping[str, Seen],
    wanted: Iterable[tuple[Side, str]],
) -> dict[tuple[Side, str], Stamp]:
    """A Stamp for each (side, rule name)."""
    rules = {rule.name: rule for rule in route.rules}
    found: dict[tuple[Side, str], Stamp] = {}
    for side in Side:
        names = [name for at, name in wanted if at is side]
        if not names:
            continue
        end, record = route.end(side), records[side]
        async with engine.database.read() as session:
            ours = await writes.last_of(session, str(record.ref))
        since = (link.synced_at or link.created_at) - timedelta(minutes=2)
        history: Sequence[FieldTime] | None = None
        for name in names:
            stamp = carried(end, record, rules[name], ours)
            if stamp is None and history is None:
                history = await _history(end, record, since)
            found[side, name] = stamp or standing(
                end, record, rules[name], ours, history or (), seen.get(name)
            )
    return found


async def _history(end: End, record: Record, since: datetime) -> Sequence[FieldTime]:
    """The provider's history; where it cannot be had, the record's own time has to do."""
    try:
        return await end.session.field_times(record.ref, since + end.offset)
    except PauseConnection:
        raise
    except ConnectorError:
        return ()


def carried(end: End, record: Record, rule: Rule, ours: Sequence[Write]) -> Stamp | None:
    """The stamp of a value that we wrote: the edit it carries. ``ours``: newest first."""
    name = rule.field(end.side)
    value = record.fields.get(name)
    for write in ours:
        if name not in write.fields:
            continue
        sent, origin = parse(write.fields[name]), write.origin.get(name)
        came_back = parse((write.answer or {}).get(name))
        if origin and (value == came_back or end.session.same(name, sent, value)):
            return Stamp(parse_time(origin["at"]), "field", _author(origin.get("by")))
        return None
    return None


def standing(
    end: End,
    record: Record,
    rule: Rule,
    ours: Sequence[Write],
    history: Sequence[FieldTime],
    seen: Seen | None,
) -> Stamp:
    """The stamp of a value that somebody else put there."""
    name = rule.field(end.side)
    value = record.fields.get(name)
    entries = [entry for entry in history if entry.field == name and not _is_echo(end, entry, ours)]
    if entries:
        last = max(entries, key=lambda entry: entry.at)
        return Stamp(last.at - end.offset, "field", last.author)
    read = getattr(seen, f"{end.side}_read") if seen else None
    if read and parse(read["value"]) == value:
        return Stamp(parse_time(read["at"]), "first_read", _author(read.get("by")))
    for write in ours:
        if write.answer_version and write.answer_version == record.version:
            return Stamp(write.intent_at, "record")
    return Stamp(record.modified_at - end.offset, "record")


def first_read(end: End, record: Record, rule: Rule) -> dict[str, object]:
    """What is kept of a value that was read and cannot be settled now."""
    name = rule.field(end.side)
    value: Value = record.fields.get(name)
    return {
        "value": list(value) if isinstance(value, tuple) else value,
        "at": rfc3339(record.modified_at - end.offset),
        "by": None,
    }


def origin_of(route: Route, side: Side, record: Record, stamp: Stamp | None) -> dict[str, object]:
    """What a write remembers of the edit it carries: its time, and who made it where that is known."""
    end = route.end(side)
    at = stamp.at if stamp else record.modified_at - end.offset
    author = stamp.author if stamp else None
    return {"at": rfc3339(at), "by": {"id": author.id, "name": author.name} if author else None}


def _is_echo(end: End, entry: FieldTime, ours: Sequence[Write]) -> bool:
    """Whether our own write made this history entry: by time and value, never by actor."""
    at = entry.at - end.offset
    for write in ours:
        if entry.field not in write.fields or write.done_at is None:
            continue
        if write.intent_at - ECHO <= at <= write.done_at + ECHO:
            sent = parse(write.fields[entry.field])
            if not entry.has_values or end.session.same(entry.field, sent, entry.after):
                return True
    return False


def _author(by: Mapping[str, str] | None) -> Author | None:
    return Author(by["id"], by["name"]) if by else None
