"""Which changes are worth a look: everything that may differ from what was settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.changes import Change
from connectors.records import Record
from sync.jobs.pairing.admission import in_scope, wanted
from sync.jobs.routing.route import TOLD_LATE, Route
from sync.metrics import SUPPRESSED
from sync.reconcile.model import Mode, Pair, Side
from sync.store import links, marks, parking
from sync.store.tables import Link

_SHORTLY = timedelta(minutes=1)
"""Between a write and the events of all that it set off."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is settled about the objects of some changes on one side of a mapping.

    ``links`` and ``parents``: living task links by the Ref of the object, or of a comment below it;
    ``seen``: settled pairs by link and field; ``comments``: those that are linked; ``waiting``: links
    with a parked field.
    """

    route: Route
    side: Side
    links: Mapping[str, Link]
    parents: Mapping[str, Link]
    seen: Mapping[int, Mapping[str, Pair]]
    comments: frozenset[str]
    waiting: frozenset[int] = frozenset()

    def marks(
        self,
        changes: Iterable[Change],
        *,
        delivery_id: int | None = None,
        join_s: float = 0.0,
    ) -> list[marks.NewMark]:
        """The marks these changes make; none for an echo of what was settled.

        A link that was written less than ``join_s`` seconds ago waits for the rest of that time, so
        that a burst of edits is one look.
        """
        found: list[marks.NewMark] = []
        for change in _on_objects(self.route, self.side, changes, self.parents):
            link = self.links.get(str(change.ref))
            if change.new_comments and self.comments.issuperset(str(ref) for ref in change.new_comments):
                SUPPRESSED.labels("echo").inc()  # our own copies come back
                continue
            seen = self.seen.get(link.id, {}) if link else {}
            waits = link is not None and change.record is not None and link.id in self.waiting
            if not waits and not _is_news(self.route, self.side, change, link, seen):
                if link is not None:
                    SUPPRESSED.labels("echo").inc()
                continue
            found.append(
                marks.NewMark(
                    mapping_id=self.route.mapping.id,
                    side=self.side,
                    ref=change.ref,
                    lane=marks.BACKFILL if self._is_ours(change, link) else marks.LIVE,
                    comments=change.comments,
                    gone=change.gone.proof if change.gone else "",
                    seen_at=change.at,
                    delivery_id=delivery_id,
                    reason="changed",
                    due_at=link.synced_at + timedelta(seconds=join_s) if link and link.synced_at else None,
                )
            )
        return found

    def _is_ours(self, change: Change, link: Link | None) -> bool:
        """Whether our account made the object or changed it about when we wrote it last.

        Mostly our own write comes back, before its answer is kept: what people do is looked at first.
        """
        if change.actor not in self.route.own_names(self.side):
            return False
        written_at = link.synced_at if link else None
        return change.at is None or written_at is None or abs(change.at - written_at) <= _SHORTLY


async def known_of(session: AsyncSession, route: Route, side: Side, changes: Sequence[Change]) -> Known:
    """Look it up for all of them at once."""
    mapping_id = route.mapping.id
    loose = [str(change.ref) for change in changes if change.ref.kind == links.COMMENT]
    parents = await links.parents_of(session, mapping_id, side, loose) if loose else {}
    objects = _on_objects(route, side, changes, parents)
    by_ref = await links.by_refs(session, mapping_id, [str(change.ref) for change in objects])
    with_record = [
        by_ref[str(change.ref)].id for change in objects if change.record and str(change.ref) in by_ref
    ]
    seen = await links.settled_pairs(session, with_record) if with_record else {}
    waiting = await parking.links_waiting(session, with_record) if with_record else frozenset[int]()
    told = [str(ref) for change in changes for ref in change.new_comments]
    known = await links.comments_known(session, mapping_id, side, told) if told else frozenset()
    return Known(route, side, by_ref, parents, seen, known, waiting)


async def marks_for(
    session: AsyncSession,
    route: Route,
    side: Side,
    changes: Sequence[Change],
    *,
    join_s: float = 0.0,
) -> list[marks.NewMark]:
    """The marks these changes make in one mapping, see :meth:`Known.marks`."""
    return (await known_of(session, route, side, changes)).marks(changes, join_s=join_s)


def _on_objects(
    route: Route, side: Side, changes: Iterable[Change], parents: Mapping[str, Link]
) -> list[Change]:
    """These changes, each at an object: one that names a comment alone is led to where that hangs.

    Asana tells of an edited comment without its task. A comment that nobody linked is dropped: what
    makes it known is told together with its task.
    """
    found: list[Change] = []
    for change in changes:
        if change.ref.kind != links.COMMENT:
            found.append(change)
            continue
        parent = parents.get(str(change.ref))
        ref = links.end(parent, side, route.end(side).connection) if parent else None
        if ref is not None:
            found.append(replace(change, ref=ref, comments=True, gone=None))
    return found


def _is_news(route: Route, side: Side, change: Change, link: Link | None, seen: Mapping[str, Pair]) -> bool:
    if route.blind:
        return True
    if change.gone or change.moved:
        return link is not None
    if change.record is None:
        return link is None or not _is_settled(route, side, change, link)
    if link is None:
        return wanted(route, side, change.record)
    if change.comments and change.record.version > getattr(link, f"{side}_comments_version"):
        return True
    return link.state != links.ACTIVE or bool(link.gone) or differs(route, side, change.record, seen)


def _is_settled(route: Route, side: Side, change: Change, link: Link) -> bool:
    """Whether the newest version that was settled contains the change.

    It does where it is later, whoever made it, and where our own account did it in that very moment:
    our write comes back. Somebody who shares the account and edits then is found by the next listing.
    """
    settled_at = getattr(link, f"{side}_at")
    if change.comments or change.at is None or settled_at is None or link.state != links.ACTIVE or link.gone:
        return False
    echo = change.actor in route.own_names(side) and abs(change.at - settled_at) <= TOLD_LATE
    return echo or route.end(side).contains(settled_at, change.at)


def differs(route: Route, side: Side, record: Record, seen: Mapping[str, Pair]) -> bool:
    """Whether a mapped field is not what was settled on that side, or never was, or the object left."""
    same, record = route.end(side).session.same, route.placed(side, record)
    for rule in route.rules:
        name = rule.field(side)
        if name not in record.fields or rule.mode is Mode.ON_CREATE:
            continue
        pair = seen.get(rule.name)
        value = record.fields[name]
        if pair is None or (pair.of(side) != value and not same(name, pair.of(side), value)):
            return True
    return not in_scope(route, side, record)
