"""Writes whose outcome is unknown are resolved by reading, before the link is planned.

An update whose value stands there under the connector's ``same`` happened: what we *sent* becomes
Seen, never what is found. One whose before-image stands there did not happen. Anything else is a
person's edit on top: plan with the old Seen.
"""

from __future__ import annotations

from connectors.records import Record
from sync.jobs import newcomers
from sync.jobs.outcome import DONE, Later, Outcome
from sync.jobs.unit import Unit
from sync.jobs.writing import Desk, close
from sync.reconcile.model import Pair, Side
from sync.store import links, writes
from sync.store.history import tell
from sync.store.tables import Link, Write
from sync.store.values import parse

_COMMENTS = (writes.COMMENT_ADD, writes.COMMENT_EDIT, writes.COMMENT_DELETE)


async def resolve(desk: Desk, unit: Unit, link: Link) -> Outcome:
    """Resolve the open writes of a link; Later while one of them holds the link back."""
    for row in unit.open_writes:
        if row.state not in (writes.INTENT, writes.UNKNOWN):
            continue
        side = Side(row.side)
        outcome: Outcome = DONE
        if row.op == writes.CREATE:
            source = unit.found.get(side.other)
            if isinstance(source, Record):
                outcome = await newcomers.confirm(desk, link, row, side.other, source)
            else:
                outcome = Later(5, "its source cannot be read while a creation is looked up")
        elif row.op in _COMMENTS:
            continue  # the comments' own pass looks them up
        elif row.op == writes.UPDATE:
            found = unit.found.get(side)
            if isinstance(found, Record):
                await _resolve_update(desk, link, row, side, found)
            else:
                await close(desk, row, writes.NOT_DONE, "the object cannot be read any more")
        else:
            done = not isinstance(unit.found.get(side), Record)
            await close(desk, row, writes.DONE if done else writes.NOT_DONE, "looked up")
        if isinstance(outcome, Later):
            return outcome
    return DONE


async def _resolve_update(desk: Desk, link: Link, row: Write, side: Side, found: Record) -> None:
    same = desk.route.end(side).session.same
    sent = {name: parse(value) for name, value in row.fields.items()}
    happened = {
        name for name, value in sent.items() if name in found.fields and same(name, value, found.fields[name])
    }
    settled = {}
    for rule_name, kept in row.plan.items():
        if kept["field"] in happened:
            mine, theirs = sent[kept["field"]], parse(kept["other"])
            settled[rule_name] = Pair(mine, theirs) if side is Side.HUB else Pair(theirs, mine)
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        await links.settle(session, link.id, settled)
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
