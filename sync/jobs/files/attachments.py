"""Files of one link: each is copied once, as bytes where the other side takes them, else as a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from connectors.discussions import Discussion, Upload
from connectors.records import Record
from sync.jobs.files.attachment_steps import Copy, copied, do, standing
from sync.jobs.files.shelf import TEXTS, Shelf, shelf_of
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import DID, DONE, Done, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import close
from sync.jobs.threads.discussions import Discussions
from sync.reconcile.attachments import plan_attachments
from sync.reconcile.model import Side
from sync.store import links, writes
from sync.store.tables import Link, Write


async def sync_attachments(
    desk: Desk, unit: Unit, link: Link, records: Mapping[Side, Record], discussions: Discussions
) -> Outcome:
    """Look at the files of both ends, and copy those that are new.

    They are looked at together with the comments; files in a text that was read are seen in any case.
    """
    into = desk.route.copies_attachments()
    if not into:
        return DONE
    in_texts = [] if unit.comment_sides else await _named(desk, records, into)
    if not unit.comment_sides and not in_texts:
        return DONE
    async with desk.engine.database.read() as session:
        rows = await links.attachments_of(session, link.id)
    settled = {ref for row in rows if row.state == links.ACTIVE for ref in (row.hub_ref, row.external_ref)}
    if not unit.comment_sides and settled.issuperset(in_texts):
        return DONE
    async with desk.engine.database.read() as session:
        open_writes = await writes.unresolved(session, [row.id for row in rows])
    listed = _with_ours(await discussions.both(), open_writes)
    shelf = await shelf_of(desk, unit, link, records, listed, rows, discussions.since)
    outcome = await _resolve_open(shelf, open_writes)
    if isinstance(outcome, Later):
        return outcome
    actions = plan_attachments(
        links=shelf.attachment_links(), listed=shelf.listed, into=into, fresh=shelf.fresh()
    )
    for action in actions:
        await do(shelf, action)
    return DID if actions else DONE


async def look_up(
    desk: Desk, unit: Unit, link: Link, records: Mapping[Side, Record], discussions: Discussions
) -> Done | Later:
    """Only look up additions whose answers were lost: the link itself rests."""
    async with desk.engine.database.read() as session:
        rows = await links.attachments_of(session, link.id)
        open_writes = await writes.unresolved(session, [row.id for row in rows])
    if not open_writes:
        return DONE
    listed = _with_ours(await discussions.both(), open_writes)
    shelf = await shelf_of(desk, unit, link, records, listed, rows, discussions.since)
    return await _resolve_open(shelf, open_writes)


async def _named(desk: Desk, records: Mapping[Side, Record], into: frozenset[Side]) -> list[str]:
    """Refs of the files that stand in the notes themselves: no call is made for them."""
    found: list[str] = []
    for side, record in records.items():
        end = desk.route.end(side)
        if side.other in into and end.connector.capabilities.attachments == TEXTS:
            files = await end.session.attachments(record, Discussion())
            found += [str(file.ref) for file in files]
    return found


def _with_ours(
    discussions: Mapping[Side, Discussion], open_writes: Mapping[int, Sequence[Write]]
) -> Mapping[Side, Discussion]:
    """An upload of ours may be there before the provider's history tells of it."""
    ours = {Side(write.side): write.intent_at for found in open_writes.values() for write in found}
    return {
        side: replace(discussion, uploads=(*discussion.uploads, Upload(at=ours[side])))
        if side in ours
        else discussion
        for side, discussion in discussions.items()
    }


async def _resolve_open(shelf: Shelf, open_writes: Mapping[int, Sequence[Write]]) -> Done | Later:
    """Look up additions whose answer was lost; Later while one is not certain."""
    for row_id, found in sorted(open_writes.items()):
        for write in found:
            outcome = await _resolve(shelf, shelf.rows[row_id], write)
            if isinstance(outcome, Later):
                return outcome
    return DONE


async def _resolve(shelf: Shelf, row: Link, write: Write) -> Done | Later:
    desk = shelf.desk
    copy = Copy(
        into=Side(write.side),
        name=str(write.fields["name"]),
        url=str(write.plan["root_url"]),
        sum=str(write.plan["sum"]),
        size=write.plan["size"],
    )
    there = await standing(shelf, copy)
    if there is not None:
        await copied(shelf, row, copy, there, write)
        return DONE
    certain_at = max(write.deadline_at, write.done_at or write.deadline_at) + timedelta(
        seconds=desk.engine.settings.lookup_delay_seconds
    )
    remaining = (certain_at - desk.engine.now()).total_seconds()
    if remaining > 0:
        return Later(min(2.0, remaining), "the answer to an upload was lost; looking for it", attempt=False)
    await close(desk, write, writes.NOT_DONE, "looked up after the delay: it was not added")
    return DONE
