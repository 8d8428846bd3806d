"""One piece of a pass: a link, or an object that has none yet, with the marks that brought it up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.errors import ConnectorError, PauseConnection, RetryLater
from connectors.records import Found, Gone, Hidden, Ref
from sync.jobs.desk import Desk
from sync.jobs.ledger import Entry
from sync.jobs.past import Past
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Link, Mark, Write


@dataclass(slots=True)
class Unit:
    """``found`` holds what was read of each end, ``read_at`` when (by our clock).

    ``past``: what the store knows of the link, None until it is read. ``told``: what was done and is
    not committed yet.
    """

    marks: list[Mark]
    link: Link | None = None
    refs: dict[Side, Ref] = field(default_factory=dict)
    found: dict[Side, Found] = field(default_factory=dict)
    read_at: datetime | None = None
    open_writes: list[Write] = field(default_factory=list)
    past: Past | None = None
    told: Entry = field(default_factory=Entry)

    @property
    def comment_sides(self) -> set[Side]:
        """Sides whose comments are to be looked at."""
        return {Side(mark.side) for mark in self.marks if mark.comments}

    @property
    def attempts(self) -> int:
        return max((mark.attempts for mark in self.marks), default=0)


def units_of(desk: Desk, marks: Sequence[Mark], by_ref: Mapping[str, Link]) -> list[Unit]:
    """Group marks by link; the order of the marks is kept."""
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
    return units


def ends(desk: Desk, link: Link) -> dict[Side, Ref]:
    """The Refs a link has."""
    found = {side: links.end(link, side, desk.route.end(side).connection) for side in Side}
    return {side: ref for side, ref in found.items() if ref is not None}


async def read(desk: Desk, units: Iterable[Unit]) -> None:
    """Read all ends of these units, each side's in one request for many.

    A side that fails as a whole is read object by object later, so that one broken object does not
    hold up the others; what the whole connection refuses is raised.
    """
    units = list(units)
    started = desk.engine.now()

    async def side_of(side: Side) -> None:
        refs = list({unit.refs[side]: None for unit in units if side in unit.refs})
        if not refs:
            return
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
        for unit in units:
            if side in unit.refs:
                unit.found[side] = _believed(unit, side, found[unit.refs[side]])

    # the other side's read gets to its end, too: nothing goes on behind a pass that gave up
    for end in await asyncio.gather(*(side_of(side) for side in Side), return_exceptions=True):
        if isinstance(end, BaseException):
            raise end
    for unit in units:
        if all(side in unit.found for side in unit.refs):
            unit.read_at = started


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
