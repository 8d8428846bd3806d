"""The single steps on comments: copy, adopt, edit, delete, list, forget. One write each, settled at once."""

from __future__ import annotations

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.discussions import Comment, CommentDraft
from connectors.errors import Park
from sync.jobs.pairing.creations import await_turn
from sync.jobs.passing.ledger import fence
from sync.jobs.passing.writing import Intent, intend, perform
from sync.jobs.threads.thread import TEXT, Thread
from sync.metrics import REPAIRED
from sync.reconcile import retold, root_url
from sync.reconcile.model import Clash, CommentAction, CommentStep, Pair, Policy, Side
from sync.store import conflicts, links, marks, parking, writes
from sync.store.history import tell
from sync.store.tables import Link, Write


async def do(thread: Thread, action: CommentAction) -> None:
    """One step; a parked one does not hold up the others."""
    row = thread.rows[action.link.id] if action.link else None
    text = action.comment.text if action.comment else ""
    ref = str(action.comment.ref if action.comment else row.id if row else "")
    writes_something = action.step in (CommentStep.COPY, CommentStep.EDIT, CommentStep.DELETE)
    if writes_something and await _is_parked(thread, ref, text):
        return
    try:
        await _step(thread, action, row)
    except Park as error:
        async with thread.desk.engine.database.write() as session:
            await parking.park(
                session,
                mapping_id=thread.link.mapping_id,
                link=thread.link,
                what="comment",
                ref=ref,
                error=error,
                now=thread.desk.engine.now(),
                values=text,
            )
            await session.execute(
                update(Link)
                .where(
                    col(Link.parent_id) == thread.link.id,
                    col(Link.state) == links.CONFIRMING,
                    or_(col(Link.hub_ref) == ref, col(Link.external_ref) == ref),
                )
                .values(state=links.PARKED, reason=error.reason)
            )


async def _is_parked(thread: Thread, ref: str, text: str) -> bool:
    """Whether it was parked with this very text; another text is tried anew."""
    async with thread.desk.engine.database.read() as session:
        entry = await parking.found(session, thread.link.mapping_id, "comment", ref)
    return entry is not None and entry.values == text


async def _step(thread: Thread, action: CommentAction, row: Link | None) -> None:
    if action.step is CommentStep.COPY:
        assert action.comment is not None
        await _copy(thread, action, action.comment)
    elif action.step is CommentStep.SETTLE:
        await _adopt(thread, action, row)
    elif action.step is CommentStep.FORGET and row is not None:
        await forget(thread, row, action.reason)
    elif action.step is CommentStep.LIST and row is not None:
        await _list(thread, action, row)
    elif action.step is CommentStep.EDIT and row is not None:
        assert action.comment is not None
        await _edit(thread, action, action.comment, row)
    elif action.step is CommentStep.DELETE and row is not None:
        await _delete(thread, action, row)


def _new_row(thread: Thread, source: Side, root: Comment) -> Link:
    row = Link(
        mapping_id=thread.link.mapping_id,
        mapping_version=thread.desk.route.mapping.version,
        kind=links.COMMENT,
        parent_id=thread.link.id,
        state=links.CONFIRMING,
        source=source.value,
        root=str(root.ref),
        author=root.author.name,
        created_at=thread.desk.engine.now(),
    )
    from_afar = thread.passed_on.get(root_url(root))
    if from_afar is not None:
        row.root, row.author = from_afar.root, from_afar.author
    links.describe_comment(row, source, root)
    return row


def _draft(thread: Thread, into: Side, row: Link, root: Comment) -> CommentDraft:
    """What the copy says: its author, and the people whom it mentions, are those of its own side."""
    translation = thread.desk.route.translation
    author_name = row.author or root.author.name
    from_afar = author_name != root.author.name
    return CommentDraft(
        text=retold(root.text, into, translation),
        author_name=author_name,
        source_url=root_url(root),
        author_here="" if from_afar else translation.people.into(into).get(root.author.id, ""),
    )


async def _copy(thread: Thread, action: CommentAction, root: Comment) -> None:
    desk, into = thread.desk, action.into
    row = next(
        (known for known in thread.rows.values() if getattr(known, f"{into.other}_ref") == str(root.ref)),
        None,
    )
    if row is None:
        row = _new_row(thread, into.other, root)
        async with desk.engine.database.write() as session:
            session.add(row)
    draft, end = _draft(thread, into, row, root), desk.route.end(into)
    await await_turn(
        await desk.engine.sessions.turns(end.connection), f"comment-{row.id}", end.connector.title
    )
    (write,) = await intend(
        desk,
        [
            Intent(
                link=row,
                side=into,
                op=writes.COMMENT_ADD,
                ref=thread.ends[into],
                fields={TEXT: draft.text},
                plan={"root_url": draft.source_url, "root_text": root.text},
            )
        ],
    )
    copy = await perform(
        desk, write, lambda: end.session.add_comment(thread.ends[into], draft), attempts=thread.attempts
    )
    await copied(thread, row, write, copy, root.text)


