"""Bring the fields of one link in step: plan, intents, writes, settle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.errors import Park, ParkClass
from connectors.records import Fields, Record
from sync.jobs import restoring, settling
from sync.jobs.outcome import DID, DONE, Later, Outcome
from sync.jobs.settling import Written
from sync.jobs.stamps import first_read, origin_of, stamps_for
from sync.jobs.writing import Desk, Intent, new_writes, perform
from sync.reconcile import plan_link
from sync.reconcile.model import FieldWrite, LinkPlan, LinkView, Side
from sync.store import conflicts, links, marks, parking, writes
from sync.store.history import tell
from sync.store.tables import Conflict, Link, Parked, Seen, Write
from sync.store.values import dump

LOOP_WINDOW = timedelta(minutes=10)
LOOP_BUDGET = 20
"""Updates of one link within the window; more wait."""


async def sync_fields(
    desk: Desk, link: Link, records: Mapping[Side, Record], good_until: datetime | None
) -> Outcome:
    """One planning and its writes. Whatever cannot be done now raises; what was done is settled."""
    async with desk.engine.database.read() as session:
        seen = (await links.seen_of(session, [link.id])).get(link.id, {})
        parked = await parking.fields_parked(session, link.id)
        to_restore = await conflicts.restoring(session, link.id)
        updates = await writes.update_count(session, link.id, desk.engine.now() - LOOP_WINDOW)
    view = _view(desk, link, records, seen, _still_parked(desk, parked, records))
    plan = plan_link(view)
    if plan.undated:
        stamps = await stamps_for(desk, link, records, seen, plan.undated)
        view = replace(view, stamps=stamps)
        plan = plan_link(view)
    if to_restore:
        plan = restoring.with_restored(view, plan, to_restore)
    if plan.writes and updates >= LOOP_BUDGET:
        return Later(
            60,
            f"{updates} writes within {LOOP_WINDOW}: waiting, in case two automations fight",
            held_by="budget",
        )
    plan = await _without_loops(desk, link, plan, records)
    rows = await _commit_plan(desk, link, records, view, plan, seen)
    work = Written(read=dict(records), good_until=good_until)
    for write in plan.writes:
        work.planned.setdefault(write.rule, {})[write.side] = write
    for side, row in rows.items():
        await _write_side(desk, link, side, row, [w for w in plan.writes if w.side is side], work)
    await _finish(desk, link, records, work, to_restore)
    if plan.held and desk.route.mapping.paused_directions:
        return Later(2, "a direction is paused", attempt=False, held_by="paused")
    return DID if plan.writes or plan.settle or plan.clashes else DONE


def _view(
    desk: Desk, link: Link, records: Mapping[Side, Record], seen: Mapping[str, Seen], skip: frozenset[str]
) -> LinkView:
    return LinkView(
        hub=records[Side.HUB],
        external=records[Side.EXTERNAL],
        rules=desk.route.rules,
        seen=links.pairs(seen),
        translation=desk.route.translation,
        skip=skip,
        into=desk.route.into,
        tie_s=desk.engine.settings.tie_seconds,
    )


def _still_parked(desk: Desk, parked: Sequence[Parked], records: Mapping[Side, Record]) -> frozenset[str]:
    """Rules that were parked with the very values that stand there now; other values are tried anew."""
    return frozenset(
        entry.field for entry in parked if entry.values == _values_of(desk, entry.field, records)
    )


def _values_of(desk: Desk, name: str, records: Mapping[Side, Record]) -> list[object]:
    rule = next((rule for rule in desk.route.rules if rule.name == name), None)
    if rule is None:
        return []
    return [dump(records[side].fields.get(rule.field(side))) for side in Side]


async def _without_loops(desk: Desk, link: Link, plan: LinkPlan, records: Mapping[Side, Record]) -> LinkPlan:
    """Park a field that alternates A, B, A, B under our hands, and leave it out."""
    if not plan.writes:
        return plan
    refs = [ref for ref in (link.hub_ref, link.external_ref) if ref]
    async with desk.engine.database.read() as session:
        recent = await writes.recent(session, refs, desk.engine.now() - LOOP_WINDOW)
    looping = {write.rule: write for write in plan.writes if _alternates(write, recent, str(link.id))}
    if not looping:
        return plan
    async with desk.engine.database.write() as session:
        for name, write in looping.items():
            await _park_field(
                session,
                desk,
                link,
                name,
                Park(
                    f"{write.field} changes back and forth between two values.",
                    park_class=ParkClass.LOOP,
                    field=write.field,
                    fix="Two automations seem to fight over it: switch one off, then retry.",
                ),
                _values_of(desk, name, records),
            )
    return replace(plan, writes=tuple(write for write in plan.writes if write.rule not in looping))


def _alternates(write: FieldWrite, recent: Sequence[Write], link_id: str) -> bool:
    past = [
        entry.fields[write.field]
        for entry in recent
        if str(entry.link_id) == link_id and entry.side == write.side.value and write.field in entry.fields
    ][:4]
    next_up = dump(write.value)
    return len(past) == 4 and past[1] == past[3] == next_up and past[0] == past[2] != next_up


async def _commit_plan(
    desk: Desk,
    link: Link,
    records: Mapping[Side, Record],
    view: LinkView,
    plan: LinkPlan,
    seen: Mapping[str, Seen],
) -> dict[Side, Write]:
    """One transaction: what is settled without a write, who lost, and the intents."""
    intents = {
        side: _intent(desk, link, side, records, view, chosen)
        for side in Side
        if (chosen := [write for write in plan.writes if write.side is side])
    }
    fresh = {name: pair for name, pair in plan.settle.items() if links.pairs(seen).get(name) != pair}
    if not (intents or fresh or plan.clashes or plan.held):
        return {}
    now, version = desk.engine.now(), desk.route.mapping.version
    rows = dict(zip(intents, new_writes(desk, list(intents.values())), strict=True))
    async with desk.engine.database.write() as session:
        session.add_all(rows.values())
        await settling.fence(session, desk)
        await links.settle(session, link.id, fresh, now)
        for clash in plan.clashes:
            await conflicts.keep(session, link, clash, now, version)
        for write in plan.writes:
            tell(
                session,
                link,
                "plan",
                write.reason,
                now,
                field=write.field,
                before=write.before,
                after=write.value,
                version=version,
            )
        rules = {rule.name: rule for rule in view.rules}
        for name in plan.held:
            for side in Side:
                observed = first_read(desk.route.end(side), records[side], rules[name])
                known = getattr(seen.get(name), f"{side}_read", None)
                if known is None or known["value"] != observed["value"]:
                    await links.note_first_read(session, link.id, side, name, observed)
    return rows


def _intent(
    desk: Desk,
    link: Link,
    side: Side,
    records: Mapping[Side, Record],
    view: LinkView,
    chosen: Sequence[FieldWrite],
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
            }
            for write in chosen
        },
    )


async def _write_side(
    desk: Desk, link: Link, side: Side, row: Write, chosen: Sequence[FieldWrite], work: Written
) -> None:
    """Write one side's fields at once; a refused write of several is split, and the bad field parked."""
    fields: Fields = {write.field: write.value for write in chosen}
    expected = work.answered.get(side, work.read[side])
    session = desk.route.end(side).session
    try:
        answer = await perform(
            desk, row, lambda: session.update(expected.ref, fields, expected), good_until=work.good_until
        )
    except Park as error:
        bad = [write for write in chosen if len(chosen) == 1 or write.field == error.field]
        async with desk.engine.database.write() as store:
            for write in bad:
                work.failed.add(write.rule)
                await _park_field(
                    store, desk, link, write.rule, error, _values_of(desk, write.rule, work.read)
                )
        rest = [write for write in chosen if write not in bad]
        for group in [rest] if bad else [[write] for write in rest]:
            if group:
                await _write_again(desk, link, side, row, group, work)
        return
    work.answered[side] = answer
    async with desk.engine.database.write() as store:
        await settling.record_done(store, desk, link, row, answer)
        await _settle(store, desk, link, work)


