"""The files of one link as they stand: what is stored of them, and what both sides list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.discussions import Attachment, Comment, Discussion
from connectors.records import Record, Ref
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.unit import Unit
from sync.reconcile.attachments import AttachmentLink
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Link

FILE = "file"
"""The field of an attachment link's Seen: SHA-256 of the bytes, or the address of what is a link."""

TEXTS = "texts"
"""Where a file is a link in a text, its copy is a comment."""


@dataclass(slots=True)
class Shelf:
    """``attempts``: how often this look was taken in vain already. ``comments``: all of them, by side.

    ``rows`` and ``sums`` (Seen of :data:`FILE`) are kept as they change.
    """

    desk: Desk
    link: Link
    ends: Mapping[Side, Ref]
    attempts: int
    listed: Mapping[Side, Sequence[Attachment]]
    comments: Mapping[Side, Sequence[Comment]]
    rows: dict[int, Link]
    sums: dict[int, str]
    authors: Mapping[str, str]
    """Who added a file that reached us under another mapping, by our copy of it."""

    def known(self) -> frozenset[str]:
        """Refs of all files, and of comments that stand for one, that have a link."""
        return frozenset(ref for row in self.rows.values() for ref in (row.hub_ref, row.external_ref) if ref)

    def keeps_texts(self, side: Side) -> bool:
        """Whether a copy on that side is a comment."""
        return self.desk.route.end(side).connector.capabilities.attachments == TEXTS

    def attachment_links(self) -> list[AttachmentLink]:
        found = []
        for row in self.rows.values():
            source = Side(row.source)
            root = links.end(row, source, self.desk.route.end(source).connection)
            if root is not None:
                copy = links.end(row, source.other, self.desk.route.end(source.other).connection)
                settled = row.state == links.ACTIVE
                found.append(AttachmentLink(row.id, source, root, copy, settled, alone=row.gone is not None))
        return found

    def fresh(self) -> frozenset[int]:
        """Rows settled so recently that a listing may not show their root."""
        horizon = self.desk.engine.now() - timedelta(seconds=self.desk.engine.settings.stale_seconds)
        return frozenset(row.id for row in self.rows.values() if row.synced_at and row.synced_at > horizon)


async def shelf_of(
    desk: Desk,
    unit: Unit,
    link: Link,
    records: Mapping[Side, Record],
    discussions: Mapping[Side, Discussion],
    rows: Sequence[Link],
    since: Mapping[Side, datetime] | None,
) -> Shelf:
    """Bring together what is listed and what is stored (``rows``); comments before ``since`` do not count."""
    route = desk.route
    listed = {
        side: await route.end(side).session.attachments(
            records[side], route.copied_part(side, discussions[side], since)
        )
        for side in Side
    }
    async with desk.engine.database.read() as session:
        seen = await links.settled_pairs(session, [row.id for row in rows]) if rows else {}
        authors = await _from_afar(session, link, listed)
    return Shelf(
        desk=desk,
        link=link,
        ends=unit.refs,
        attempts=unit.attempts,
        listed=listed,
        comments={side: discussion.comments for side, discussion in discussions.items()},
        rows={row.id: row for row in rows},
        sums={row_id: str(pairs[FILE].hub) for row_id, pairs in seen.items() if FILE in pairs},
        authors=authors,
    )


async def _from_afar(
    session: AsyncSession, link: Link, listed: Mapping[Side, Sequence[Attachment]]
) -> dict[str, str]:
    """Our copies here that were made under other mappings: a third tool's files on their way."""
    found: dict[str, str] = {}
    for side, files in listed.items():
        if not files:
            continue
        ref = col(Link.hub_ref) if side is Side.HUB else col(Link.external_ref)
        query = select(ref, col(Link.author)).where(
            col(Link.kind) == links.ATTACHMENT,
            col(Link.mapping_id) != link.mapping_id,
            col(Link.source) == side.other.value,
            ref.in_([str(file.ref) for file in files]),
        )
        found |= {str(row[0]): str(row[1]) for row in await session.execute(query)}
    return found