async def copied(thread: Thread, row: Link, write: Write, copy: Comment, root_text: str) -> None:
    desk, into = thread.desk, Side(write.side)
    async with desk.engine.database.write() as session:
        await _settle(session, thread, row, into, copy, root_text)
        await _done(session, thread, write, f"comment copied to {desk.route.end(into).connector.title}")


async def _adopt(thread: Thread, action: CommentAction, row: Link | None) -> None:
    """A copy that stands there already gets its row (back)."""
    assert action.comment is not None
    assert action.copy is not None
    if row is None:
        row = _new_row(thread, action.into.other, action.comment)
        row.made_by = "adopt"
        REPAIRED.inc()
        async with thread.desk.engine.database.write() as session:
            session.add(row)
    async with thread.desk.engine.database.write() as session:
        await _settle(session, thread, row, action.into, action.copy, action.comment.text)


async def _settle(
    session: AsyncSession, thread: Thread, row: Link, into: Side, copy: Comment, root_text: str
) -> None:
    now = thread.desk.engine.now()
    await fence(session, thread.desk.lease)
    stored = await session.get(Link, row.id)
    if stored is None:
        return
    links.describe_comment(stored, into, copy)
    stored.state, stored.synced_at = links.ACTIVE, now
    session.add(stored)
    pair = Pair(copy.text, root_text) if into is Side.HUB else Pair(root_text, copy.text)
    await links.settle(session, {row.id: {TEXT: pair}}, now)
    await parking.unpark(session, row.mapping_id, "comment", getattr(stored, f"{into.other}_ref"))


async def _done(session: AsyncSession, thread: Thread, write: Write, text: str) -> None:
    now = thread.desk.engine.now()
    stored = await session.get(Write, write.id)
    if stored is not None:
        stored.state, stored.done_at = writes.DONE, now
        session.add(stored)
    tell(
        session,
        thread.link,
        "write",
        text,
        now,
        field="comments",
        after=write.fields.get(TEXT),
        write_id=write.id,
        outcome="done",
        version=write.mapping_version,
    )
    ref = thread.ends[Side(write.side)]
    written = {str(ref): (Side(write.side), ref)}
    found = await marks.of_sharers(session, thread.link.mapping_id, written, comments=True)
    await marks.put(session, found, now)


async def _edit(thread: Thread, action: CommentAction, root: Comment, row: Link) -> None:
    desk, into = thread.desk, action.into
    assert action.link is not None
    assert action.link.copy is not None
    copy_ref, draft = action.link.copy, _draft(thread, into, row, root)
    (write,) = await intend(
        desk,
        [
            Intent(
                link=row,
                side=into,
                op=writes.COMMENT_EDIT,
                ref=copy_ref,
                fields={TEXT: draft.text},
                before={TEXT: action.link.copy_text},
                plan={"root_text": root.text, "root_before": action.link.root_text},
            )
        ],
    )
    session = desk.route.end(into).session
    copy = await perform(desk, write, lambda: session.edit_comment(copy_ref, draft), attempts=thread.attempts)
    await edited(thread, row, write, copy, root.text)


async def edited(thread: Thread, row: Link, write: Write, copy: Comment, root_text: str) -> None:
    async with thread.desk.engine.database.write() as session:
        await _settle(session, thread, row, Side(write.side), copy, root_text)
        await _done(session, thread, write, "the copy of an edited comment was changed")


async def _delete(thread: Thread, action: CommentAction, row: Link) -> None:
    assert action.link is not None
    assert action.link.copy is not None
    copy_ref = action.link.copy
    intent = Intent(
        link=row,
        side=action.into,
        op=writes.COMMENT_DELETE,
        ref=copy_ref,
        before={TEXT: action.link.copy_text},
    )
    (write,) = await intend(thread.desk, [intent])
    session = thread.desk.route.end(action.into).session
    await perform(thread.desk, write, lambda: session.delete_comment(copy_ref), attempts=thread.attempts)
    async with thread.desk.engine.database.write() as store:
        await _done(store, thread, write, "the copy of a deleted comment was deleted")
    await forget(thread, row, action.reason)


async def forget(thread: Thread, row: Link, reason: str) -> None:
    async with thread.desk.engine.database.write() as session:
        stored = await session.get(Link, row.id)
        if stored is not None:
            await links.unlink(session, stored, reason, thread.desk.engine.now())


async def _list(thread: Thread, action: CommentAction, row: Link) -> None:
    """A copy that somebody changed or deleted: both texts go to the conflict list, nothing is written."""
    assert action.link is not None
    source = action.link.source
    root_text = action.comment.text if action.comment else action.link.root_text
    copy_text = action.copy.text if action.copy else None
    values = Pair(copy_text, root_text) if action.into is Side.HUB else Pair(root_text, copy_text)
    clash = Clash(
        rule="comments",
        field="comments",
        kind="divergent",
        policy=Policy.LAST_MODIFIED,
        winner=source,
        values=values,
        hub_stamp=None,
        external_stamp=None,
        reason=action.reason,
    )
    desk = thread.desk
    async with desk.engine.database.write() as session:
        await conflicts.keep(session, row, clash, desk.engine.now(), desk.route.mapping.version)
