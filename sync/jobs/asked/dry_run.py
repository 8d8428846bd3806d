"""Planning without writing: what passes would do about one object after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.discussions import Discussion
from connectors.records import Record
from sync.jobs.asked.planned import Planned, Preview
from sync.jobs.engine import Engine
from sync.jobs.files.shelf import shelf_of
from sync.jobs.merging.planning import plan_fields
from sync.jobs.pairing.admission import left, wanted
from sync.jobs.pairing.drafting import creation_of
from sync.jobs.pairing.newcomers import linked_elsewhere
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.lease import Lease
from sync.jobs.passing.past import Past
from sync.jobs.passing.unit import Unit
from sync.jobs.routing.route import Route
from sync.jobs.threads.thread import TEXT, thread_of
from sync.reconcile import plan_comments
from sync.reconcile.attachments import AttachmentStep, plan_attachments
from sync.reconcile.model import CommentStep, Side
from sync.store import links, parking, writes
from sync.store.tables import Link

_FILE = "name"


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
        if left(self.route, records, captured=link.made_by == links.CAPTURED):
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
