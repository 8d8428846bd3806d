"""What a configuration would write: counted before it is applied, written by nobody."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from connectors.errors import ConnectorError
from connectors.records import Record
from sync.configuration import Configuration
from sync.jobs.asked.dry_run import DryRun
from sync.jobs.asked.planned import named
from sync.jobs.asked.preview import Tell, pages, silent
from sync.jobs.configuring.checking import Findings
from sync.jobs.configuring.in_force import InForce
from sync.jobs.configuring.prospect import Prospect, prospect_of
from sync.jobs.engine import Engine
from sync.jobs.pairing import matching
from sync.jobs.pairing.admission import left, wanted
from sync.jobs.routing.route import Route
from sync.jobs.watching.listing import Listed
from sync.reconcile import plan_link
from sync.reconcile.model import FieldWrite, LinkView, Pair, Side
from sync.store import links
from sync.store.listings import side_word
from sync.store.tables import Connection, Link, Mapping
from sync.store.values import dump

_NAMED = 100
"""So many objects of each list are named; all are counted."""


@dataclass(slots=True)
class Foreseen:
    """Writes that a mapping would bring: objects created, objects updated, comments copied.

    ``matched``: pairs that stand there already and would be linked. ``enters``: objects that it would let
    in, ``leaves``: those of its links that would sleep; nothing is written to them. ``written``: field by
    field what objects in step would get.
    """

    creations: int = 0
    updates: int = 0
    comments: int = 0
    matched: int = 0
    enters: list[dict[str, Any]] = field(default_factory=list, compare=False)
    leaves: list[dict[str, Any]] = field(default_factory=list, compare=False)
    left: int = field(default=0, compare=False)
    written: list[dict[str, Any]] = field(default_factory=list, compare=False)

    @property
    def writes(self) -> int:
        return self.creations + self.updates + self.comments


async def foresee(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: InForce,
    found: Findings,
    tell: Tell = silent,
) -> dict[str, Foreseen]:
    """By mapping, for those whose change can bring writes; from what stands at the providers now."""
    told: dict[str, Foreseen] = {}
    for config in configuration.mappings.values():
        prospect = prospect_of(engine, configuration, config, rows, present)
        if not (prospect.updates or prospect.may_create or prospect.may_match):
            continue
        try:
            told[config.name] = await _Count(engine, prospect, tell).all()
        except ConnectorError as error:
            found.warnings.append(f"{config.name}: what it would write could not be counted: {error.reason}")
            found.uncounted.append(config.name)
    return told


@dataclass(slots=True)
class _Count:
    """One mapping's, by complete listings of both sides."""

    engine: Engine
    prospect: Prospect
    tell: Tell
    told: Foreseen = field(default_factory=Foreseen)

    async def all(self) -> Foreseen:
        route = await self.prospect.route(self.engine)
        before = await self.prospect.route_before(self.engine) if self.prospect.updates else None
        linked = await _linked(self.engine, self.prospect.known)
        halves: dict[int, Record] = {}
        loose: dict[Side, list[Record]] = {side: [] for side in Side}
        looked_at = 0
        for side in Side:
            async for records in pages(route.end(side)):
                pairs: dict[int, dict[Side, Record]] = {}
                for record in records:
                    link_id = linked.get(str(record.ref))
                    if link_id is None:
                        loose[side].append(route.placed(side, record))
                    elif before is not None and side is Side.HUB:
                        halves[link_id] = record
                    elif before is not None and link_id in halves:
                        pairs[link_id] = {Side.HUB: halves.pop(link_id), side: record}
                if before is not None and pairs:
                    await self._pairs(route, before, pairs)
                looked_at += len(records)
                self.tell(f"counting what {self.prospect.config.name} would write", looked_at, None)
        await self._loose(route, loose)
        return self.told

    async def _loose(self, route: Route, loose: Map[Side, list[Record]]) -> None:
        """Objects without a link: paired as a first sync would, and what is left."""
        pairs = matching.match(route, {side: Listed(loose=each) for side, each in loose.items()})
        for hub, external, _ in pairs.sure:
            await self._matched(route, {Side.HUB: hub, Side.EXTERNAL: external})
        taken = {record.ref for hub, external, _ in pairs.sure for record in (hub, external)}
        taken |= {record.ref for record, _ in pairs.ambiguous}
        for side in Side:
            for record in loose[side]:
                if record.ref not in taken:
                    await self._unlinked(route, side, record)

    async def _matched(self, route: Route, records: Map[Side, Record]) -> None:
        self.told.matched += 1
        writes = _written(route, records, {})
        self.told.updates += _updates(writes)
        if writes:
            _name(self.told.written, _told(None, records, writes))
        if self.prospect.talks:
            self.told.comments += await DryRun(self.engine, route).comments_of(records)

    async def _unlinked(self, route: Route, side: Side, record: Record) -> None:
        if (record.created_by_us and record.keys) or not wanted(route, side, record):
            return
        self.told.creations += 1
        _name(self.told.enters, {"side": side_word(side), **named(record)})
        if self.prospect.talks:
            self.told.comments += await DryRun(self.engine, route).comments_of({side: record})

    async def _pairs(self, route: Route, before: Route, pairs: Map[int, Map[Side, Record]]) -> None:
        """Updates that follow from the new rules and would not from the present ones."""
        async with self.engine.database.read() as session:
            seen = await links.seen_of(session, pairs)
            found = (await session.execute(select(Link).where(col(Link.id).in_(list(pairs))))).scalars()
            rows = {row.id: row for row in found}
        for link_id, records in pairs.items():
            known = links.pairs(seen.get(link_id, {}))
            fresh, present = _written(route, records, known), _written(before, records, known)
            new = {key: write for key, write in fresh.items() if key not in present}
            self.told.updates += _updates(new)
            if new:
                _name(self.told.written, _told(link_id, records, new))
            if left(route, records) and not left(before, records):
                self.told.left += 1
                _name(self.told.leaves, {"link": link_id, **named(records[Side.EXTERNAL])})
            elif self.prospect.talks and not left(route, records):
                self.told.comments += await DryRun(self.engine, route).comments_of(records, rows[link_id])
                self.told.comments -= await DryRun(self.engine, before).comments_of(records, rows[link_id])


