"""What the next passes of a mapping would write: the same plans from complete listings, written by nobody.

It reads what a full pass and the passes after it would read, and asks the functions that they ask:
matching, ``plan_fields``, ``creation_of``, the plans of comments and files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import col

from connectors.discussions import Discussion
from connectors.records import Record
from sync.jobs import connections, matching
from sync.jobs.admission import in_scope, left, wanted
from sync.jobs.desk import Desk
from sync.jobs.drafting import creation_of
from sync.jobs.engine import Engine
from sync.jobs.lease import Lease
from sync.jobs.listing import Listed
from sync.jobs.newcomers import linked_elsewhere
from sync.jobs.past import Past, pasts_of
from sync.jobs.planned import Planned, Preview
from sync.jobs.planning import plan_fields
from sync.jobs.route import End, Route, open_route
from sync.jobs.shelf import shelf_of
from sync.jobs.thread import TEXT, thread_of
from sync.jobs.unit import Unit
from sync.reconcile import plan_comments
from sync.reconcile.attachments import AttachmentStep, plan_attachments
from sync.reconcile.model import CommentStep, Side
from sync.store import links, parking, writes
from sync.store.tables import Link

Tell = Callable[[str, int, int | None], None]
"""What is done now, how much of it, and of how much if that is known."""

_AT_ONCE = 200
_FILE = "name"


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


@dataclass(slots=True)
class DryRun:
    """Plans one object after the other. Its desk has no lease: whatever would write there is refused."""

    engine: Engine
    route: Route
    found: Preview = field(init=False)
    desk: Desk = field(init=False)
    limit: int = 0

    def __post_init__(self) -> None:
        self.found = Preview(self.route, self.limit)
        none = Lease(self.engine, self.route.mapping.id, number=0, until=self.engine.now(), lost=True)
        self.desk = Desk(self.engine, self.route, none)

    async def is_made(self, side: Side, record: Record) -> bool:
        """Whether the object would get a counterpart."""
        if (record.created_by_us and record.keys) or not wanted(self.route, side, record):
            return False
        async with self.engine.database.read() as session:
            if await parking.undecided(session, self.route.mapping.id, str(record.ref)):
                return False
            return not await linked_elsewhere(session, self.route, side, record)

    async def pair(self, link: Link, records: Mapping[Side, Record], past: Past) -> None:
        if left(self.route, records):
            return
        view, plan = await plan_fields(self.engine, self.route, link, records, past)
        self.found.add_plan(plan, {Side.HUB: view.hub, Side.EXTERNAL: view.external}, link.id)
        if not any(self._is_talked_about(link, side, record) for side, record in records.items()):
            return
        discussions = {
            side: await self.route.end(side).session.discussion(record.ref)
            for side, record in records.items()
        }
        await self._comments(link, records, discussions)
        await self._files(link, records, discussions)

    def _is_talked_about(self, link: Link, side: Side, record: Record) -> bool:
        """Whether an end may have comments or files that are not known."""
        return link.id is None or record.version > str(getattr(link, f"{side}_comments_version"))

    async def creation(self, side: Side, record: Record) -> None:
        creation = creation_of(self.route, "", side, record)
        title = self.route.end(creation.into).connector.title
        self.found.add(
            Planned(
                op=writes.CREATE,
                into=creation.into,
                reason=f"create in {title}: it has no counterpart there",
                source=record,
                fields={name: (None, value) for name, value in creation.fields.items()},
            )
        )
        if not (self.route.copies_comments() or self.route.copies_attachments()):
            return
        discussions = await self._discussions({side: record})
        await self._comments(None, {side: record}, discussions)
        await self._files(None, {side: record}, discussions)

    async def comments_of(self, records: Mapping[Side, Record], link: Link | None = None) -> int:
        """How many writes their comments would bring."""
        before = self.found.total
        await self._comments(link, records, await self._discussions(records))
        return self.found.total - before

    async def _discussions(self, records: Mapping[Side, Record]) -> Mapping[Side, Discussion]:
        return {
            side: await self.route.end(side).session.discussion(record.ref)
            for side, record in records.items()
        }

    async def _comments(
        self, link: Link | None, records: Mapping[Side, Record], discussions: Mapping[Side, Discussion]
    ) -> None:
        route = self.route
        listed = {side: discussions[side].comments if side in discussions else () for side in Side}
        known, foreign = [], frozenset[str]()
        if link is not None and link.id is not None:
            ends = {side: record.ref for side, record in records.items()}
            thread = await thread_of(self.desk, link, ends, listed)
            known = [each for row in thread.rows.values() if (each := thread.comment_link(row)) is not None]
            foreign = frozenset(thread.passed_on)
        actions = plan_comments(
            links=known,
            hub=listed[Side.HUB],
            external=listed[Side.EXTERNAL],
            into=route.copies_comments(),
            since=None if route.config.comments.history else {side: route.started(side) for side in Side},
            same=route.translation.same,
            foreign_roots=foreign,
        )
        for action in actions:
            if action.step in _COMMENT_OPS:
                root, copy = action.comment, action.copy
                self.found.add(
                    Planned(
                        op=_COMMENT_OPS[action.step],
                        into=action.into,
                        reason=action.reason,
                        source=records[action.into.other],
                        target=records.get(action.into),
                        link_id=link.id if link is not None else None,
                        fields={TEXT: (copy.text if copy else None, root.text if root else None)},
                    )
                )

    async def _files(
        self, link: Link | None, records: Mapping[Side, Record], discussions: Mapping[Side, Discussion]
    ) -> None:
        route, into = self.route, self.route.copies_attachments()
        if not into:
            return
        if link is not None and link.id is not None:
            async with self.engine.database.read() as session:
                rows = await links.attachments_of(session, link.id)
            unit = Unit(marks=[], link=link, refs={side: record.ref for side, record in records.items()})
            shelf = await shelf_of(self.desk, unit, link, records, discussions, rows, route.comments_since)
            known, listed = shelf.attachment_links(), shelf.listed
        else:
            known = []
            listed = {
                side: await route.end(side).session.attachments(
                    record, route.copied_part(side, discussions[side], route.comments_since)
                )
                for side, record in records.items()
            }
        for action in plan_attachments(links=known, listed=listed, into=into):
            if action.step is AttachmentStep.COPY and action.root is not None:
                self.found.add(
                    Planned(
                        op=writes.ATTACHMENT_ADD,
                        into=action.into,
                        reason="a new file on the other side",
                        source=records[action.into.other],
                        target=records.get(action.into),
                        link_id=link.id if link is not None else None,
                        fields={_FILE: (None, action.root.name)},
                    )
                )


_COMMENT_OPS = {
    CommentStep.COPY: writes.COMMENT_ADD,
    CommentStep.EDIT: writes.COMMENT_EDIT,
    CommentStep.DELETE: writes.COMMENT_DELETE,
}


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
