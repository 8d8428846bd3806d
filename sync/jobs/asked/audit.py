"""The audit: does what stands on both sides agree? Whatever the engine believes to have settled.

A pass compares each side with what it saw last; the audit compares the sides with each other. What
differs without a reason that the engine knows of is a ``divergent`` conflict, for a person to restore
either value; what is only not yet in step is marked and left to the next pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlmodel import col

from connectors.records import Record
from sync.jobs.asked.planned import named
from sync.jobs.asked.preview import Tell, listed_records, silent
from sync.jobs.engine import Engine
from sync.jobs.merging import relations
from sync.jobs.merging.planning import plan_fields
from sync.jobs.pairing.admission import left
from sync.jobs.passing.past import Past, pasts_of
from sync.jobs.routing.route import Route
from sync.jobs.watching.looking import look_again
from sync.reconcile import plan_link
from sync.reconcile.model import Clash, LinkPlan, LinkView, Mode, Pair, Rule, Side
from sync.store import conflicts, links, marks
from sync.store.listings import side_word
from sync.store.tables import Conflict, Link, Mark
from sync.store.values import dump

DIVERGENT = "divergent"
_AT_ONCE = 100


@dataclass(slots=True)
class Audited:
    """``late``: links whose edits have not arrived yet; ``unseen``: an end was not to be seen.

    ``divergent``: (external object, rule, what stands there).
    """

    pairs: int = 0
    in_step: int = 0
    late: int = 0
    unseen: int = 0
    divergent: list[tuple[int, Record, Rule, Pair]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        return {
            "pairs": self.pairs,
            "in_step": self.in_step,
            "pending": self.late,
            "unseen": self.unseen,
            "divergent": len(self.divergent),
            "items": [
                {
                    "link": link_id,
                    **named(record),
                    "field": rule.hub,
                    side_word("hub"): dump(pair.hub),
                    "external": dump(pair.external),
                }
                for link_id, record, rule, pair in self.divergent
            ],
        }


async def audit(engine: Engine, route: Route, tell: Tell = silent) -> Audited:
    """Compare every pair of a mapping, from complete listings of both sides.

    Raises:
        ConnectorError: a listing could not be completed.
    """
    records = {side: await listed_records(route, side, tell) for side in Side}
    found, after = Audited(), 0
    while rows := await _next(engine, route.mapping.id, after, _AT_ONCE):
        after = rows[-1].id
        ends = {
            row.id: {
                side: record
                for side in Side
                if (record := records[side].get(str(getattr(row, f"{side}_ref")))) is not None
            }
            for row in rows
        }
        await _examine(engine, route, rows, ends, found)
        tell("comparing", found.pairs, None)
    return found


async def audit_some(engine: Engine, route: Route, after: int, number: int) -> tuple[Audited, int]:
    """Compare so many pairs that come after a link; the link to go on with, 0 at the end."""
    rows = await _next(engine, route.mapping.id, after, number)
    found = Audited()
    await _examine(engine, route, rows, await _read(route, rows), found)
    return found, rows[-1].id if len(rows) == number else 0


async def _next(engine: Engine, mapping_id: int, after: int, number: int) -> Sequence[Link]:
    query = (
        select(Link)
        .where(
            col(Link.mapping_id) == mapping_id,
            col(Link.kind) == links.TASK,
            col(Link.state) == links.ACTIVE,
            col(Link.id) > after,
        )
        .order_by(col(Link.id))
        .limit(number)
    )
    async with engine.database.read() as session:
        return (await session.execute(query)).scalars().all()


async def _read(route: Route, rows: Sequence[Link]) -> dict[int, dict[Side, Record]]:
    """Both ends of these links, fresh; an end that is not there is left out."""
    found: dict[int, dict[Side, Record]] = {row.id: {} for row in rows}
    for side in Side:
        end = route.end(side)
        refs = {row.id: ref for row in rows if (ref := links.end(row, side, end.connection)) is not None}
        read = await end.session.fetch_many(list(refs.values())) if refs else {}
        for link_id, ref in refs.items():
            record = read[ref]
            if isinstance(record, Record):
                found[link_id][side] = route.placed(side, record)
    return found


async def _examine(
    engine: Engine,
    route: Route,
    rows: Sequence[Link],
    ends: Mapping[int, Mapping[Side, Record]],
    found: Audited,
) -> None:
    """Compare these pairs; what seems to diverge is read once more before that is said."""
    pasts = await _pasts(engine, rows)
    doubtful: list[Link] = []
    for row in rows:
        found.pairs += 1
        records = ends[row.id]
        if len(records) < 2:
            found.unseen += 1
        elif left(route, records, captured=row.made_by == links.CAPTURED):
            found.late += 1
        elif (verdict := await _compared(engine, route, row, records, pasts[row.id])) is None:
            found.late += 1
            async with engine.database.write() as session:
                await look_again(session, row, "found by the audit", engine.now(), lane=marks.BACKFILL)
        elif verdict:
            doubtful.append(row)
        else:
            found.in_step += 1
    await _settled(engine, [row.id for row in rows if row not in doubtful])
    again = await _read(route, doubtful)
    pasts, pending = await _pasts(engine, doubtful), await _pending(engine, doubtful)
    for row in doubtful:
        records = again[row.id]
        if len(records) < 2 or row.id in pending:
            found.late += 1
            continue
        verdict = await _compared(engine, route, row, records, pasts[row.id])
        if verdict is None:
            found.late += 1
        elif not verdict:
            found.in_step += 1
        else:
            await _list(engine, route, row, records, verdict)
            found.divergent += [
                (row.id, records[Side.EXTERNAL], rule, _pair(rule, records)) for rule in verdict
            ]


async def _pasts(engine: Engine, rows: Sequence[Link]) -> dict[int, Past]:
    async with engine.database.read() as session:
        return await pasts_of(session, engine, rows)


async def _pending(engine: Engine, rows: Sequence[Link]) -> set[int]:
    """Links that are to be looked at anyway, or were written so lately that reads may not show it."""
    horizon = engine.now() - timedelta(seconds=engine.settings.stale_seconds)
    refs = [ref for row in rows for ref in (row.hub_ref, row.external_ref) if ref]
    async with engine.database.read() as session:
        query = select(col(Mark.ref)).where(col(Mark.ref).in_(refs))
        marked = set((await session.execute(query)).scalars())
    return {
        row.id
        for row in rows
        if marked & {row.hub_ref, row.external_ref} or (row.synced_at is not None and row.synced_at > horizon)
    }


async def _compared(
    engine: Engine, route: Route, link: Link, records: Mapping[Side, Record], past: Past
) -> list[Rule] | None:
    """Rules whose two values do not stand for one, without a reason; None where the next pass will write."""
    view, plan = await plan_fields(engine, route, link, records, past)
    if plan.writes:
        return None
    # what is settled is named, too: nobody has seen anything here
    linked = await relations.counterparts(engine, route, records, replace(past, seen={}))
    view = replace(view, translation=replace(view.translation, linked=linked))
    excused = {entry.field for entry in past.parked} | plan.held.keys() | plan.unmatched.keys()
    return [
        rule
        for rule in view.rules
        if rule.name not in excused
        and _is_mutual(view, rule)
        and not (links.is_attached(link) and _as_they_stood(view, rule))
        and _apart(view, rule)
    ]


def _is_mutual(view: LinkView, rule: Rule) -> bool:
    """Whether the rule keeps both sides equal; others let a side drift."""
    if rule.mode is not Mode.OVERWRITE or len(rule.into) < len(Side):
        return False
    return not any(rule.field(side) in view.record(side).read_only for side in Side)


def _as_they_stood(view: LinkView, rule: Rule) -> bool:
    """Whether nobody touched the two values since they were settled: what is attached is not rewritten."""
    return view.seen.get(rule.name) == Pair(view.hub.fields[rule.hub], view.external.fields[rule.external])


def _apart(view: LinkView, rule: Rule) -> bool:
    """Whether the two values would be brought together if nobody had ever seen them."""
    plan: LinkPlan = plan_link(replace(view, rules=(rule,), seen={}, skip=frozenset(), into=frozenset(Side)))
    return bool(plan.writes or plan.clashes or plan.undated)


def _pair(rule: Rule, records: Mapping[Side, Record]) -> Pair:
    return Pair(records[Side.HUB].fields.get(rule.hub), records[Side.EXTERNAL].fields.get(rule.external))


async def _list(
    engine: Engine, route: Route, link: Link, records: Mapping[Side, Record], rules: Sequence[Rule]
) -> None:
    async with engine.database.write() as session:
        for rule in rules:
            clash = Clash(
                rule=rule.name,
                field=rule.hub,
                kind=DIVERGENT,
                policy=rule.policy,
                winner=None,
                values=_pair(rule, records),
                hub_stamp=None,
                external_stamp=None,
                reason="the audit found that the sides differ, and nothing that is planned explains it",
            )
            await conflicts.keep(session, link, clash, engine.now(), route.mapping.version)


async def _settled(engine: Engine, link_ids: Sequence[int]) -> None:
    """Pairs that agree now: what was said of them is over."""
    open_ones = or_(col(Conflict.restoring) == "", col(Conflict.restoring).is_(None))
    async with engine.database.write() as session:
        await session.execute(
            update(Conflict)
            .where(
                col(Conflict.link_id).in_(link_ids),
                col(Conflict.kind) == DIVERGENT,
                col(Conflict.state) == "open",
                open_ones,
            )
            .values(state="dismissed", reason="a later audit found both sides in step")
        )
