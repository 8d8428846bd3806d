"""The other end of a link: made exactly once whatever becomes of the answer, or one that is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.errors import Park, ParkClass, ReplanNeeded
from connectors.records import Fields, Key, Record, Ref
from sync.jobs.merging import relations, settling
from sync.jobs.merging.stamps import origin_of
from sync.jobs.merging.unmatched import asked_anew
from sync.jobs.pairing.creations import await_turn
from sync.jobs.pairing.drafting import creation_of
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import DID, DONE, Later, Outcome
from sync.jobs.passing.writing import LEEWAY, Intent, close, new_writes, perform
from sync.jobs.routing.scoping import unresolved
from sync.metrics import REPAIRED
from sync.reconcile import left_by_us, pairs_after_create
from sync.reconcile.model import Side
from sync.store import conflicts, errands, links, marks, parking, writes
from sync.store.tables import Errand, Link, Write
from sync.store.values import dump_all, parse_all

log = structlog.get_logger()

_LOOK_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0)


async def create_counterpart(desk: Desk, link: Link, side: Side, record: Record) -> Outcome:
    """Make the other end of a link that has only one. Its earlier tries were looked up before."""
    if unresolved(desk.route.config, desk.route.fields) and await asked_anew(desk, desk.engine.now()):
        raise ReplanNeeded("the options of the fields were asked for anew: the filter names one of them")
    errand = await errand_behind(desk, link)
    creation = creation_of(desk.route, link.key_token, side, record, errand)
    end = desk.route.end(creation.into)
    turns = await desk.engine.sessions.turns(end.connection)
    await await_turn(turns, link.key_token, end.connector.title)
    intent = Intent(
        link=link,
        side=creation.into,
        op=writes.CREATE,
        fields=creation.fields,
        origin={name: origin_of(desk.route, side, record, None) for name in creation.fields},
        plan={
            "key": {"token": creation.key.token, "url": creation.key.url, "label": creation.key.label},
            "read": dump_all(record.fields),
            "instead": dump_all(creation.instead),
        },
    )
    (row,) = new_writes(desk, [intent])
    decided = Entry(link, begun=[row])
    decided.tell(
        "plan",
        f"create in {end.connector.title}: it has no counterpart there",
        now=desk.engine.now(),
        version=desk.route.mapping.version,
    )
    await desk.ledger.enter(decided)
    asked_at = desk.engine.now()
    created = await perform(
        desk, row, lambda: end.session.create(end.container, creation.draft, creation.key)
    )
    desk.engine.snapshots.keep(end.connection.id, [created], asked_at)
    created = desk.route.placed(creation.into, created)
    await attach(desk, link, row, side, record.ref, record.fields, created, base=created.fields)
    return DID


async def errand_behind(desk: Desk, link: Link) -> Errand | None:
    """The errand that a link was made for, None for those that nobody captured."""
    if link.made_by != links.CAPTURED:
        return None
    async with desk.engine.database.read() as session:
        return await errands.behind(session, link.id)


async def attach(
    desk: Desk,
    link: Link,
    row: Write,
    side: Side,
    source: Ref,
    read: Fields,
    created: Record,
    *,
    base: Fields,
) -> None:
    """The counterpart exists: complete the link and settle what was sent.

    Args:
        source: the object that it stands for.
        read: what was read of the source when the creation was planned.
        base: what the written halves become: the provider's answer, or what we sent where the
            answer was lost and the object was looked up.
    """
    now = desk.engine.now()
    base = {**base, **parse_all(row.plan.get("instead", {}))}
    settled = pairs_after_create(
        desk.route.rules,
        replace(created, fields=read),
        replace(created, fields=base),
        side,
        desk.route.translation,
    )
    links.describe(link, side.other, created)
    link.synced_at = now
    made = Entry(link, settled=dict(settled), looked_at=True)
    settling.tell_done(desk, made, row, created)
    made.put.append(
        marks.NewMark(
            mapping_id=link.mapping_id,
            side=side,
            ref=source,
            lane=marks.BACKFILL,  # those that are written from now on are told of by themselves
            comments=True,
            reason="its comments follow",
        )
    )
    made.shared[_activate] = link
    await desk.ledger.enter(made)
    log.info("link.made", link=link.id, ref=str(created.ref), reason="create")


async def _activate(session: AsyncSession, made: Sequence[Link]) -> None:
    for link in made:
        link.state, link.reason = links.ACTIVE, ""
    ids = [link.id for link in made]
    await session.execute(update(Link).where(col(Link.id).in_(ids)).values(state=links.ACTIVE, reason=""))
    await parking.unpark(session, made[0].mapping_id, "link", *(f"link:{id}" for id in ids))
    await relations.tell_waiting(session, *made)
    if by_hand := [link.id for link in made if link.made_by == links.BY_HAND]:
        await conflicts.made_anew(session, by_hand)


async def confirm(desk: Desk, link: Link, row: Write, side: Side, source: Ref) -> Outcome:
    """Look for a creation whose answer was lost. *Found* counts at once, *not found* only late enough.

    ``side`` and ``source`` are the source end; it need not be there any more. DONE means that the
    caller may go on: the link is complete, or nothing was created and a new try may start.
    """
    key = Key(row.plan["key"]["token"], row.plan["key"]["url"], row.plan["key"]["label"])
    end = desk.route.end(Side(row.side))
    since = row.intent_at + end.offset - LEEWAY
    asked_at = desk.engine.now()
    found = await end.session.find_created(end.container, key, since)
    if found:
        REPAIRED.inc()
        await _surplus(desk, link, found)
        created = desk.route.placed(Side(row.side), min(found, key=lambda candidate: candidate.created_at))
        base = {**created.fields, **_left_by_us(desk, row, created)}
        await attach(desk, link, row, side, source, parse_all(row.plan["read"]), created, base=base)
        return DONE
    certain_at = max(row.deadline_at, row.done_at or row.deadline_at) + timedelta(
        seconds=desk.engine.settings.lookup_delay_seconds
    )
    if asked_at >= certain_at:
        await close(desk, row, writes.NOT_DONE, "looked up after the delay: it was not created")
        return DONE
    remaining = (certain_at - asked_at).total_seconds()
    pause = next((s for s in _LOOK_AGAIN_S if s > (asked_at - row.intent_at).total_seconds()), 15.0)
    return Later(min(pause, remaining), "the answer to a creation was lost; looking for it", attempt=False)


def _left_by_us(desk: Desk, row: Write, created: Record) -> Fields:
    """Of the fields that were sent; what is found may have been edited since."""
    side, sent = Side(row.side), parse_all(row.fields)
    kinds = {rule.field(side): rule.kind(side) for rule in desk.route.rules}
    return {
        name: left_by_us(kinds[name], value, created.fields[name])
        for name, value in sent.items()
        if name in kinds and name in created.fields
    }


async def _surplus(desk: Desk, link: Link, found: Sequence[Record]) -> None:
    """More than one object carries the key: say so, delete nothing."""
    oldest = min(found, key=lambda candidate: candidate.created_at)
    for extra in found:
        if extra is not oldest:
            await report_surplus(desk, link, extra, oldest.url)


async def report_surplus(desk: Desk, link: Link, extra: Record, kept_url: str) -> None:
    async with desk.engine.database.write() as session:
        if await parking.found(session, link.mapping_id, "link", str(extra.ref)) is not None:
            return
        await parking.park(
            session,
            mapping_id=link.mapping_id,
            link=link,
            what="link",
            ref=str(extra.ref),
            error=Park(
                f"{extra.key} was created twice for the same object.",
                park_class=ParkClass.AMBIGUOUS,
                fix=f"Keep {kept_url or 'the other one'}, and delete {extra.url or extra.key} after looking.",
            ),
            now=desk.engine.now(),
        )