async def _write_again(
    desk: Desk, link: Link, side: Side, row: Write, group: Sequence[FieldWrite], work: Written
) -> None:
    names = {write.field for write in group}
    part = Write(
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
    async with desk.engine.database.write() as store:
        store.add(part)
    await _write_side(desk, link, side, part, group, work)


async def _settle(session: AsyncSession, desk: Desk, link: Link, work: Written) -> None:
    settled, lost = settling.halves(desk.route, work)
    await links.settle(session, link.id, settled, desk.engine.now())
    await settling.park_dropped(session, desk, link, lost, work)
    for name in settled:
        await parking.unpark(session, link.mapping_id, "field", f"link:{link.id}", name)


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


async def _finish(
    desk: Desk,
    link: Link,
    records: Mapping[Side, Record],
    work: Written,
    restored: Collection[Conflict],
) -> None:
    """What listings show of the link; new edits seen in answers are marked."""
    now = desk.engine.now()
    changed = {side: work.answered.get(side, records[side]) for side in Side}
    again = settling.news(desk.route.rules, work)
    async with desk.engine.database.write() as session:
        await settling.fence(session, desk)
        row = await session.get(Link, link.id)
        if row is None:
            return
        for side, record in changed.items():
            links.describe(row, side, record)
            if side in work.answered and getattr(row, f"{side}_comments_version") >= records[side].version:
                # between what was read and our own answer there is nothing but our own write
                setattr(row, f"{side}_comments_version", record.version)
        row.looked_at = now
        if work.answered:
            row.synced_at = now
        row.mapping_version = desk.route.mapping.version
        row.hidden_since, row.gone = None, None
        session.add(row)
        await marks.put(
            session,
            [
                marks.NewMark(
                    mapping_id=link.mapping_id,
                    side=side,
                    ref=changed[side].ref,
                    reason="changed again while it was written",
                )
                for side in again
            ],
            now,
        )
        done = [entry.id for entry in restored if entry.field not in work.failed]
        if done:
            await session.execute(
                update(Conflict).where(col(Conflict.id).in_(done)).values(state="restored", restoring="")
            )
