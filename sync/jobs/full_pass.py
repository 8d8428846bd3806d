"""The full pass: complete listings of both containers against the links.

Listings never show everything (deletions, moves, objects that left a filter), so every so often, and
after a lost position, everything is compared. It only marks; passes do the work. It counts only if
every page came and it is at least half of the last one: absence is never deletion.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from structlog.contextvars import bound_contextvars

from connectors.errors import ConnectorError, Park, ParkClass, PauseConnection
from connectors.records import Change, Record, Ref
from sync.jobs import connections
from sync.jobs.admission import in_scope
from sync.jobs.engine import Engine
from sync.jobs.news import marks_for
from sync.jobs.outcome import Halted
from sync.jobs.route import Route, open_route
from sync.metrics import FULL_PASS, REPAIRED
from sync.reconcile.model import Side
from sync.store import leases, links, marks, parking
from sync.store.history import tell
from sync.store.tables import Link, Mapping

log = structlog.get_logger()

_DAY_S = 86400
_PAUSE_S = 30.0
"""After one that could not be completed."""


@dataclass(slots=True)
class Listed:
    """What one side's complete listing showed; records only of objects without a link."""

    refs: set[str] = field(default_factory=set)
    loose: list[Record] = field(default_factory=list)


async def full_pass(engine: Engine, mapping_id: int, *, all_comments: bool = False) -> bool:
    """Compare everything; False where it could not be completed."""
    turn, hold = f"full-pass:{mapping_id}", leases.Hold(engine.owner, mapping_id, lease_no=0)
    async with engine.database.write() as session:
        taken = await leases.claim(
            session,
            [turn],
            hold,
            now=engine.now(),
            until=engine.in_s(engine.settings.lease_seconds * 5),
        )
    if not taken:
        return False
    completed = False
    try:
        route = await open_route(engine, mapping_id)
        if route is not None and not (route.mapping.state == "stopped" or route.is_blocked(engine.now())):
            with bound_contextvars(mapping=route.mapping.name):
                started = time.perf_counter()
                completed = await _compare(engine, route, all_comments=all_comments)
                if completed:
                    FULL_PASS.observe(time.perf_counter() - started)
    except PauseConnection:
        await connections.examine(engine, mapping_id)
    except ConnectorError as error:
        log.warning("pass.done", reason=f"full pass not completed: {error.reason}")
    except Halted as halt:
        log.info("pass.done", reason=f"full pass not completed: {halt.reason}")
    finally:
        async with engine.database.write() as session:
            if completed or engine.ending.is_set():
                await leases.release(session, [turn], hold)
            else:
                pause = min(_PAUSE_S, engine.settings.poll_seconds)
                await leases.keep_until(session, turn, engine.owner, engine.in_s(pause))
    return completed


async def _compare(engine: Engine, route: Route, *, all_comments: bool) -> bool:
    listed = {side: await _list(engine, route, side) for side in Side}
    if not await _credible(engine, route, listed):
        return False
    pairs = match(route, listed)
    async with engine.database.write() as session:
        for hub, external, made_by in pairs.sure:
            await _link(session, engine, route, hub, external, made_by)
        for one, others in pairs.ambiguous:
            await _park_ambiguous(session, engine, route, one, others)
        await marks.put(session, await _absent(session, route, listed), engine.now())
        await marks.put(session, await _comments_due(session, engine, route, all_comments), engine.now())
        waiting = len(listed[Side.HUB].loose) + len(listed[Side.EXTERNAL].loose)
        await _finished(session, engine, route, listed, waiting)
    await engine.wake(route.mapping.id, 0)
    return True


async def _list(engine: Engine, route: Route, side: Side) -> Listed:
    """Stream one side's listing; what differs from its link is marked page by page."""
    end, found, cursor = route.end(side), Listed(), None
    while True:
        if engine.ending.is_set():
            raise Halted("this process ends: another one begins anew")
        page = await end.session.listing(end.container, cursor)
        refs = {str(change.ref) for change in page.changes}
        async with engine.database.write() as session:
            known = await links.by_refs(session, route.mapping.id, refs)
            quiet = [_quietly(change) for change in page.changes]
            news = await marks_for(session, route, side, quiet, lane=marks.BACKFILL)
            if _matches(route):
                news = [mark for mark in news if str(mark.ref) in known]
            await marks.put(session, news, engine.now())
            had_a_link = await links.ended(session, route.mapping.id, refs)
        found.refs |= refs
        found.loose += [
            change.record
            for change in page.changes
            if change.record and str(change.ref) not in known and str(change.ref) not in had_a_link
        ]
        cursor = page.cursor
        if not page.more:
            return found


def _quietly(change: Change) -> Change:
    """Without a time: being listed is no change. Objects newer than their known comments count, too."""
    return Change(ref=change.ref, record=change.record, comments=True)


def _matches(route: Route) -> bool:
    return route.config.match.mode != "create" and route.mapping.state == "first_sync"


async def _credible(engine: Engine, route: Route, listed: dict[Side, Listed]) -> bool:
    """Whether the listings can be everything: at least half of what the last ones showed."""
    for side in Side:
        before = route.mapping.full_pass_counts.get(side.value, 0)
        now = len(listed[side].refs)
        if now * 2 < before:
            title = route.end(side).connector.title
            reason = f"the listing of {title} shrank from {before} to {now} objects: it does not count"
            log.warning("pass.done", mapping=route.mapping.name, reason=reason)
            counts = {**route.mapping.full_pass_counts, side.value: now}
            async with engine.database.write() as session:
                await session.execute(
                    update(Mapping)
                    .where(col(Mapping.id) == route.mapping.id)
                    .values(full_pass_counts=counts, reason=reason)
                )
            return False
    return True


