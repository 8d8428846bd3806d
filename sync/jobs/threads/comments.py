"""Comments of one link: from root to copy, each exactly once, one after the other in source order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col

from connectors.records import Record
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import DID, DONE, Done, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import close
from sync.jobs.threads.comment_steps import copied, do, edited, forget
from sync.jobs.threads.discussions import Discussions
from sync.jobs.threads.thread import TEXT, Thread, thread_of, uncertain
from sync.reconcile import plan_comments
from sync.reconcile.model import CommentAction, CommentStep, Side
from sync.store import links, writes
from sync.store.tables import Link, Write
from sync.store.times import rfc3339

_LOOK_AGAIN_S = 5.0
"""After listings that may not show our own writes yet."""


async def sync_comments(desk: Desk, unit: Unit, link: Link, discussions: Discussions) -> Outcome:
    """Look at the comments of both ends and do what the plan says."""
    ends = {side: unit.refs[side] for side in Side}
    listed = {side: discussion.comments for side, discussion in (await discussions.both()).items()}
    thread = await thread_of(desk, link, ends, listed, unit.attempts)
    held = await _resolve_open(thread)
    if held is not None:
        return held
    thread = await thread_of(desk, link, ends, thread.listed, unit.attempts)
    late = await uncertain(thread)
    actions, missing = await _confirmed(thread, _plan(thread, late, discussions.since))
    for action in actions:
        await do(thread, action)
    if late or missing:
        return Later(
            min(_LOOK_AGAIN_S, desk.engine.settings.stale_seconds),
            "the comments were listed as they stood before our own writes",
            attempt=False,
        )
    async with desk.engine.database.write() as session:
        stored = await session.get(Link, link.id)
        if stored is not None:
            stored.comments_at = desk.engine.now()
            for side in Side:
                found = unit.found.get(side)
                if isinstance(found, Record):  # read before the comments were listed
                    setattr(stored, f"{side}_comments_version", found.version)
            session.add(stored)
    return DID if actions else DONE


async def look_up(desk: Desk, unit: Unit, link: Link) -> Done | Later:
    """Only look up comment writes whose answers were lost: the link itself rests."""
    async with desk.engine.database.read() as session:
        rows = [row.id for row in await links.comments_of(session, link.id)]
        waiting = await writes.unresolved(session, rows)
    if not waiting:
        return DONE
    ends = {side: unit.refs[side] for side in Side}
    listed = {side: await desk.route.end(side).session.comments(ends[side]) for side in Side}
    return await _resolve_open(await thread_of(desk, link, ends, listed)) or DONE


async def _confirmed(
    thread: Thread, actions: Sequence[CommentAction]
) -> tuple[Sequence[CommentAction], bool]:
    """The actions without those that rest on a comment missing for the first time.

    Listings are paged: what one misses need not be gone. It has to be missing in two, one after the
    other. Also: whether there is something to look at again.
    """
    absent = {action.link.id for action in actions if action.link and _rests_on_absence(action)}
    first = {row_id for row_id in absent if thread.rows[row_id].gone is None}
    back = {row_id for row_id, row in thread.rows.items() if row.gone is not None and row_id not in absent}
    if first or back:
        noted = {"side": thread.link.source, "proof": "not listed", "at": rfc3339(thread.desk.engine.now())}
        async with thread.desk.engine.database.write() as session:
            for ids, value in ((first, noted), (back, None)):
                await session.execute(update(Link).where(col(Link.id).in_(ids)).values(gone=value))
    sure = [action for action in actions if action.link is None or action.link.id not in first]
    return sure, bool(first)


def _rests_on_absence(action: CommentAction) -> bool:
    if action.step is CommentStep.LIST:
        return action.copy is None
    return action.step in (CommentStep.DELETE, CommentStep.FORGET)


def _plan(
    thread: Thread, late: frozenset[int], since: Mapping[Side, datetime] | None
) -> Sequence[CommentAction]:
    route = thread.desk.route
    known = [link for row in thread.rows.values() if (link := thread.comment_link(row)) is not None]
    return plan_comments(
        links=known,
        hub=thread.listed[Side.HUB],
        external=thread.listed[Side.EXTERNAL],
        into=route.copies_comments(),
        since=since,
        same=route.translation.same,
        foreign_roots=frozenset(thread.passed_on),
        fresh=late,
    )


async def _resolve_open(thread: Thread) -> Later | None:
    """Look up comment writes whose answer was lost; Later while one is not certain."""
    async with thread.desk.engine.database.read() as session:
        waiting = await writes.unresolved(session, list(thread.rows))
    for row_id, rows in sorted(waiting.items()):
        for row in rows:
            later = await _resolve(thread, thread.rows[row_id], row)
            if later is not None:
                return later
    return None


async def _resolve(thread: Thread, comment: Link, row: Write) -> Later | None:
    desk, side = thread.desk, Side(row.side)
    if row.op == writes.COMMENT_ADD:
        copies = [c for c in thread.listed[side] if c.by_us and c.source_url == row.plan["root_url"]]
        if copies:
            await copied(thread, comment, row, copies[0], str(row.plan["root_text"]))
            return None
        over = max(row.deadline_at, row.done_at or row.deadline_at)
        later = _not_before(desk, over + timedelta(seconds=desk.engine.settings.lookup_delay_seconds))
        if later is not None:
            return later
        await close(desk, row, writes.NOT_DONE, "looked up after the delay: it was not posted")
        return None
    copy = next((c for c in thread.listed[side] if str(c.ref) == row.ref), None)
    if row.op == writes.COMMENT_DELETE:
        if copy is None:
            await close(desk, row, writes.DONE, "looked up")
            await forget(thread, comment, "the copy is deleted")
        else:
            await close(desk, row, writes.NOT_DONE, "looked up: it is still there")
        return None
    same = desk.route.end(side).session.same
    if copy is not None and same("comments", row.fields[TEXT], copy.text):
        await edited(thread, comment, row, copy, str(row.plan["root_text"]))
        return None
    if copy is not None and copy.text == row.before[TEXT]:
        over = row.done_at or row.deadline_at
        later = _not_before(desk, over + timedelta(seconds=desk.engine.settings.stale_seconds))
        if later is not None:
            return later
    await close(desk, row, writes.NOT_DONE, "looked up: it was not changed")
    return None


def _not_before(desk: Desk, certain_at: datetime) -> Later | None:
    """When to look again, while a listing may still be older than a write whose answer was lost."""
    remaining = (certain_at - desk.engine.now()).total_seconds()
    if remaining <= 0:
        return None
    return Later(min(2.0, remaining), "the answer to a comment was lost; looking for it", attempt=False)
