"""After a write: what came back becomes Seen, field by field; everything else that differs is a new edit."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.errors import Park, ParkClass
from connectors.records import Record, Value
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import Later
from sync.jobs.routing.route import Route
from sync.reconcile import by_element, dropped, linked_alone, own_part, settle_after, settle_one_half
from sync.reconcile.model import FieldWrite, Linked, Pair, Side
from sync.store import parking
from sync.store.tables import Link, Write
from sync.store.values import dump


@dataclass(slots=True)
class Written:
    """What a pass wrote to one link so far, until both halves of each field are known.

    ``presumed``, ``listed``: ends that were not read by themselves, see :class:`sync.jobs.passing.unit.Unit`.
    ``unmatched``: rules that a person is asked about, whatever of them was written. ``told``: what of it is
    not committed yet. ``named``: the counterparts of what the records name.
    ``behind``: ends that do not show a change that was told, with when to look again: what somebody wrote
    there nobody has seen, so it must not be overwritten. ``attempts``: how often this was tried in vain.
    """

    route: Route
    read: dict[Side, Record]
    good_until: datetime | None = None
    planned: dict[str, dict[Side, FieldWrite]] = field(default_factory=dict)
    answered: dict[Side, Record] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    unmatched: Collection[str] = ()
    presumed: frozenset[Side] = frozenset()
    listed: frozenset[Side] = frozenset()
    behind: Map[Side, Later] = field(default_factory=dict)
    told: Entry = field(default_factory=Entry)
    named: Linked = field(default_factory=dict)
    attempts: int = 0

    def value(self, side: Side, name: str) -> Value:
        """What stands in a field on that side, as far as this pass knows."""
        return self.answered.get(side, self.read[side]).fields.get(name)

    def own_half(self, write: FieldWrite) -> Value:
        """What came back for a written field, less what people did to it meanwhile."""
        answer = self.answered[write.side].fields.get(write.field, write.value)
        rule = next(rule for rule in self.route.rules if rule.name == write.rule)
        return own_part(rule.kind(write.side), write, answer, self.route.end(write.side).session.same)


def tell_done(desk: Desk, entry: Entry, write: Write, answer: Record) -> None:
    """A write that was done: what came back, and a line for each field."""
    entry.answered.append((write, answer))
    where = desk.route.end(Side(write.side)).connector.title
    for name, value in write.fields.items():
        entry.tell(
            "write",
            f"{name} written to {where}",
            now=desk.engine.now(),
            field=name,
            before=write.before.get(name),
            after=value,
            write_id=write.id,
            outcome="done",
            version=desk.route.mapping.version,
        )


def halves(work: Written, seen: Map[str, Pair]) -> tuple[dict[str, Pair], dict[str, FieldWrite]]:
    """(pairs to settle, writes the provider dropped) of all rules with a write that came back."""
    settled: dict[str, Pair] = {}
    lost: dict[str, FieldWrite] = {}
    for rule in work.route.rules:
        sides = work.planned.get(rule.name, {})
        if not sides or rule.name in work.failed:
            continue
        if any(side not in work.answered for side in sides):
            if len(sides) == 2 and by_element(rule) and sides.keys() & work.answered.keys():
                translation = replace(work.route.translation, linked=work.named)
                hub, external = (work.value(side, rule.field(side)) for side in Side)
                settled[rule.name] = settle_one_half(
                    rule, Pair(hub, external), seen.get(rule.name), translation
                )
            continue
        ignored = [write for write in sides.values() if _ignored(work, write)]
        if ignored:
            lost[rule.name] = ignored[0]
            work.failed.add(rule.name)
            continue
        if len(sides) == 2:
            pair = Pair(work.own_half(sides[Side.HUB]), work.own_half(sides[Side.EXTERNAL]))
        else:
            side, write = next(iter(sides.items()))
            other = work.read[side.other].fields.get(rule.field(side.other))
            pair = settle_after(rule, side, work.own_half(write), other)
        settled[rule.name] = linked_alone(rule, pair, work.named)
    return settled, lost


def _ignored(work: Written, write: FieldWrite) -> bool:
    """Whether the field came back as it was although something else was sent."""
    answer = work.answered[write.side].fields
    same = work.route.end(write.side).session.same
    return write.field in answer and dropped(write, answer[write.field], same)


def news(work: Written) -> set[Side]:
    """Sides whose answer shows a new edit: in a field that was not written, or in a set that was.

    What one rule wrote is an edit for another one that carries the same field elsewhere.
    """
    found = set[Side]()
    for side, answer in work.answered.items():
        mine = [sides[side] for sides in work.planned.values() if side in sides]
        if any(work.own_half(write) != answer.fields.get(write.field, write.value) for write in mine):
            found.add(side)
        before = work.read[side].fields
        written = {sides[side].field for sides in work.planned.values() if side in sides}
        for rule in work.route.rules:
            name = rule.field(side)
            if side in work.planned.get(rule.name, {}) or (name in written and side.other not in rule.into):
                continue
            if name in answer.fields and name in before and answer.fields[name] != before[name]:
                found.add(side)
    return found


async def park_dropped(
    session: AsyncSession, desk: Desk, link: Link, lost: Map[str, FieldWrite], work: Written
) -> None:
    """Park fields whose write the provider accepted and did not make."""
    rules = {rule.name: rule for rule in desk.route.rules}
    for name, write in lost.items():
        title = desk.route.end(write.side).connector.title
        await parking.park(
            session,
            mapping_id=link.mapping_id,
            link=link,
            what="field",
            ref=f"link:{link.id}",
            field=name,
            error=Park(
                f"{title} accepted the change of {write.field} and did not make it.",
                park_class=ParkClass.PERMISSION,
                field=write.field,
                fix="Check that the value exists there and that the account may change it, then retry.",
            ),
            now=desk.engine.now(),
            values=[dump(work.read[side].fields.get(rules[name].field(side))) for side in Side],
        )
