"""Objects that this process read, and what its providers say has changed since.

Reading an object costs a call. A listing of what changed shows in one call that a hundred others are
still as they were read. What is kept here is only ever a shortcut: where anything is in doubt, and
after a restart, objects are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.errors import ConnectorError, PauseConnection
from connectors.records import Record, Ref

if TYPE_CHECKING:
    from sync.jobs.routing.route import End

_LATE = timedelta(seconds=3)
"""So far back every listing looks behind the one before: what became visible late is still found."""
_SAME_SECOND = timedelta(seconds=2)
"""A read so soon after a change does not show what else came in that second."""
_VERSIONS = 50_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A record, and when the call that read it began, by our clock."""

    record: Record
    read_at: datetime


@dataclass(slots=True)
class _Watch:
    """``newest``: the version of each object of a container that changed between two times.

    ``since`` is by our clock, ``until`` as well: when the last listing was asked for.
    """

    since: datetime
    until: datetime
    newest: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Snapshots:
    """Of one process, for all its connections.

    ``space``: so many characters are kept about; then all are forgotten.
    """

    space: int = 16_000_000
    _known: dict[tuple[int, Ref], Snapshot] = field(default_factory=dict)
    _watches: dict[tuple[int, str], _Watch] = field(default_factory=dict)
    _taken: int = 0

    def keep(self, connection_id: int, records: Iterable[Record], read_at: datetime) -> None:
        """Remember what was read through a connection by a call that began then."""
        for record in records:
            key = connection_id, record.ref
            if key in self._known:
                self._taken -= _size(self._known[key].record)
            self._known[key] = Snapshot(record, read_at)
            self._taken += _size(record)
        if self._taken > self.space:
            self._known.clear()
            self._taken = 0

    def of(self, connection_id: int, ref: Ref) -> Snapshot | None:
        return self._known.get((connection_id, ref))

    async def still(self, end: End, known: Mapping[Ref, datetime], now: datetime) -> dict[Ref, Record]:
        """Those of these objects that are as they were read.

        Args:
            known: when the remembered record was certainly the newest, by our clock.
        """
        connection_id = end.connection.id
        kept = {ref: kept.record for ref in known if (kept := self.of(connection_id, ref)) is not None}
        watch = await self._watch(end, min(known[ref] for ref in kept), now) if kept else None
        if watch is None:
            return {}
        return {ref: record for ref, record in kept.items() if watch.newest.get(ref.id, "") <= record.version}

    async def _watch(self, end: End, known: datetime, now: datetime) -> _Watch | None:
        """What changed from that time until now, by one more listing; None where that cannot be told."""
        key = (end.connection.id, end.container)
        watch = self._watches.pop(key, None)
        if watch is None or watch.since > known - _LATE or len(watch.newest) > _VERSIONS:
            watch = _Watch(since=known - _LATE, until=known - _LATE)
        try:
            newest = await end.session.versions(end.container, watch.until + end.offset)
        except PauseConnection:
            raise
        except ConnectorError:
            return None  # they are read one by one then, and whatever is wrong shows there
        if newest is None:
            return None
        watch.newest |= newest
        watch.until = now - _LATE
        self._watches[key] = watch
        return watch


def shows_all(end: End, record: Record, read_at: datetime) -> bool:
    """Whether a read at that time shows all that was done to that version: some count time in seconds."""
    if end.connector.capabilities.clock_resolution_s < 1:
        return True
    return read_at >= record.modified_at - end.offset + _SAME_SECOND


def _size(record: Record) -> int:
    return 500 + sum(len(value) for value in record.fields.values() if isinstance(value, str))
