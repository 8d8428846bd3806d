"""The comments of one link as they stand: what is stored of them, and what both sides list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.discussions import Comment
from connectors.records import Ref
from sync.jobs.passing.desk import Desk
from sync.reconcile import root_url
from sync.reconcile.model import CommentLink, Pair, Side
from sync.store import links, writes
from sync.store.tables import Link, Write

TEXT = "text"
"""The field of a comment link's Seen."""


@dataclass(frozen=True, slots=True)
class Thread:
    """Rows of the mapping table, their settled texts, and both complete listings.

    ``attempts``: how often this look was taken in vain already.
    """

    desk: Desk
    link: Link
    ends: Mapping[Side, Ref]
    listed: Mapping[Side, Sequence[Comment]]
    rows: Mapping[int, Link]
    seen: Mapping[int, Pair]
    passed_on: Mapping[str, Link]
    """Links under other mappings of our copies that stand here, by the copy's ``root_url``."""
    attempts: int = 0

    def comment_link(self, row: Link) -> CommentLink | None:
        source = Side(row.source)
        root = links.end(row, source, self.desk.route.end(source).connection)
        if root is None:
            return None
        seen = self.seen.get(row.id, Pair("", ""))
        return CommentLink(
            id=row.id,
            source=source,
            root=root,
            copy=links.end(row, source.other, self.desk.route.end(source.other).connection),
            root_text=str(seen.of(source) or ""),
            copy_text=str(seen.of(source.other) or ""),
        )


async def thread_of(
    desk: Desk,
    link: Link,
    ends: Mapping[Side, Ref],
    listed: Mapping[Side, Sequence[Comment]],
    attempts: int = 0,
) -> Thread:
    """Bring together what was listed with what is stored."""
    async with desk.engine.database.read() as session:
        rows = {row.id: row for row in await links.comments_of(session, link.id)}
        seen = await links.seen_of(session, rows)
        passed_on = await _passed_on(session, link, listed)
    texts = {
        row_id: links.pairs(fields)[TEXT] for row_id, fields in seen.items() if TEXT in links.pairs(fields)
    }
    return Thread(desk, link, ends, listed, rows, texts, passed_on, attempts)


async def _passed_on(
    session: AsyncSession, link: Link, listed: Mapping[Side, Sequence[Comment]]
) -> dict[str, Link]:
    """Our copies here that were made under other mappings, and what people said here through another tool.

    Both are on their way: a third tool's comments, and comments that a captured task's card asked for.
    """
    found: dict[str, Link] = {}
    for side, comments in listed.items():
        ours = {str(comment.ref): root_url(comment) for comment in comments if comment.by_us}
        if not ours:
            continue
        ref = col(Link.hub_ref) if side is Side.HUB else col(Link.external_ref)
        query = select(Link).where(
            col(Link.kind) == links.COMMENT,
            or_(
                and_(col(Link.mapping_id) != link.mapping_id, col(Link.source) == side.other.value),
                and_(col(Link.source) == side.value, col(Link.root).startswith(links.SAID)),
            ),
            ref.in_(list(ours)),
        )
        for row in (await session.execute(query)).scalars():
            found[ours[getattr(row, f"{side}_ref")]] = row
    return found


async def uncertain(thread: Thread) -> frozenset[int]:
    """Links settled so recently that the listings may not show it, and that look otherwise.

    A comment that is missing, or whose text is the one our newest write replaced: that may be a late
    listing, or a person's doing. The next look tells.
    """
    desk = thread.desk
    horizon = desk.engine.now() - timedelta(seconds=desk.engine.settings.stale_seconds)
    recent = [row for row in thread.rows.values() if row.synced_at is not None and row.synced_at > horizon]
    if not recent:
        return frozenset()
    async with desk.engine.database.read() as session:
        edits = await writes.newest_of(session, [row.id for row in recent], writes.COMMENT_EDIT, horizon)
    return frozenset(row.id for row in recent if _looks_late(thread, row, edits.get(row.id)))


def _looks_late(thread: Thread, row: Link, edit: Write | None) -> bool:
    link = thread.comment_link(row)
    if link is None or link.copy is None:
        return False
    root = next((c for c in thread.listed[link.source] if c.ref == link.root), None)
    copy = next((c for c in thread.listed[link.source.other] if c.ref == link.copy), None)
    if root is None or copy is None:
        return True
    if edit is None:
        return False
    old_root, old_copy = edit.plan["root_before"], edit.before[TEXT]
    shown = (root.text, old_root, link.root_text), (copy.text, old_copy, link.copy_text)
    return any(text == old != settled for text, old, settled in shown)
