"""Writes whose outcome is unknown are resolved by reading, before the link is planned.

An update whose value stands there under the connector's ``same`` happened: what we *sent* becomes
Seen, never what is found. One whose before-image stands there did not happen, once reads can no
longer show the past. Anything else is a person's edit on top: plan with the old Seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connectors.records import Fields, Hidden, Record
from sync.jobs.pairing import counterparts
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import fence
from sync.jobs.passing.outcome import DONE, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import close
from sync.reconcile import settle_one_half
from sync.reconcile.model import Pair, Side
from sync.store import links, writes
from sync.store.history import tell
from sync.store.tables import Link, Write
from sync.store.values import parse

_LOOKS_S = (1.0, 5.0, 15.0)
_BELOW = (writes.COMMENT_ADD, writes.COMMENT_EDIT, writes.COMMENT_DELETE, writes.ATTACHMENT_ADD, writes.CARD)


async def resolve(desk: Desk, unit: Unit, link: Link) -> Outcome:
    """Resolve the open writes of a link; Later while one of them holds the link back."""
    for row in unit.open_writes:
        if row.state not in (writes.INTENT, writes.UNKNOWN):
            continue
        side = Side(row.side)
        outcome: Outcome = DONE
        if row.op == writes.CREATE:
            outcome = await counterparts.confirm(desk, link, row, side.other, unit.refs[side.other])
        elif row.op in _BELOW:
            continue  # what hangs below the object is looked up where it is worked on
        elif row.op == writes.UPDATE:
            found = unit.found.get(side)
            if isinstance(found, Record):
                outcome = await _resolve_update(desk, unit, link, row, found)
            elif not isinstance(found, Hidden):  # which may come back, with our value
                await close(desk, row, writes.NOT_DONE, "the object cannot be read any more")
        else:
            await close(desk, row, _ended(unit, row, side), "looked up")
        if isinstance(outcome, Later):
            return outcome
    return DONE


def _ended(unit: Unit, row: Write, side: Side) -> str:
    """How a deletion, or the closing of a deletion's survivor, ended."""
    found = unit.found.get(side)
    if not isinstance(found, Record):
        return writes.DONE
    arrived = bool(row.fields) and all(found.fields.get(name) == value for name, value in row.fields.items())
    return writes.DONE if arrived else writes.NOT_DONE


async def _resolve_update(desk: Desk, unit: Unit, link: Link, row: Write, found: Record) -> Outcome:
    side = Side(row.side)
    same = desk.route.end(side).session.same
    sent = {name: parse(value) for name, value in row.fields.items()}
    happened = {
        name for name, value in sent.items() if name in found.fields and same(name, value, found.fields[name])
    }
    if _may_be_past(desk, row, {name: found.fields.get(name) for name in sent.keys() - happened}):
        return Later(_LOOKS_S[min(unit.attempts, len(_LOOKS_S) - 1)], "its last write may not show yet")
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        await fence(session, desk.lease)
        seen = links.pairs((await links.seen_of(session, [link.id])).get(link.id, {}))
        await links.settle(session, {link.id: _settled(desk, row, happened, seen)}, now)
        stored = await session.get(Write, row.id)
        if stored is not None:
            stored.state = writes.DONE if len(happened) == len(sent) else writes.NOT_DONE
            stored.reason, stored.done_at = "looked up after a lost answer", now
            session.add(stored)
        for name in sent:
            text = "had arrived" if name in happened else "had not arrived"
            tell(
                session,
                link,
                "write",
                f"{name}: the answer was lost; it {text}",
                now,
                field=name,
                after=sent[name],
                write_id=row.id,
                outcome="done" if name in happened else "unknown",
                version=row.mapping_version,
            )
    row.state = writes.DONE
    return DONE


def _settled(desk: Desk, row: Write, happened: Collection[str], seen: Mapping[str, Pair]) -> dict[str, Pair]:
    """What the fields of a write that arrived settle; of a merge whose other half is not known, a part."""
    settled, rules = {}, {rule.name: rule for rule in desk.route.rules}
    for name, kept in row.plan.items():
        if kept["field"] in happened:
            mine, theirs = parse(row.fields[kept["field"]]), parse(kept["other"])
            pair = Pair(mine, theirs) if Side(row.side) is Side.HUB else Pair(theirs, mine)
            if kept.get("merged") and name in rules:
                pair = settle_one_half(rules[name], pair, seen.get(name), desk.route.translation)
            settled[name] = pair
    return settled


def _may_be_past(desk: Desk, row: Write, missing: Fields) -> bool:
    """Whether fields show what stood there before the write, so soon that the read may be older than it."""
    if not missing or any(value != parse(row.before.get(name)) for name, value in missing.items()):
        return False
    over = row.done_at or row.deadline_at
    return (desk.engine.now() - over).total_seconds() < desk.engine.settings.stale_seconds
