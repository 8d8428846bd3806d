"""Pairing objects that have no link: by our own key (a lost row), then, in a first sync, by title."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.errors import Park, ParkClass
from connectors.records import Record, Ref
from sync.jobs.engine import Engine
from sync.jobs.merging.relations import tell_waiting
from sync.jobs.pairing.admission import in_scope
from sync.jobs.routing.route import Route
from sync.jobs.watching.listing import Listed, by_title
from sync.metrics import REPAIRED
from sync.reconcile.model import Rule, Side
from sync.store import links, marks, parking
from sync.store.history import tell
from sync.store.tables import Link

log = structlog.get_logger()

T = TypeVar("T")

_AT_ONCE = 100
"""Of one transaction: whoever else wants to write has not long to wait."""
_NAMED = 5
"""So many of the objects that one may belong to are named."""

_HOW = {"match": "matched with one that was there", "adopt": "adopted by its key"}


@dataclass(slots=True)
class Pairs:
    """What matching found among objects without a link.

    ``ambiguous``: objects of either side, with those of the other side that they may belong to. Nothing is
    made for them: a person decides first.
    """

    sure: list[tuple[Record, Record, str]] = field(default_factory=list)
    ambiguous: list[tuple[Record, list[Record]]] = field(default_factory=list)


def match(route: Route, listed: dict[Side, Listed]) -> Pairs:
    """Pairs of unlinked objects: by our own key (a lost row), then, in a first sync, by title."""
    found = Pairs()
    hub, external = listed[Side.HUB].loose, listed[Side.EXTERNAL].loose
    taken: set[Ref] = set()
    by_url = {record.url: record for record in external}
    by_id = {record.ref.id: record for record in hub}
    for record in hub:
        other = next((by_url[key] for key in record.keys if key in by_url), None)
        if record.created_by_us and other is not None and other.ref not in taken:
            found.sure.append((record, other, "adopt"))
            taken |= {record.ref, other.ref}
    for record in external:
        if not record.created_by_us or record.ref in taken:
            continue
        task = next(
            (by_id[key.rpartition("-")[0]] for key in record.keys if key.rpartition("-")[0] in by_id), None
        )
        if task is not None and task.ref not in taken:
            found.sure.append((task, record, "adopt"))
            taken |= {record.ref, task.ref}
    if by_title(route):
        _match_titles(
            [record for record in hub if record.ref not in taken and in_scope(route, Side.HUB, record)],
            [
                record
                for record in external
                if record.ref not in taken and in_scope(route, Side.EXTERNAL, record)
            ],
            next((rule for rule in route.rules if rule.hub == rule.external == "title"), None),
            found,
        )
    return found


def _match_titles(hub: Iterable[Record], external: Iterable[Record], rule: Rule | None, found: Pairs) -> None:
    """One object of a title on each side is a pair; more are for a person to tell apart.

    ``rule``: that of the titles; where it has a template, a task may have its object's title in it.
    """
    tasks: defaultdict[str, list[Record]] = defaultdict(list)
    for record in hub:
        tasks[plain_title(record)].append(record)
    others: defaultdict[str, list[Record]] = defaultdict(list)
    for record in external:
        title = str(record.fields.get("title", ""))
        frame = rule.framed(record).frame if rule is not None else None
        framed = _plain(frame.around(title)) if frame is not None else _plain(title)
        others[framed if framed in tasks else _plain(title)].append(record)
    for title, candidates in tasks.items():
        counterparts = others.get(title, [])
        if not title or not counterparts:
            continue
        if len(candidates) == len(counterparts) == 1:
            found.sure.append((candidates[0], counterparts[0], "match"))
        else:
            found.ambiguous += [(candidate, counterparts) for candidate in candidates]
            found.ambiguous += [(counterpart, candidates) for counterpart in counterparts]


def plain_title(record: Record) -> str:
    return _plain(str(record.fields.get("title", "")))


def _plain(title: str) -> str:
    return " ".join(title.casefold().split())


async def keep(engine: Engine, route: Route, pairs: Pairs) -> None:
    """Store all pairs, and only then mark them: nothing is written before everything is paired."""
    made: list[tuple[Record, Record, str]] = []
    for batch in _batches(pairs.sure):
        async with engine.database.write() as session:
            made += await _link(session, engine, route, batch)
    for batch in _batches(made):
        async with engine.database.write() as session:
            await marks.put(session, _marks(route, batch), engine.now())
    for doubtful in _batches(pairs.ambiguous):
        async with engine.database.write() as session:
            for one, others in doubtful:
                await _park_ambiguous(session, engine, route, one, others)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))


async def _link(
    session: AsyncSession, engine: Engine, route: Route, pairs: Sequence[tuple[Record, Record, str]]
) -> list[tuple[Record, Record, str]]:
    """Make links of these pairs, unless somebody was faster; those that were made."""
    refs = [str(record.ref) for hub, external, _ in pairs for record in (hub, external)]
    taken = {*await links.by_refs(session, route.mapping.id, refs)}
    taken |= await links.ended(session, route.mapping.id, refs)
    now = engine.now()
    made = [pair for pair in pairs if taken.isdisjoint((str(pair[0].ref), str(pair[1].ref)))]
    rows = []
    for hub, external, made_by in made:
        link = Link(
            mapping_id=route.mapping.id,
            mapping_version=route.mapping.version,
            kind=links.TASK,
            state=links.ACTIVE,
            source=Side.EXTERNAL.value if hub.created_by_us else Side.HUB.value,
            made_by=made_by,
            created_at=now,
        )
        links.describe(link, Side.HUB, hub)
        links.describe(link, Side.EXTERNAL, external)
        rows.append(link)
    session.add_all(rows)
    await session.flush()
    for link, (_, external, made_by) in zip(rows, made, strict=True):
        tell(session, link, "in", f"{external.key} {_HOW[made_by]}", now)
        log.info("link.made", mapping=route.mapping.name, link=link.id, reason=_HOW[made_by])
        await tell_waiting(session, link)
        if made_by == "adopt":
            REPAIRED.inc()
    return made


def _marks(route: Route, pairs: Iterable[tuple[Record, Record, str]]) -> Iterator[marks.NewMark]:
    for hub, external, made_by in pairs:
        for side, record in ((Side.HUB, hub), (Side.EXTERNAL, external)):
            yield marks.NewMark(
                mapping_id=route.mapping.id,
                side=side,
                ref=record.ref,
                lane=marks.BACKFILL,
                comments=True,
                reason=_HOW[made_by],
            )


async def _park_ambiguous(
    session: AsyncSession, engine: Engine, route: Route, one: Record, others: Sequence[Record]
) -> None:
    names = [other.key for other in others[:_NAMED]]
    if len(others) > _NAMED:
        names.append(f"{len(others) - _NAMED} more")
    await parking.park(
        session,
        mapping_id=route.mapping.id,
        link=None,
        what="link",
        ref=str(one.ref),
        error=Park(
            f"{one.fields.get('title', '')!r} may belong to {', '.join(names)}.",
            park_class=ParkClass.AMBIGUOUS,
            fix=(
                f"Link what belongs together: asana-sync link {route.mapping.name} EXTERNAL TASK; "
                "retry makes a counterpart of its own."
            ),
        ),
        now=engine.now(),
    )
