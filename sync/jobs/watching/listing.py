"""One side's complete listing, page by page, against the links: what differs is marked, nothing is kept
of an object that has its link.

A page of nothing new costs three statements and no write: the first writer in line is a person's edit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.changes import Change
from connectors.records import Record
from sync.jobs.engine import Engine
from sync.jobs.pairing.admission import wanted
from sync.jobs.passing.outcome import Halted
from sync.jobs.routing.route import Route
from sync.jobs.watching.news import differs
from sync.reconcile.model import Side
from sync.store import links, marks
from sync.store.settled import SettledEnd, ends_of


@dataclass(slots=True)
class Listed:
    """What a complete listing showed.

    ``links``: ids of the links whose end it showed. ``refs``: objects that had no living link then,
    ``loose`` those of them that never had one, without their long texts.
    """

    links: set[int] = field(default_factory=set)
    refs: set[str] = field(default_factory=set)
    loose: list[Record] = field(default_factory=list)

    def __len__(self) -> int:
        """How many objects it showed."""
        return len(self.links) + len(self.refs)


async def list_both(engine: Engine, route: Route) -> dict[Side, Listed]:
    """Both listings at once; where one cannot be completed the other is given up, too."""
    tasks = [asyncio.create_task(_list(engine, route, side)) for side in Side]
    try:
        return dict(zip(Side, await asyncio.gather(*tasks), strict=True))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _list(engine: Engine, route: Route, side: Side) -> Listed:
    end, found, cursor = route.end(side), Listed(), None
    while True:
        if engine.ending.is_set():
            raise Halted("this process ends: another one begins anew")
        asked_at = engine.now()
        page = await end.session.listing(end.container, cursor)
        await _compare(engine, route, side, page.changes, found, asked_at)
        cursor = page.cursor
        if not page.more:
            return found


async def _compare(
    engine: Engine, route: Route, side: Side, changes: Sequence[Change], found: Listed, asked_at: datetime
) -> None:
    """Add a page to what was found; what differs from its link is marked, and remembered as listed."""
    mapping_id = route.mapping.id
    refs = [str(change.ref) for change in changes]
    async with engine.database.read() as session:
        known = await ends_of(session, mapping_id, side, refs)
        loose = [ref for ref in refs if ref not in known]
        had_a_link = await links.ended(session, mapping_id, loose) if loose else frozenset()
    news, newly = [], []
    for ref, change in zip(refs, changes, strict=True):
        end = known.get(ref)
        if end is not None:
            found.links.add(end.link_id)
        elif ref not in found.refs:
            found.refs.add(ref)
            if change.record and ref not in had_a_link:
                found.loose.append(_light(route, side, change.record))
        if (end is not None or not by_title(route)) and _is_news(route, side, change.record, end):
            newly += [change.record] if change.record else []
            news.append(
                marks.NewMark(
                    mapping_id=mapping_id,
                    side=side,
                    ref=change.ref,
                    lane=marks.BACKFILL,
                    comments=True,
                    seen_at=change.record.modified_at if change.record else None,
                    reason="differs in the complete listing",
                )
            )
    engine.snapshots.keep(route.end(side).connection.id, newly, asked_at)
    if news:
        async with engine.database.write() as session:
            await marks.put(session, news, engine.now())


def _is_news(route: Route, side: Side, record: Record | None, end: SettledEnd | None) -> bool:
    """Whether an object is worth a look. One newer than its known comments is, too."""
    if record is None:
        return True
    if end is None:
        return wanted(route, side, record)
    newer = record.version > end.comments_version
    return newer or not end.calm or differs(route, side, record, end.seen)


def _light(route: Route, side: Side, record: Record) -> Record:
    """With what matching and the filter look at, not the long texts: a first listing may bring 100 000."""
    needed = {"title", "labels", *(asked.field for asked in route.scopes[side].fields)}
    return replace(record, fields={name: value for name, value in record.fields.items() if name in needed})


def by_title(route: Route) -> bool:
    """Whether unlinked objects are paired by title before any counterpart is made."""
    return route.config.match.mode != "create" and route.mapping.state == "first_sync"
