"""What the next passes of a mapping would write: the same plans from complete listings, written by nobody.

It reads what a full pass and the passes after it would read, and asks the functions that they ask:
matching, ``plan_fields``, ``creation_of``, the plans of comments and files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import col

from connectors.records import Record
from sync.jobs.asked.dry_run import DryRun
from sync.jobs.asked.planned import Preview
from sync.jobs.connecting import connections
from sync.jobs.engine import Engine
from sync.jobs.pairing import matching
from sync.jobs.pairing.admission import in_scope
from sync.jobs.passing.past import Past, pasts_of
from sync.jobs.routing.route import End, Route, open_route
from sync.jobs.watching.listing import Listed
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Link

Tell = Callable[[str, int, int | None], None]
"""What is done now, how much of it, and of how much if that is known."""

_AT_ONCE = 200


async def opened_route(engine: Engine, mapping_id: int) -> Route | None:
    """A mapping as its next pass opens it: who is who is known by then. None where it is removed."""
    route = await open_route(engine, mapping_id)
    if route is not None and await connections.meet_people(
        engine, (end.connection for end in route.ends.values())
    ):
        route = await open_route(engine, mapping_id)
    return route


def silent(phase: str, done: int, total: int | None) -> None:
    """Nobody listens."""


async def preview(
    engine: Engine, route: Route, *, known_as: int | None, limit: int, tell: Tell = silent
) -> Preview:
    """Look at everything and plan it.

    Args:
        known_as: id under which the mapping's links are stored; None where it has none.
        limit: so many of the writes are kept whole; all are counted.

    Raises:
        ConnectorError: a listing could not be completed, or an object not be read.
    """
    work = DryRun(engine, route, limit=limit)
    found = work.found
    records = {side: await listed_records(route, side, tell) for side in Side}
    table = await _Table.read(engine, known_as)
    loose = {
        side: [record for ref, record in records[side].items() if ref not in table.by_ref] for side in Side
    }
    pairs = matching.match(route, {side: Listed(loose=each) for side, each in loose.items()})
    taken = {record.ref for hub, external, _ in pairs.sure for record in (hub, external)}
    taken |= {record.ref for record, _ in pairs.ambiguous}
    found.matched, found.ambiguous = len(pairs.sure), pairs.ambiguous
    linked = [(link, both) for link in table.living if (both := _both(link, records)) is not None]
    made = [
        (side, record)
        for side in Side
        for record in loose[side]
        if record.ref not in taken and await work.is_made(side, record)
    ]
    total = len(linked) + len(pairs.sure) + len(made)
    done = 0
    for at in range(0, len(linked), _AT_ONCE):
        batch = linked[at : at + _AT_ONCE]
        async with engine.database.read() as session:
            pasts = await pasts_of(session, engine, [link for link, _ in batch])
        for link, both in batch:
            await work.pair(link, both, pasts[link.id])
            tell("planning", done := done + 1, total)
    for hub, external, made_by in pairs.sure:
        fresh = Link(mapping_id=0, source=Side.HUB.value, made_by=made_by, created_at=engine.now())
        await work.pair(fresh, {Side.HUB: hub, Side.EXTERNAL: external}, Past())
        tell("planning", done := done + 1, total)
    for side, record in made:
        await work.creation(side, record)
        tell("planning", done := done + 1, total)
    found.duplicates = _duplicates(route, loose, [record for _, record in made])
    return found


async def pages(end: End) -> AsyncIterator[Sequence[Record]]:
    """A complete listing, page by page."""
    cursor, more = None, True
    while more:
        page = await end.session.listing(end.container, cursor)
        yield [change.record for change in page.changes if change.record]
        cursor, more = page.cursor, page.more


async def listed_records(route: Route, side: Side, tell: Tell) -> dict[str, Record]:
    """A complete listing by Ref, as a pass would see each of its objects."""
    end, found = route.end(side), dict[str, Record]()
    async for page in pages(end):
        found |= {str(record.ref): route.placed(side, record) for record in page}
        tell(f"listing {end.connector.title}", len(found), None)
    return found


@dataclass(slots=True)
class _Table:
    """The mapping's task links. ``by_ref``: ends of all that get no counterpart of their own any more."""

    living: list[Link] = field(default_factory=list)
    by_ref: set[str] = field(default_factory=set)

    @classmethod
    async def read(cls, engine: Engine, mapping_id: int | None) -> _Table:
        found = cls()
        if mapping_id is None:
            return found
        query = select(Link).where(col(Link.mapping_id) == mapping_id, col(Link.kind) == links.TASK)
        async with engine.database.read() as session:
            for link in (await session.execute(query)).scalars():
                if link.hub_ref is None or link.external_ref is None:
                    continue  # its other end is still to be made
                found.by_ref |= {link.hub_ref, link.external_ref}
                if link.state != links.UNLINKED and link.gone is None:
                    found.living.append(link)
        return found


def _both(link: Link, records: Mapping[Side, Mapping[str, Record]]) -> dict[Side, Record] | None:
    """Both ends; None where a listing does not show one: such an object is looked at by itself."""
    found = {side: records[side].get(str(getattr(link, f"{side}_ref"))) for side in Side}
    return {side: record for side, record in found.items() if record} if all(found.values()) else None


def _duplicates(
    route: Route, loose: Mapping[Side, Iterable[Record]], made: Iterable[Record]
) -> Sequence[tuple[Record, Sequence[Record]]]:
    """Objects that would be made although one of the same title stands on the other side."""
    names = {record.ref for record in made}
    titles = {
        side: _by_title(record for record in loose[side] if in_scope(route, side, record)) for side in Side
    }
    found = []
    for title, mine in titles[Side.EXTERNAL].items():
        theirs = titles[Side.HUB].get(title, [])
        for record in mine if theirs else ():
            if record.ref in names or names & {other.ref for other in theirs}:
                found.append((record, theirs))
    return found


def _by_title(records: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        title = matching.plain_title(record)
        if title:
            found.setdefault(title, []).append(record)
    return found
