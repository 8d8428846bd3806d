"""What people asked to be done to a captured task: done before its fields are compared, as edits of the task.

A change is a person's edit with a time and an author; whatever the mapping keeps in step then crosses like
any other edit. A comment is a root that stands in the hub: its copies are made from there.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.discussions import Comment, CommentDraft
from connectors.errors import ConnectorError, Park
from connectors.interactions import What
from connectors.records import Record
from sync.jobs.capture.cards import has_card
from sync.jobs.merging import settling
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry, fence
from sync.jobs.passing.outcome import DID, DONE, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import Intent, intend, new_writes, perform
from sync.jobs.threads.thread import TEXT
from sync.reconcile import retold
from sync.reconcile.model import Pair, Side
from sync.store import errands, links, writes
from sync.store.history import tell as tell_history
from sync.store.tables import Errand, Link
from sync.store.tables import Write as WriteRow
from sync.store.times import rfc3339
from sync.store.values import parse_all

log = structlog.get_logger()


async def carry_out(desk: Desk, unit: Unit, link: Link) -> Outcome:
    """Do what waits, one after the other. The task in ``unit`` is as it is then.

    Later: the answer to a comment was lost, and it has to be looked for first.
    """
    capabilities = desk.route.end(Side.EXTERNAL).connector.capabilities
    if not has_card(link, desk.route.config, capabilities):
        return DONE
    async with desk.engine.database.read() as session:
        waiting = await errands.waiting(session, link.id)
    for errand in waiting:
        try:
            await (_change if errand.what == What.CHANGE else _comment)(desk, unit, link, errand)
        except Park as error:
            await refuse(desk, unit, errand, error.reason)
    if any(errand.state == errands.OPEN for errand in waiting):
        return Later(1, "the answer to a comment was lost; looking for it", attempt=False)
    return DID if waiting else DONE


async def refuse(desk: Desk, unit: Unit, errand: Errand, reason: str) -> None:
    """It cannot be done: kept with the reason, and told to the person who asked."""
    async with desk.engine.database.write() as session:
        await errands.close(session, errand, desk.engine.now(), refused=reason)
    log.info("errand.refused", link=errand.link_id, ref=errand.ref, reason=reason)
    await tell(desk, unit, errand, reason)


async def tell(desk: Desk, unit: Unit, errand: Errand, reason: str) -> None:
    """Tell the person who asked, and nobody else, why it cannot be done."""
    end = desk.route.end(Side.EXTERNAL)
    ref = unit.refs.get(Side.EXTERNAL) or end.ref(errand.kind, errand.object_id, errand.address)
    with suppress(ConnectorError):
        await end.session.whisper(ref, errand.person_id, f"That was not possible: {reason}.")


async def _change(desk: Desk, unit: Unit, link: Link, errand: Errand) -> None:
    end, ref = desk.route.end(Side.HUB), unit.refs[Side.HUB]
    task = (await end.session.fetch_many([ref]))[ref]  # what a listing presumes is not written over
    if not isinstance(task, Record):
        raise Park("the task cannot be seen any more")
    fields = {
        name: value for name, value in parse_all(errand.fields).items() if task.fields.get(name) != value
    }
    now = desk.engine.now()
    over = Entry(link, steps=[partial(_close, errand=errand, desk=desk)])
    if fields:
        where = desk.route.end(Side.EXTERNAL).connector.title
        origin = {
            "at": rfc3339(errand.asked_at),
            "by": {"id": errand.person_id, "name": errand.person_name},
        }
        intent = Intent(
            link=link,
            side=Side.HUB,
            op=writes.UPDATE,
            ref=task.ref,
            fields=fields,
            before={name: task.fields.get(name) for name in fields},
            origin=dict.fromkeys(fields, origin),
        )
        begun = Entry(link, begun=new_writes(desk, [intent]))
        begun.tell("plan", f"{errand.person_name} asked for it in {where}", now=now)
        await desk.ledger.enter(begun)
        (row,), expected = begun.begun, task
        task = await perform(desk, row, lambda: end.session.update(expected.ref, fields, expected))
        desk.engine.snapshots.keep(end.connection.id, [task], now)
        settling.tell_done(desk, over, row, task)
    await desk.ledger.enter(over)
    unit.found[Side.HUB] = desk.route.placed(Side.HUB, task)


async def _close(session: AsyncSession, errand: Errand, desk: Desk) -> None:
    await errands.close(session, errand, desk.engine.now())


async def _comment(desk: Desk, unit: Unit, link: Link, errand: Errand) -> None:
    async with desk.engine.database.write() as session:
        row = await _row(session, desk, link, errand)
        if row.hub_ref is not None:  # its answer was lost, and it was found since
            await errands.close(session, errand, desk.engine.now())
            return
        if await writes.unresolved(session, [row.id]):
            return  # it is looked for where the comments are listed
    end, task = desk.route.end(Side.HUB), unit.refs[Side.HUB]
    draft = CommentDraft(
        text=retold(errand.text, Side.HUB, desk.route.translation),
        author_name=errand.person_name,
        source_url=f"{link.external_url}#comment-{errand.id}",
    )
    plan = {"root_url": draft.source_url, "root_text": draft.text}
    intent = Intent(
        link=row, side=Side.HUB, op=writes.COMMENT_ADD, ref=task, fields={TEXT: draft.text}, plan=plan
    )
    (write,) = await intend(desk, [intent])
    try:
        comment = await perform(desk, write, lambda: end.session.add_comment(task, draft))
    except Park:
        async with desk.engine.database.write() as session:
            await links.unlink(session, row, "it could not be written", desk.engine.now())
        raise
    await _posted(desk, link, row, write, comment, errand)


async def _row(session: AsyncSession, desk: Desk, link: Link, errand: Errand) -> Link:
    """The link of the comment; its root stands in the hub once it is written."""
    root = f"{links.SAID}{errand.id}"
    query = select(Link).where(col(Link.parent_id) == link.id, col(Link.root) == root)
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        row = Link(
            mapping_id=link.mapping_id,
            mapping_version=desk.route.mapping.version,
            kind=links.COMMENT,
            parent_id=link.id,
            source=Side.HUB.value,
            root=root,
            author=errand.person_name,
            created_at=desk.engine.now(),
        )
        session.add(row)
        await session.flush()
    return row


async def _posted(
    desk: Desk, link: Link, row: Link, write: WriteRow, comment: Comment, errand: Errand
) -> None:
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        await fence(session, desk.lease)
        stored, logged = await session.get(Link, row.id), await session.get(WriteRow, write.id)
        assert stored is not None
        assert logged is not None
        links.describe_comment(stored, Side.HUB, comment)
        logged.state, logged.done_at = writes.DONE, now
        session.add_all([stored, logged])
        await links.settle(session, {row.id: {TEXT: Pair(comment.text, comment.text)}}, now)
        text = f"comment of {errand.person_name} written"
        tell_history(session, link, "write", text, now, field="comments", write_id=write.id, outcome="done")
        await errands.close(session, errand, now)
