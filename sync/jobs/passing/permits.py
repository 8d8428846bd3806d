"""Whether a write may be sent now: everything that may forbid it is read again right before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select
from sqlmodel import col

from sync.jobs.connecting import states
from sync.jobs.engine import Engine
from sync.jobs.passing.lease import Lease
from sync.jobs.passing.outcome import Halted
from sync.jobs.routing.route import Route
from sync.jobs.routing.ruling import DIRECTIONS
from sync.jobs.together import Together, at_once
from sync.reconcile.model import Side
from sync.store.errors import StoreError
from sync.store.tables import Connection, Mapping, Setting

_PAUSED = "paused"
_DIRECTION_PAUSED = "this direction is paused"


_ROWS = (
    select(Mapping, Connection, col(Setting.value))
    .select_from(Mapping)
    .join(Connection, col(Connection.id).in_(bindparam("connections", expanding=True)))
    .outerjoin(Setting, col(Setting.key) == "paused")
    .where(col(Mapping.id) == bindparam("mapping_id"))
)


@dataclass(slots=True)
class Permits:
    """Asked with the side to be written; those who ask at one moment share one reading."""

    engine: Engine
    route: Route
    lease: Lease
    _reasons: Together[Side, str] = field(init=False)

    def __post_init__(self) -> None:
        self._reasons = Together(at_once(self._read), for_all=(StoreError,))

    async def __call__(self, side: Side) -> None:
        """
        Raises:
            Halted: it may not be written now.
        """
        call_s = self.engine.sessions.call_s
        if not self.lease.covers(call_s):
            await self.lease.renew()
        reason = await self._reasons(side) if self.lease.covers(call_s) else ""
        if reason or not self.lease.covers(call_s):
            raise Halted(
                reason or "the lease on the mapping is lost or about to end",
                held_by="paused" if reason in (_PAUSED, _DIRECTION_PAUSED) else "",
            )

    async def _read(self, sides: Sequence[Side]) -> list[str]:
        about = {
            "mapping_id": self.route.mapping.id,
            "connections": [end.connection.id for end in self.route.ends.values()],
        }
        async with self.engine.database.read() as session:
            rows = (await session.execute(_ROWS, about)).all()
        if not rows:
            return ["the mapping was removed" for _ in sides]
        by_id = {connection.id: connection for _, connection, _ in rows}
        mapping, _, everything = rows[0]
        found = {
            side: self._forbidden(mapping, by_id[self.route.end(side).connection.id], side, bool(everything))
            for side in set(sides)
        }
        return [found[side] for side in sides]

    def _forbidden(self, mapping: Mapping, connection: Connection, side: Side, everything: bool) -> str:
        """Why that side may not be written, empty where it may."""
        if mapping.removed_at or connection.removed_at:
            return "the mapping was removed"
        if mapping.lease_no != self.lease.number:
            return "another worker took over the mapping"
        if mapping.version != self.route.mapping.version:
            return "the mapping was changed meanwhile"
        if everything or mapping.paused or connection.paused:
            return _PAUSED
        if mapping.state == "stopped":
            return "the mapping is stopped"
        if connection.state == states.NEEDS_REAUTH:
            return f"connection {connection.name} needs new credentials"
        if any(side in DIRECTIONS[word] for word in mapping.paused_directions):
            return _DIRECTION_PAUSED
        return ""
