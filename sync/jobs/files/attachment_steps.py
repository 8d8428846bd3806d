"""The single steps on files: copy, keep, forget. One write each, settled at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from sqlalchemy import update
from sqlmodel import col

from connectors.discussions import Attachment, AttachmentDraft, Comment, CommentDraft, Content
from connectors.errors import OnlyLinked, OutcomeUnknown, Park, RetryLater
from sync.jobs.files.shelf import FILE, Shelf
from sync.jobs.passing.ledger import fence
from sync.jobs.passing.writing import Intent, intend, perform
from sync.metrics import REPAIRED
from sync.reconcile.attachments import AttachmentAction, AttachmentStep, file_name, told
from sync.reconcile.model import Pair, Side
from sync.store import links, marks, parking, writes
from sync.store.history import tell
from sync.store.tables import Link, Write
from sync.store.times import rfc3339

_IN_MEMORY = 1024 * 1024
"""Larger files go through the disk."""

WHAT = "attachment"


@dataclass(frozen=True, slots=True)
class Copy:
    """What is to stand on side ``into``: ``sum`` is the SHA-256 of the bytes; of a link, its address."""

    into: Side
    name: str
    url: str
    sum: str
    size: int | None


async def do(shelf: Shelf, action: AttachmentAction) -> None:
    """One step; a parked file does not hold up the others."""
    row = shelf.rows[action.link.id] if action.link else None
    if action.step is AttachmentStep.KEEP and row is not None:
        await _keep(shelf, row)
    elif action.step is AttachmentStep.FORGET and row is not None:
        await _forget(shelf, row)
    elif action.root is not None:
        if row is None and str(action.root.ref) in shelf.known():
            return  # a step before this one found it to be a copy
        if await _is_parked(shelf, action.root):
            return
        row = row or await _new_row(shelf, action.into, action.root)
        try:
            await _copy(shelf, action.into, action.root, row)
        except Park as error:
            await _park(shelf, row, action.root, error)
        except (RetryLater, OutcomeUnknown) as error:
            if shelf.attempts + 1 < shelf.desk.engine.settings.max_attempts or _is_limit(error):
                raise
            failed = Park(
                f"It failed {shelf.attempts + 1} times: {error.reason}",
                provider_message=error.provider_message,
                fix="Look at the file in the provider, then retry.",
            )
            await _park(shelf, row, action.root, failed)


async def standing(shelf: Shelf, copy: Copy) -> Attachment | Comment | None:
    """What is there already and can only be this copy, though no link knows it."""
    known = shelf.known()
    if shelf.keeps_texts(copy.into):
        return next(
            (
                comment
                for comment in shelf.comments[copy.into]
                if comment.by_us and comment.source_url == copy.url and str(comment.ref) not in known
            ),
            None,
        )
    for there in shelf.listed[copy.into]:
        if str(there.ref) in known or there.is_link != (copy.size is None):
            continue
        if there.is_link:
            if there.url == copy.url:
                return there
        elif there.size in (None, copy.size) and await _sum_of(shelf, copy.into, there) == copy.sum:
            return there
    return None


async def copied(
    shelf: Shelf, row: Link, copy: Copy, there: Attachment | Comment, write: Write | None
) -> None:
    """Settle a copy that stands there; ``write`` is the one that made it, None where it was found."""
    now, title = shelf.desk.engine.now(), shelf.desk.route.end(copy.into).connector.title
    async with shelf.desk.engine.database.write() as session:
        await fence(session, shelf.desk.lease)
        for each in (row, await session.get(Link, row.id)):
            if each is not None:
                links.describe_file(each, copy.into, there.ref, there.url, copy.name)
                each.state, each.reason, each.synced_at = links.ACTIVE, "", now
        await links.settle(session, {row.id: {FILE: Pair(copy.sum, copy.sum)}}, now)
        await parking.unpark(session, row.mapping_id, WHAT, getattr(row, f"{copy.into.other}_ref"))
        if write is not None:
            stored = await session.get_one(Write, write.id)
            stored.state, stored.done_at = writes.DONE, now
            kind = "a link to it" if copy.size is None else f"{copy.size} bytes"
            tell(
                session,
                shelf.link,
                "write",
                f"file {copy.name!r} copied to {title}: {kind}",
                now,
                field="attachments",
                after=copy.name,
                write_id=write.id,
                outcome="done",
                version=write.mapping_version,
            )
            ref = shelf.ends[copy.into]
            written = {str(ref): (copy.into, ref)}
            sharers = await marks.of_sharers(session, shelf.link.mapping_id, written, comments=True)
            await marks.put(session, sharers, now)
        else:
            REPAIRED.inc()
    shelf.sums[row.id] = copy.sum


async def _copy(shelf: Shelf, into: Side, root: Attachment, row: Link) -> None:
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        file = cast(BinaryIO, spooled)
        content = await _read(shelf, into, root, row, file)
        if content is None:
            copy = Copy(into, root.name, root.url, root.url, None)
        else:
            copy = Copy(into, file_name(root.name, content), root.url, content.sha256, content.size)
        if copy.sum in shelf.sums.values():
            await _settle_double(shelf, row, copy)
            return
        there = await standing(shelf, copy)
        if there is not None:
            await copied(shelf, row, copy, there, None)
            return
        await _add(shelf, row, root, copy, content, file)


async def _read(shelf: Shelf, into: Side, root: Attachment, row: Link, file: BinaryIO) -> Content | None:
    """The bytes of the root; None where its copy is to be a link."""
    if shelf.keeps_texts(into) or root.is_link:
        return None
    limit = shelf.desk.route.end(into).connector.capabilities.largest_attachment
    try:
        return await shelf.desk.route.end(into.other).session.read_attachment(root, file, limit)
    except OnlyLinked as only:
        async with shelf.desk.engine.database.write() as session:
            why = f"{root.name!r} is copied as a link: {only.reason}"
            tell(session, shelf.link, "plan", why, shelf.desk.engine.now(), field="attachments")
        return None


async def _add(
    shelf: Shelf, row: Link, root: Attachment, copy: Copy, content: Content | None, file: BinaryIO
) -> None:
    desk, ref = shelf.desk, shelf.ends[copy.into]
    session = desk.route.end(copy.into).session
    call: Callable[[], Awaitable[Attachment | Comment]]
    if shelf.keeps_texts(copy.into):
        author = row.author or desk.route.end(copy.into.other).connector.title
        comment = CommentDraft(text=told(root), author_name=author, source_url=root.url)
        call = partial(session.add_comment, ref, comment)
    else:
        media_type = (content and content.media_type) or "application/octet-stream"
        draft = AttachmentDraft(name=copy.name, url=copy.url, media_type=media_type)
        call = partial(session.add_attachment, ref, draft, file if content else None)
    intent = Intent(
        link=row,
        side=copy.into,
        op=writes.ATTACHMENT_ADD,
        ref=ref,
        fields={"name": copy.name},
        plan={"root_url": copy.url, "sum": copy.sum, "size": copy.size},
        size=copy.size or 0,
    )
    (write,) = await intend(desk, [intent])
    await copied(shelf, row, copy, await perform(desk, write, call, attempts=shelf.attempts), write)


async def _sum_of(shelf: Shelf, side: Side, there: Attachment) -> str:
    """SHA-256 of a file's bytes; empty where they cannot be read."""
    end = shelf.desk.route.end(side)
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        try:
            content = await end.session.read_attachment(
                there, cast(BinaryIO, spooled), end.connector.capabilities.largest_attachment
            )
        except Park:
            return ""
    return content.sha256


