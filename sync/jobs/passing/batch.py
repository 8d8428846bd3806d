"""One batch of a pass: claim what is due, read it, work on it object by object, settle together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

import structlog

from connectors.errors import ConnectorError, PauseConnection
from sync import tracing
from sync.jobs.connecting import connections
from sync.jobs.passing import occasion, refusals, unit_work
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import Done, Halted, Later, Outcome, TooOld
from sync.jobs.passing.past import pasts_of
from sync.jobs.passing.reading import read
from sync.jobs.passing.unit import Unit, ends, units_of
from sync.store import deliveries, leases, links, marks, parking, writes
from sync.store.errors import StoreError
from sync.store.tables import Link, Mark

log = structlog.get_logger()

FEW = 15
"""The first batch, and the least: about as many as providers let be written at once."""


async def take(desk: Desk, size: int, at_work: set[int]) -> tuple[Sequence[Mark], Sequence[Unit]]:
    """The marks that are due, at most so many, and what is to be worked on for them: claimed and read.

    Args:
        at_work: ids of marks that another batch of this pass has; these are added.
    """
    engine, mapping_id = desk.engine, desk.route.mapping.id
    batch: list[Mark] = []
    try:
        async with engine.database.read() as session:
            batch += await marks.due(session, mapping_id, engine.now(), size, but=at_work)
        at_work.update(mark.id for mark in batch)
        if not batch or await connections.meet_people(
            engine, (end.connection for end in desk.route.ends.values())
        ):
            return batch, []
        return batch, await _read(desk, await _claimed(desk, batch))
    except ConnectorError as error:
        await refusals.of_all(engine, mapping_id, error)
    except Halted as halt:
        log.info("pass.done", reason=halt.reason)
    at_work.difference_update(mark.id for mark in batch)
    return [], []


async def _claimed(desk: Desk, batch: Sequence[Mark]) -> list[Unit]:
    """What the marks are about, less what another pass works on."""
    engine, mapping_id = desk.engine, desk.route.mapping.id
    refs = [mark.ref for mark in batch]
    async with engine.database.read() as session:
        by_ref = await links.by_refs(session, mapping_id, refs)
        traces = await deliveries.traces_of(session, batch) if tracing.is_on() else {}
    units = units_of(desk, batch, by_ref, traces)
    mine: list[Unit] = []
    async with engine.database.write() as session:
        wanted = [[str(ref) for ref in unit.refs.values()] for unit in units]
        granted = await leases.claim_each(
            session, wanted, desk.lease.hold, now=engine.now(), until=desk.lease.until
        )
        # what another batch did until the claim was granted is seen now, and nobody does more
        by_ref = await links.by_refs(session, mapping_id, refs)
        open_writes = await writes.unresolved(session, [link.id for link in by_ref.values()])
        for unit, names, taken in zip(units, wanted, granted, strict=True):
            link = by_ref.get(unit.marks[0].ref)
            if taken and _is_as_grouped(desk, unit, link):
                unit.link, unit.claimed = link, names
                unit.open_writes = open_writes.get(link.id, []) if link is not None else []
                mine.append(unit)
                continue
            reason = "the object is being worked on"
            soon = engine.in_s(0.5)
            await marks.postpone(
                session, [marks.Postponed(mark, soon, reason, attempt=False) for mark in unit.marks]
            )
            await leases.release(session, names if taken else [], desk.lease.hold)
    return mine


def _is_as_grouped(desk: Desk, unit: Unit, link: Link | None) -> bool:
    """Whether the link still is the one, with the ends, that the unit was made for."""
    if link is None or unit.link is None:
        return link is unit.link
    return link.id == unit.link.id and ends(desk, link).keys() == ends(desk, unit.link).keys()


async def _read(desk: Desk, units: list[Unit]) -> list[Unit]:
    """The units with all that planning them needs; none where the providers do not answer."""
    linked = [unit.link for unit in units if unit.link is not None]
    async with desk.engine.database.read() as session:
        pasts = await pasts_of(session, desk.engine, linked)
        refs = {str(ref): unit for unit in units if unit.link is not None for ref in unit.refs.values()}
        taken = [mark.id for unit in units for mark in unit.marks]
        for mark in await marks.waiting(session, desk.route.mapping.id, refs, but=taken):
            refs[mark.ref].waiting.append(mark)
        alone = {str(ref): unit for unit in units if unit.link is None for ref in unit.refs.values()}
        for name in await parking.unread(session, desk.route.mapping.id, list(alone)):
            alone[name].unread = True
    for unit in units:
        unit.past = pasts.get(unit.link.id) if unit.link is not None else None
    try:
        await read(desk, units)
    except ConnectorError as error:
        outcome: Outcome | None = None
        for unit in units:
            if outcome is None or not isinstance(error, PauseConnection):  # asked once for all
                outcome = await refusals.after(desk, unit, error)
            await _finish(desk, unit, outcome)
        return []
    except Exception as error:  # each is read by itself then, and the poison one found out
        log.exception("pass.done", reason=repr(error))
    return units


async def work(desk: Desk, units: Sequence[Unit]) -> None:
    """Work on all of them, side by side."""
    creating = asyncio.Semaphore(FEW)  # so few have to be looked for if this process is killed

    async def one(unit: Unit) -> None:
        async with nullcontext() if len(unit.refs) == 2 else creating:
            if desk.engine.ending.is_set():
                return  # the mark stays due, the claim goes with the lease
            outcome = await _attempt(desk, unit)
            try:
                await _finish(desk, unit, outcome)
            except (Halted, StoreError):
                raise
            except Exception as error:  # noqa: BLE001  (logged there; what came back cannot be stored)
                unit.told = Entry()
                await _finish(desk, unit, await refusals.poisonous(desk, unit, error))

    # every unit gets to its end before a store error is raised: its calls are under way
    over = await asyncio.gather(*(one(unit) for unit in units), return_exceptions=True)
    for end in over:
        if isinstance(end, Halted):
            log.info("pass.done", reason=end.reason)
        elif isinstance(end, BaseException):
            raise end


async def _attempt(desk: Desk, unit: Unit) -> Outcome:
    """Work on one unit; whatever goes wrong there stays there."""
    about = {
        "mapping": desk.route.mapping.name,
        "link": unit.link.id if unit.link else None,
        "ref": str(next(iter(unit.refs.values()))),
    }
    try:
        with (
            tracing.span("pass", about, parent=unit.trace),
            occasion.of(desk.route, unit.marks) as behind,
        ):
            outcome = await unit_work.work(desk, unit)
        if isinstance(outcome, Done):
            behind.over()
        return outcome
    except Halted as halt:
        wait = 0 if desk.engine.ending.is_set() else 1
        return Later(wait, halt.reason, attempt=isinstance(halt, TooOld), held_by=halt.held_by)
    except ConnectorError as error:
        return await refusals.after(desk, unit, error)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  (logged there; it must not stop the others)
        return await refusals.poisonous(desk, unit, error)


async def _finish(desk: Desk, unit: Unit, outcome: Outcome) -> None:
    """What was done and is not committed yet; clear or postpone the marks; give the claims back."""
    entry = unit.told
    if isinstance(outcome, Later):
        occasion.held_back(unit.marks, outcome)
        due_at = desk.engine.in_s(outcome.seconds)
        entry.postponed += [
            marks.Postponed(mark, due_at, outcome.reason, outcome.attempt, outcome.recheck)
            for mark in unit.marks
        ]
    else:
        entry.cleared += unit.marks
    entry.released += unit.claimed
    await desk.ledger.enter(entry)
