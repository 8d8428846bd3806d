"""One remote write: permit, call, result. The intent was committed before (``sync.store.writes``).

No transaction is open during the call. Whatever ends the process between intent and result leaves
the intent behind, and :mod:`sync.jobs.passing.recovery` looks before anything is repeated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import update
from sqlmodel import col

from connectors.errors import ConnectorError, OutcomeUnknown, Park, PauseConnection, ReplanNeeded
from connectors.records import Fields, Ref
from connectors.stamps import stamped
from connectors.uploads import upload_s
from sync import tracing
from sync.jobs.passing import occasion
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import Halted, TooOld
from sync.reconcile.model import Side
from sync.store import writes
from sync.store.history import attempt
from sync.store.tables import Link, Write
from sync.store.values import dump_all

log = structlog.get_logger()
T = TypeVar("T")

_NOT_FOUND = frozenset({404, 410})
_MISSED = 6
"""Tries until what can be read and not be found where it is written waits for a person: reads may be late."""

LEEWAY = timedelta(minutes=2)
"""Between a provider's clock and ours, and between a call's deadline and its late effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to be written. ``plan`` is kept for settling after a crash.

    ``size``: bytes of the file that the call carries. With many of them it may outlive the lease; whoever
    takes over looks for what it made after its own deadline, which is kept with the intent.
    """

    link: Link
    side: Side
    op: str
    ref: Ref | None = None
    fields: Fields = field(default_factory=dict)
    before: Fields = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    size: int = 0


def new_writes(desk: Desk, intents: Sequence[Intent]) -> list[Write]:
    """Rows to be added to the session that commits the intents."""
    now = desk.engine.now()
    call_s = desk.engine.sessions.call_s
    return [
        Write(
            mapping_id=desk.route.mapping.id,
            mapping_version=desk.route.mapping.version,
            link_id=intent.link.id,
            side=intent.side.value,
            op=intent.op,
            ref=str(intent.ref) if intent.ref else "",
            fields=dump_all(intent.fields),
            before=dump_all(intent.before),
            origin=intent.origin,
            plan=intent.plan,
            intent_at=now,
            deadline_at=desk.engine.in_s(call_s + upload_s(intent.size)),
        )
        for intent in intents
    ]


async def intend(desk: Desk, intents: Sequence[Intent]) -> list[Write]:
    """Commit these intents."""
    rows = new_writes(desk, intents)
    await desk.ledger.enter(Entry(begun=rows))
    return rows


async def perform(
    desk: Desk,
    write: Write,
    call: Callable[[], Awaitable[T]],
    *,
    good_until: datetime | None = None,
    attempts: int | None = None,
) -> T:
    """Do one write whose intent is committed.

    Everything that may forbid it is read before, and again right before each request is sent.

    Args:
        good_until: so long the record behind the plan may be written over; None: no record is behind it.
        attempts: how often this was tried in vain; None: what is not found is no object that was read.

    Raises:
        Halted: it may not start now; the write is closed as not done.
        OutcomeUnknown: kept as unknown, to be looked up.
        ReplanNeeded: it may be gone: it is read again before anything waits for a person.
        ConnectorError: it did not happen; the write is closed with the reason.
    """
    sent, connection = 0, desk.route.end(Side(write.side)).connection

    async def permit() -> None:
        nonlocal sent
        if sent == 0 and desk.engine.ending.is_set():
            raise Halted("this process ends: another one goes on")
        await desk.permit(Side(write.side))
        if connection.id in desk.engine.sessions.refused:
            raise Halted(f"the credentials of {connection.name} were refused a moment ago")
        if sent == 0 and good_until is not None and desk.engine.now() > good_until:
            raise TooOld("it was read too long before it could be written: it is read again")
        sent += 1

    names = {
        "mapping": desk.route.mapping.name,
        "link": write.link_id,
        "ref": write.ref,
        "write_id": write.id,
        "connection": connection.name,
    }
    started = time.perf_counter()
    try:
        await desk.permit(Side(write.side))
        log.info("write.start", op=write.op, **names)
        with (
            stamped(str(write.id), desk.route.stamp, permit),
            tracing.span("write", {**names, "op": write.op}),
        ):
            result = await call()
    except Halted as halt:
        if sent == 0:
            await close(desk, write, writes.NOT_DONE, halt.reason, told=False)
            raise
        log.warning("write.unknown", reason=halt.reason, **names)
        await close(desk, write, writes.UNKNOWN, halt.reason)
        raise OutcomeUnknown(f"stopped half-way: {halt.reason}") from halt
    except OutcomeUnknown as error:
        log.warning("write.unknown", reason=error.reason, **names)
        await close(desk, write, writes.UNKNOWN, error.reason)
        raise
    except ConnectorError as error:
        if isinstance(error, PauseConnection):
            desk.engine.sessions.refused.add(connection.id)
        refused = isinstance(error, Park)
        missed = refused and error.status in _NOT_FOUND and attempts is not None and attempts < _MISSED
        state = writes.REFUSED if refused and not missed else writes.NOT_DONE
        log.info("write.done", outcome=state, reason=error.reason, **names)
        await close(desk, write, state, error.reason)
        if missed:
            raise ReplanNeeded(error.reason, status=error.status) from error
        raise
    except asyncio.CancelledError:
        log.warning("write.unknown", reason="the process was stopped during the call", **names)
        raise
    occasion.confirmed(Side(write.side), desk.engine.now())
    log.info("write.done", outcome="done", duration_ms=round((time.perf_counter() - started) * 1000), **names)
    return result


async def close(desk: Desk, write: Write, state: str, reason: str = "", *, told: bool = True) -> None:
    """Keep how a write ended, where there is nothing to settle; what another worker found out stays.

    ``told``: it is a line of the history. What was never sent is none.
    """
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        closed = await session.execute(
            update(Write)
            .where(col(Write.id) == write.id, col(Write.state).in_(writes.OPEN))
            .values(state=state, reason=reason, done_at=now)
            .returning(col(Write.id))
        )
        if told and closed.scalar_one_or_none() is not None:
            session.add(attempt(write, state, reason, now))
    write.state, write.reason = state, reason
