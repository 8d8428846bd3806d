"""Bring the fields of one link in step: plan, intents, writes, settle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.errors import ConnectorError, Park, ParkClass, ReplanNeeded
from connectors.records import PARENT, SECTION, Fields, Record
from sync.jobs.merging import relations, restoring, reverting, settling
from sync.jobs.merging.planning import plan_fields, values_of
from sync.jobs.merging.settling import Written
from sync.jobs.merging.stamps import first_read, origin_of
from sync.jobs.merging.unmatched import asked_anew, no_counterpart, younger_than
from sync.jobs.pairing.backlinks import backlink
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import DID, DONE, Halted, Later, Outcome
from sync.jobs.passing.past import LOOP_WINDOW, Past
from sync.jobs.passing.writing import Intent, close, new_writes, perform
from sync.reconcile import by_element
from sync.reconcile.model import FieldWrite, LinkPlan, LinkView, Side
from sync.store import conflicts, links, marks, parking, reverts, writes
from sync.store.tables import Conflict, Link, Write
from sync.store.values import dump

LOOP_BUDGET = 20
"""Updates of one link within the window; more wait."""


async def sync_fields(desk: Desk, link: Link, past: Past, work: Written) -> Outcome:
    """One planning and its writes. Whatever cannot be done now raises; what was done is settled.

    The last answer and how the link stands now are left in ``work.told``, for the caller to commit.
    """
    view, plan = await plan_fields(desk.engine, desk.route, link, work.read, past)
    work.named, work.unmatched = view.translation.linked, plan.unmatched.keys()
    if plan.writes and past.updates >= LOOP_BUDGET:
        reason = f"{past.updates} writes within {LOOP_WINDOW}: waiting, in case two automations fight"
        return Later(60, reason, held_by="budget")
    plan = await _without_loops(desk, link, plan, past, work.read)
    if plan.unmatched and await asked_anew(desk, younger_than(desk, plan.unmatched, work.read)):
        raise ReplanNeeded("the options of the fields were asked for anew: one may have been added")
    if any(write.side in work.listed or _is_unproven(write, work) for write in plan.writes):
        raise ReplanNeeded("it was told by a listing and not read: before it is written it is")
    for write in plan.writes:
        if write.side in work.behind:
            return work.behind[write.side]
    work.told = _decided(desk, link, work.read, view, plan, past)
    link.awaits = relations.awaited(chain.from_iterable(plan.awaited.values()))
    for write in plan.writes:
        work.planned.setdefault(write.rule, {})[write.side] = write
    rows = tuple(work.told.begun)
    for at, row in enumerate(rows, 1):
        try:
            await _write_side(desk, link, row, [w for w in plan.writes if w.side == row.side], work, past)
        except (ConnectorError, Halted):
            for unsent in rows[at:]:
                await close(
                    desk, unsent, writes.NOT_DONE, "the other side's write did not go through", told=False
                )
            raise
    _finish(desk, link, work, view, past)
    if plan.held.keys() - plan.awaited.keys() and desk.route.mapping.paused_directions:
        return Later(2, "a direction is paused", attempt=False, held_by="paused")
    return DID if plan.writes or plan.settle or plan.clashes else DONE


def _is_unproven(write: FieldWrite, work: Written) -> bool:
    """Whether somebody may have moved the object unseen: a move is not in every listing of versions."""
    return write.field in (SECTION, PARENT) and write.side in work.presumed


async def _without_loops(
    desk: Desk, link: Link, plan: LinkPlan, past: Past, records: Mapping[Side, Record]
) -> LinkPlan:
    """Park a field that alternates A, B, A, B under our hands, and leave it out."""
    looping = {
        write.rule: write
        for write in plan.writes
        if not write.by_hand and _alternates(write, past.written, link)
    }
    if not looping:
        return plan
    async with desk.engine.database.write() as session:
        for name, write in looping.items():
            error = Park(
                f"{write.field} changes back and forth between two values.",
                park_class=ParkClass.LOOP,
                field=write.field,
                fix="Two automations seem to fight over it: switch one off, then retry.",
            )
            await _park_field(session, desk, link, name, error, values_of(desk.route, name, records))
    return replace(plan, writes=tuple(write for write in plan.writes if write.rule not in looping))


def _alternates(write: FieldWrite, written: Sequence[Write], link: Link) -> bool:
    """Whether two values took turns: both written to one side, or one to each."""
    past = [
        (entry.side, entry.fields[part["field"]])
        for entry in written
        if entry.link_id == link.id
        and (part := entry.plan.get(write.rule)) is not None
        and part["field"] in entry.fields
    ][:4]
    next_up = write.side.value, dump(write.value)
    return len(past) == 4 and past[1] == past[3] == next_up and past[0] == past[2] != next_up


def _decided(
    desk: Desk,
    link: Link,
    records: Mapping[Side, Record],
    view: LinkView,
    plan: LinkPlan,
    past: Past,
) -> Entry:
    """What is settled without a write, who lost, and the intents."""
    now, version = desk.engine.now(), desk.route.mapping.version
    entry, settled = Entry(link), links.pairs(past.seen)
    merged = {rule for rule, number in Counter(write.rule for write in plan.writes).items() if number == 2}
    intents = [
        _intent(desk, link, side, records, view, chosen, merged)
        for side in Side
        if (chosen := [write for write in plan.writes if write.side is side])
    ]
    entry.begun += new_writes(desk, intents)
    entry.settled |= {name: pair for name, pair in plan.settle.items() if settled.get(name) != pair}
    for name, word in plan.unmatched.items():
        error = no_counterpart(desk.route, name, word)
        values = [*values_of(desk.route, name, records), version]
        entry.steps.append(partial(_park_field, desk=desk, link=link, name=name, error=error, values=values))
    over = {found.field for found in past.parked} - view.skip - plan.unmatched.keys()
    for name in over - {write.rule for write in plan.writes} - plan.held.keys():
        entry.steps.append(partial(_unpark_field, link=link, name=name))
    for clash in plan.clashes:
        by_hand = {write.side for write in plan.writes if write.by_hand and write.rule == clash.rule}
        keep = partial(conflicts.keep_replaced, sides=by_hand) if by_hand else conflicts.keep
        entry.steps.append(partial(keep, link=link, clash=clash, now=now, version=version))
    for write in plan.writes:
        entry.tell(
            "plan",
            write.reason,
            now=now,
            field=write.field,
            before=write.before,
            after=write.value,
            version=version,
        )
    rules = {rule.name: rule for rule in view.rules}
    for name in plan.held:
        for side in Side:
            observed = first_read(desk.route.end(side), records[side], rules[name])
            known = getattr(past.seen.get(name), f"{side}_read", None)
            if known is None or known["value"] != observed["value"]:
                entry.steps.append(
                    partial(links.note_first_read, link_id=link.id, side=side, field=name, observed=observed)
                )
    return entry


def _intent(
    desk: Desk,
    link: Link,
    side: Side,
    records: Mapping[Side, Record],
    view: LinkView,
    chosen: Sequence[FieldWrite],
    merged: Collection[str],
) -> Intent:
    rules = {rule.name: rule for rule in view.rules}
    source = records[side.other]
    return Intent(
        link=link,
        side=side,
        op=writes.UPDATE,
        ref=records[side].ref,
        fields={write.field: write.value for write in chosen},
        before={write.field: write.before for write in chosen},
        origin={
            write.field: origin_of(desk.route, side.other, source, view.stamps.get((side.other, write.rule)))
            for write in chosen
        },
        plan={
            write.rule: {
                "field": write.field,
                "other": dump(source.fields.get(rules[write.rule].field(side.other))),
                "merged": write.rule in merged and by_element(rules[write.rule]),
                "by_hand": write.by_hand,
            }
            for write in chosen
        },
    )


async def _write_side(
    desk: Desk, link: Link, row: Write, chosen: Sequence[FieldWrite], work: Written, past: Past
) -> None:
    """Write one side's fields at once; a refused write of several is split, and the bad field parked."""
    if work.told.begun or work.told.answered:  # intents and earlier answers are kept before a call begins
        await desk.ledger.enter(work.told)
        work.told = Entry(link)
    side = Side(row.side)
    fields: Fields = {write.field: write.value for write in chosen}
    counterpart = backlink(desk.route, side.other, work.read[side.other])
    expected = replace(
        work.answered.get(side, work.read[side]),
        backlink=counterpart,
        named={ref.id: ref for ref in work.named.get(side, {}).values()},
    )
    session = desk.route.end(side).session
    asked_at = desk.engine.now()
    try:
        answer = await perform(
            desk,
            row,
            lambda: session.update(expected.ref, fields, expected),
            good_until=work.good_until,
            attempts=work.attempts,
        )
    except Park as error:
        if side in work.presumed:
            raise ReplanNeeded("it was not read by itself before: it is now", status=error.status) from error
        bad = [write for write in chosen if len(chosen) == 1 or write.field == error.field]
        async with desk.engine.database.write() as store:
            for write in bad:
                work.failed.add(write.rule)
                await _park_field(
                    store, desk, link, write.rule, error, values_of(desk.route, write.rule, work.read)
                )
        rest = [write for write in chosen if write not in bad]
        for group in [rest] if bad else [[write] for write in rest]:
            if group:
                part = _part(desk, row, group)
                work.told.begun.append(part)
                await _write_side(desk, link, part, group, work, past)
        return
    work.answered[side] = desk.route.placed(side, answer)
    desk.engine.snapshots.keep(desk.route.end(side).connection.id, [answer], asked_at)
    told = work.told
    settling.tell_done(desk, told, row, work.answered[side])
    settled, lost = settling.halves(work, links.pairs(past.seen))
    told.settled |= settled
    if lost:
        told.steps.append(partial(settling.park_dropped, desk=desk, link=link, lost=lost, work=work))
    told.steps += [
        partial(_unpark_field, link=link, name=entry.field)
        for entry in past.parked
        if entry.field in settled.keys() - work.unmatched
    ]


