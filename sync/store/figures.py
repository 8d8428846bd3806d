"""What rows of the database tell for ``/metrics``: right whatever process made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.store import writes
from sync.store.tables import Claim, Connection, Mapping, Mark, Token
from sync.store.totals import CONFLICTS, DELIVERIES, WRITES, total

Counted = dict[tuple[str, ...], float]
"""Label values -> number."""


@dataclass(frozen=True, slots=True)
class Figures:
    """``received``: by service, kind of event, what became of it. ``writes``: by service, operation, result.
    ``conflicts``: by policy. ``backlog``: marks by state. ``ambiguous``: writes of unknown outcome.
    ``tokens_until``: Unix time when the access token ends, by service and name of the connection.
    """

    received: Counted
    writes: Counted
    conflicts: Counted
    backlog: Counted
    ambiguous: int
    tokens_until: Counted


async def figures(session: AsyncSession, now: datetime) -> Figures:
    """Connections and mappings that were removed since go on counting."""
    connections = (await session.execute(select(Connection))).scalars().all()
    services = {row.id: row.connector for row in connections}
    mappings = {row.id: row for row in (await session.execute(select(Mapping))).scalars()}
    written: Counter[tuple[str, ...]] = Counter()
    for (mapping_id, side, op, state), number in (await total(session, WRITES)).items():
        mapping = mappings[mapping_id]
        end = mapping.hub_connection_id if side == "hub" else mapping.external_connection_id
        written[services[end], op, state] += number.number
    received: Counter[tuple[str, ...]] = Counter()
    for (connection_id, event, state), number in (await total(session, DELIVERIES)).items():
        received[services[connection_id], event, state] += number.number
    return Figures(
        received=dict(received),
        writes={key: number for key, number in written.items() if key[-1] not in writes.OPEN},
        conflicts={key: number.number for key, number in (await total(session, CONFLICTS)).items()},
        backlog=await _backlog(session, now),
        tokens_until=await _tokens_until(session, connections),
        ambiguous=sum(number for key, number in written.items() if key[-1] == writes.UNKNOWN),
    )


async def _tokens_until(session: AsyncSession, connections: Iterable[Connection]) -> Counted:
    services = {row.name: row.connector for row in connections if row.removed_at is None}
    newest = select(col(Token.connection), func.max(col(Token.until))).group_by(col(Token.connection))
    return {
        (services[name], name): until.timestamp()
        for name, until in await session.execute(newest)
        if name in services and until is not None
    }


async def _backlog(session: AsyncSession, now: datetime) -> Counted:
    """Marks: ``leased``: a pass works on the object; ``ready``: due; ``deferred``: due later."""
    state = case(
        (col(Claim.ref).is_not(None), "leased"), (col(Mark.due_at) <= now, "ready"), else_="deferred"
    ).label("state")
    claimed = and_(col(Claim.ref) == col(Mark.ref), col(Claim.until) > now)
    query = select(state, func.count()).select_from(Mark).outerjoin(Claim, claimed).group_by(state)
    found = {(word,): number for word, number in await session.execute(query)}
    return {(word,): found.get((word,), 0) for word in ("ready", "leased", "deferred")}