@dataclass(slots=True)
class Pairs:
    """What matching found among objects without a link."""

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
    if _matches(route):
        _match_titles(
            [record for record in hub if record.ref not in taken and in_scope(route, Side.HUB, record)],
            [
                record
                for record in external
                if record.ref not in taken and in_scope(route, Side.EXTERNAL, record)
            ],
            found,
        )
    return found


def _match_titles(hub: Iterable[Record], external: Iterable[Record], found: Pairs) -> None:
    """One object of a title on each side is a pair; more are for a person to tell apart."""
    tasks: defaultdict[str, list[Record]] = defaultdict(list)
    for record in hub:
        tasks[_title(record)].append(record)
    others: defaultdict[str, list[Record]] = defaultdict(list)
    for record in external:
        others[_title(record)].append(record)
    for title, candidates in tasks.items():
        counterparts = others.get(title, [])
        if not title or not counterparts:
            continue
        if len(candidates) == len(counterparts) == 1:
            found.sure.append((candidates[0], counterparts[0], "match"))
        else:
            found.ambiguous += [(candidate, counterparts) for candidate in candidates]


def _title(record: Record) -> str:
    return " ".join(str(record.fields.get("title", "")).casefold().split())


async def _link(
    session: AsyncSession, engine: Engine, route: Route, hub: Record, external: Record, made_by: str
) -> None:
    now = engine.now()
    refs = [str(hub.ref), str(external.ref)]
    if await links.by_refs(session, route.mapping.id, refs) or await links.ended(
        session, route.mapping.id, refs
    ):
        return
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
    session.add(link)
    await session.flush()
    how = "matched by title" if made_by == "match" else "adopted by its key"
    tell(session, link, "in", f"{external.key} {how}", now)
    log.info("link.made", mapping=route.mapping.name, link=link.id, reason=how)
    if made_by == "adopt":
        REPAIRED.inc()
    await marks.put(
        session,
        [
            marks.NewMark(
                mapping_id=route.mapping.id,
                side=side,
                ref=record.ref,
                lane=marks.BACKFILL,
                comments=True,
                reason=how,
            )
            for side, record in ((Side.HUB, hub), (Side.EXTERNAL, external))
        ],
        now,
    )


async def _park_ambiguous(
    session: AsyncSession, engine: Engine, route: Route, one: Record, others: list[Record]
) -> None:
    await parking.park(
        session,
        mapping_id=route.mapping.id,
        link=None,
        what="link",
        ref=str(one.ref),
        error=Park(
            f"{one.fields.get('title', '')!r} may belong to {', '.join(other.key for other in others)}.",
            park_class=ParkClass.AMBIGUOUS,
            fix=f"Link it by hand: asana-sync link {route.mapping.name} EXTERNAL {one.ref.id}",
        ),
        now=engine.now(),
    )


async def _absent(session: AsyncSession, route: Route, listed: dict[Side, Listed]) -> list[marks.NewMark]:
    """Links with an end that no listing showed: each is looked at by itself."""
    query = select(Link).where(
        col(Link.mapping_id) == route.mapping.id,
        col(Link.kind) == links.TASK,
        col(Link.state).in_([links.ACTIVE, links.PARKED]),
    )
    found: list[marks.NewMark] = []
    for link in (await session.execute(query)).scalars():
        for side in Side:
            ref = links.end(link, side, route.end(side).connection)
            if ref is not None and str(ref) not in listed[side].refs:
                found.append(
                    marks.NewMark(
                        mapping_id=route.mapping.id,
                        side=side,
                        ref=ref,
                        lane=marks.BACKFILL,
                        reason="not in the complete listing",
                    )
                )
    return found


async def _comments_due(
    session: AsyncSession, engine: Engine, route: Route, everything: bool
) -> list[marks.NewMark]:
    """Comments of quiet objects, spread over a day; all of them where that is asked for."""
    if not route.copies_comments():
        return []
    horizon = engine.now() - timedelta(seconds=0 if everything else _DAY_S)
    query = (
        select(Link)
        .where(
            col(Link.mapping_id) == route.mapping.id,
            col(Link.kind) == links.TASK,
            col(Link.state) == links.ACTIVE,
            (col(Link.comments_at).is_(None)) | (col(Link.comments_at) < horizon),
        )
        .order_by(col(Link.comments_at))
    )
    rows = list((await session.execute(query)).scalars())
    share = len(rows) if everything else max(10, int(len(rows) * engine.settings.full_pass_seconds / _DAY_S))
    found = []
    for link in rows[:share]:
        ref = links.end(link, Side.HUB, route.end(Side.HUB).connection)
        if ref is not None:
            found.append(
                marks.NewMark(
                    mapping_id=route.mapping.id,
                    side=Side.HUB,
                    ref=ref,
                    lane=marks.BACKFILL,
                    comments=True,
                    reason="a regular look at its comments",
                )
            )
    return found


async def _finished(
    session: AsyncSession, engine: Engine, route: Route, listed: dict[Side, Listed], waiting: int
) -> None:
    mapping = await session.get(Mapping, route.mapping.id)
    if mapping is None:
        return
    if mapping.state == "first_sync":
        mapping.state = "active"
        mapping.first_sync = {"total": waiting, "started_at": engine.now().isoformat()}
        if _matches(route):
            mapping.full_pass_due = True  # the next one creates what could not be matched
            session.add(mapping)
            return
    mapping.full_pass_at, mapping.full_pass_due = engine.now(), False
    mapping.full_pass_counts = {side.value: len(listed[side].refs) for side in Side}
    if mapping.state == "active":
        mapping.reason = ""
    session.add(mapping)