def _name(into: list[dict[str, Any]], entry: dict[str, Any]) -> None:
    if len(into) < _NAMED:
        into.append(entry)


async def _linked(engine: Engine, mapping: Mapping | None) -> dict[str, int]:
    """Ids of the mapping's links, by both Refs. An ended one counts, too: nothing is created for it again."""
    if mapping is None:
        return {}
    async with engine.database.read() as session:
        query = select(col(Link.id), col(Link.hub_ref), col(Link.external_ref)).where(
            col(Link.mapping_id) == mapping.id,
            col(Link.kind) == links.TASK,
        )
        return {ref: id for id, *refs in await session.execute(query) for ref in refs if ref}


_Writes = dict[tuple[Side | None, str], FieldWrite | None]
"""By (side, rule); the side is None where only the time of an edit tells it."""


def _written(route: Route, records: Map[Side, Record], seen: Map[str, Pair]) -> _Writes:
    """What would be written to both sides."""
    if left(route, records):
        return {}
    plan = plan_link(
        LinkView(
            hub=route.placed(Side.HUB, records[Side.HUB]),
            external=route.placed(Side.EXTERNAL, records[Side.EXTERNAL]),
            rules=route.rules,
            seen=seen,
            translation=route.translation,
            into=route.into,
        )
    )
    undated: _Writes = {(None, name): None for _, name in plan.undated}
    return {(write.side, write.rule): write for write in plan.writes} | undated


def _updates(writes: _Writes) -> int:
    """How many objects they change; one at least where only the times of edits tell which."""
    sides = {side for side, _ in writes if side is not None}
    return len(sides) or (1 if writes else 0)


def _told(link_id: int | None, records: Map[Side, Record], writes: _Writes) -> dict[str, Any]:
    return {
        "link": link_id,
        **named(records[Side.EXTERNAL]),
        "fields": [
            {
                "side": side_word(side) if side is not None else None,
                "field": write.field if write is not None else rule,
                "before": dump(write.before) if write is not None else None,
                "after": dump(write.value) if write is not None else None,
            }
            for (side, rule), write in writes.items()
        ],
    }
