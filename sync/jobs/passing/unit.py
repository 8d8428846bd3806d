"""One piece of a pass: a link, or an object that has none yet, with the marks that brought it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.records import Found, Ref
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.past import Past
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Link, Mark, Write


@dataclass(slots=True)
class Unit:
    """``found`` holds what was read of each end, ``read_at`` when (by our clock).

    ``presumed``: ends that were not read by themselves: a listing says that they are as they were.
    ``listed``: those of them that nothing may be written to: what a poll told a moment ago.
    ``claimed``: the Refs to give back.
    ``past``: what the store knows of the link, None until it is read. ``told``: what was done and is
    not committed yet.
    ``waiting``: marks on its ends that are not due yet, or of a later batch.
    ``unread``: it waits for a person, for no more than that it could not be read.
    ``trace``: the ``traceparent`` of the delivery that led here, if that was traced.
    """

    marks: list[Mark]
    link: Link | None = None
    refs: dict[Side, Ref] = field(default_factory=dict)
    found: dict[Side, Found] = field(default_factory=dict)
    read_at: datetime | None = None
    open_writes: list[Write] = field(default_factory=list)
    presumed: set[Side] = field(default_factory=set)
    listed: set[Side] = field(default_factory=set)
    claimed: list[str] = field(default_factory=list)
    waiting: list[Mark] = field(default_factory=list)
    unread: bool = False
    past: Past | None = None
    told: Entry = field(default_factory=Entry)
    trace: str = ""

    @property
    def comment_sides(self) -> set[Side]:
        """Sides whose comments are to be looked at."""
        return {Side(mark.side) for mark in self.marks if mark.comments}

    @property
    def is_first_look(self) -> bool:
        """Whether nothing was in doubt about it until now."""
        return not self.open_writes and not any(mark.attempts or mark.rechecks for mark in self.marks)

    @property
    def attempts(self) -> int:
        return max((mark.attempts for mark in self.marks), default=0)


def units_of(
    desk: Desk, marks: Sequence[Mark], by_ref: Mapping[str, Link], traces: Mapping[int, str]
) -> list[Unit]:
    """Group marks by link; the order of the marks is kept. ``traces``: what deliveries are traced as."""
    by_link: dict[int, Unit] = {}
    units: list[Unit] = []
    for mark in marks:
        side = Side(mark.side)
        ref = desk.route.end(side).ref(mark.kind, mark.object_id, mark.address)
        link = by_ref.get(mark.ref)
        if link is None:
            units.append(Unit(marks=[mark], refs={side: ref}))
        elif link.id in by_link:
            by_link[link.id].marks.append(mark)
        else:
            unit = Unit(marks=[mark], link=link, refs=ends(desk, link))
            by_link[link.id] = unit
            units.append(unit)
        if link is not None and mark.address:
            by_link[link.id].refs[side] = ref
    for unit in units:
        unit.trace = next(filter(None, (traces.get(mark.delivery_id or 0) for mark in unit.marks)), "")
    return units


def ends(desk: Desk, link: Link) -> dict[Side, Ref]:
    """The Refs a link has."""
    found = {side: links.end(link, side, desk.route.end(side).connection) for side in Side}
    return {side: ref for side, ref in found.items() if ref is not None}