def _part(desk: Desk, row: Write, group: Sequence[FieldWrite]) -> Write:
    """The intent of a part of a write that was refused as a whole."""
    names = {write.field for write in group}
    return Write(
        mapping_id=row.mapping_id,
        mapping_version=row.mapping_version,
        link_id=row.link_id,
        side=row.side,
        op=row.op,
        ref=row.ref,
        fields={name: value for name, value in row.fields.items() if name in names},
        before={name: value for name, value in row.before.items() if name in names},
        origin={name: value for name, value in row.origin.items() if name in names},
        plan={name: value for name, value in row.plan.items() if value["field"] in names},
        intent_at=desk.engine.now(),
        deadline_at=desk.engine.in_s(desk.engine.sessions.call_s),
    )


async def _park_field(
    session: AsyncSession, desk: Desk, link: Link, name: str, error: Park, values: object
) -> None:
    await parking.park(
        session,
        mapping_id=link.mapping_id,
        link=link,
        what="field",
        ref=f"link:{link.id}",
        field=name,
        error=error,
        now=desk.engine.now(),
        values=values,
    )


async def _unpark_field(session: AsyncSession, link: Link, name: str) -> None:
    await parking.unpark(session, link.mapping_id, "field", f"link:{link.id}", field=name)


def _finish(desk: Desk, link: Link, work: Written, view: LinkView, past: Past) -> None:
    """What listings show of the link; new edits seen in answers are marked."""
    now, told = desk.engine.now(), work.told
    for side, before in work.read.items():
        record = work.answered.get(side, before)
        links.describe(link, side, record)
        if side in work.answered and getattr(link, f"{side}_comments_version") >= before.version:
            # between what was read and our own answer there is nothing but our own write
            setattr(link, f"{side}_comments_version", record.version)
    link.looked_at, link.mapping_version = now, desk.route.mapping.version
    link.synced_at = now if work.answered else link.synced_at
    link.hidden_since, link.gone = None, None
    told.looked_at = True
    told.put += [
        marks.NewMark(
            mapping_id=link.mapping_id,
            side=side,
            ref=work.answered[side].ref,
            reason="changed again while it was written",
        )
        for side in settling.news(work)
    ]
    asked = [entry for entry in past.to_restore if entry.field not in work.failed]
    obstacles = {entry.id: restoring.obstacle(view, entry) for entry in asked}
    for entry in asked:
        if obstacles[entry.id]:
            told.tell("conflict", f"not restored: {obstacles[entry.id]}", now=now, field=entry.field)
    if asked:
        told.steps.append(partial(_close_restored, obstacles=obstacles))
    reverted = {
        entry.id: "the provider refused it" if entry.rule in work.failed else reverting.obstacle(view, entry)
        for entry in past.to_revert
    }
    if reverted:
        told.steps.append(partial(reverts.close, reasons=reverted, now=now))


async def _close_restored(session: AsyncSession, obstacles: Mapping[int, str]) -> None:
    """Those with an obstacle stay in the list: nothing was put back."""
    done = [entry for entry, obstacle in obstacles.items() if not obstacle]
    await session.execute(update(Conflict).where(col(Conflict.id).in_(list(obstacles))).values(restoring=""))
    await session.execute(update(Conflict).where(col(Conflict.id).in_(done)).values(state="restored"))