async def _new_row(shelf: Shelf, into: Side, root: Attachment) -> Link:
    row = Link(
        mapping_id=shelf.link.mapping_id,
        mapping_version=shelf.desk.route.mapping.version,
        kind=links.ATTACHMENT,
        parent_id=shelf.link.id,
        state=links.CONFIRMING,
        source=into.other.value,
        root=str(root.ref),
        author=shelf.authors.get(str(root.ref)) or (root.author.name if root.author else ""),
        created_at=shelf.desk.engine.now(),
    )
    links.describe_file(row, into.other, root.ref, root.url, root.name)
    async with shelf.desk.engine.database.write() as session:
        session.add(row)
    shelf.rows[row.id] = row
    return row


async def _settle_double(shelf: Shelf, row: Link, copy: Copy) -> None:
    """The same bytes stand there already, as the copy of another file: once is enough."""
    now = shelf.desk.engine.now()
    values = {"state": links.ACTIVE, "reason": "the same file is there already", "synced_at": now}
    async with shelf.desk.engine.database.write() as session:
        await fence(session, shelf.desk.lease)
        await session.execute(update(Link).where(col(Link.id) == row.id).values(values))
        await links.settle(session, {row.id: {FILE: Pair(copy.sum, copy.sum)}}, now)
        await parking.unpark(session, row.mapping_id, WHAT, getattr(row, f"{copy.into.other}_ref"))


async def _keep(shelf: Shelf, row: Link) -> None:
    now, source = shelf.desk.engine.now(), Side(row.source)
    gone = {"side": source.value, "proof": "not listed", "at": rfc3339(now)}
    why = "the file was removed where it was added; its copy stays"
    async with shelf.desk.engine.database.write() as session:
        await fence(session, shelf.desk.lease)
        await session.execute(update(Link).where(col(Link.id) == row.id).values(gone=gone, reason=why))
        title = getattr(row, f"{source}_title")
        tell(session, shelf.link, "in", f"{title!r}: {why}", now, field="attachments")


async def _forget(shelf: Shelf, row: Link) -> None:
    now = shelf.desk.engine.now()
    async with shelf.desk.engine.database.write() as session:
        await links.unlink(session, row, "the file was removed before it was copied", now)
        await parking.unpark(session, row.mapping_id, WHAT, getattr(row, f"{row.source}_ref"))


async def _is_parked(shelf: Shelf, root: Attachment) -> bool:
    async with shelf.desk.engine.database.read() as session:
        entry = await parking.found(session, shelf.link.mapping_id, WHAT, str(root.ref))
    return entry is not None


async def _park(shelf: Shelf, row: Link, root: Attachment, error: Park) -> None:
    async with shelf.desk.engine.database.write() as session:
        await parking.park(
            session,
            mapping_id=shelf.link.mapping_id,
            link=shelf.link,
            what=WHAT,
            ref=str(root.ref),
            error=error,
            now=shelf.desk.engine.now(),
            values=root.name,
        )
        await session.execute(
            update(Link)
            .where(col(Link.id) == row.id, col(Link.state) == links.CONFIRMING)
            .values(state=links.PARKED, reason=error.reason)
        )


def _is_limit(error: RetryLater | OutcomeUnknown) -> bool:
    return isinstance(error, RetryLater) and error.limited
