"""What a batch commits: its links share transactions, each kind of row is one statement.

A link is planned and written by itself; what it has to store goes into an :class:`Entry`. Entries that
come while a transaction runs are the next one's. So intents of a batch are committed together, and
results as they come.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.records import Record
from sync.jobs.engine import Engine
from sync.jobs.passing.lease import Lease
from sync.jobs.passing.outcome import Halted
from sync.jobs.together import Together, at_once
from sync.reconcile.model import Pair, Side
from sync.store import leases, links, marks, writes
from sync.store.errors import StoreError
from sync.store.history import line, tell_all
from sync.store.tables import Link, Mark, Write

Step: TypeAlias = Callable[[AsyncSession], Awaitable[object]]
SharedStep: TypeAlias = Callable[[AsyncSession, Sequence[Any]], Awaitable[object]]


@dataclass(slots=True)
class Entry:
    """What one link adds to a transaction.

    ``begun``: intents, which get their ids. ``answered``: writes that were done, with what came back.
    ``settled``: field -> pair. ``lines`` of its history. ``looked_at``: store how the link stands.
    ``put``: new marks. ``cleared``, ``released``: marks and claims that are over; ``postponed``: marks that
    are not. ``steps``: what is rare enough to have statements of its own; ``shared``: a step that is taken
    once for all entries of a transaction, and this one's part of it.
    """

    link: Link | None = None
    begun: list[Write] = field(default_factory=list)
    answered: list[tuple[Write, Record]] = field(default_factory=list)
    settled: dict[str, Pair] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    looked_at: bool = False
    put: list[marks.NewMark] = field(default_factory=list)
    cleared: list[Mark] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    postponed: list[marks.Postponed] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    shared: dict[SharedStep, Any] = field(default_factory=dict)

    def tell(self, event: str, text: str, **more: Any) -> None:
        """Add a line to the link's history; ``more`` as in :func:`sync.store.history.line`."""
        assert self.link is not None
        self.lines.append(line(self.link, event, text, **more))


@dataclass(slots=True)
class Ledger:
    """The transactions of one batch; all are fenced by the pass's lease."""

    engine: Engine
    lease: Lease
    _pages: Together[Entry, None] = field(init=False)

    def __post_init__(self) -> None:
        self._pages = Together(at_once(self._commit), for_all=(StoreError, Halted))

    async def enter(self, entry: Entry) -> None:
        """Commit an entry.

        Raises:
            Halted: another worker took over; it looks up by itself what was written.
        """
        await self._pages(entry)

    async def _commit(self, entries: Sequence[Entry]) -> list[None]:
        now = self.engine.now()
        async with self.engine.database.write() as session:
            await fence(session, self.lease)
            await writes.begin(session, [row for entry in entries for row in entry.begun])
            answered = [
                (entry.link, write, answer)
                for entry in entries
                if entry.link is not None
                for write, answer in entry.answered
            ]
            await writes.end(session, [(write, answer) for _, write, answer in answered], now)
            settled = {entry.link.id: entry.settled for entry in entries if entry.link and entry.settled}
            await links.settle(session, settled, now)
            await links.keep(session, [entry.link for entry in entries if entry.link and entry.looked_at])
            for entry in entries:
                for step in entry.steps:
                    await step(session)
            for shared, parts in _by_step(entries).items():
                await shared(session, parts)
            await tell_all(session, [told for entry in entries for told in entry.lines])
            touched = {str(answer.ref): (Side(write.side), answer.ref) for _, write, answer in answered}
            news = await marks.of_sharers(session, self.lease.mapping_id, touched)
            await marks.put(session, [*news, *(mark for entry in entries for mark in entry.put)], now)
            await marks.clear(session, [mark for entry in entries for mark in entry.cleared], now)
            await marks.postpone(session, [each for entry in entries for each in entry.postponed])
            refs = [ref for entry in entries for ref in entry.released]
            await leases.release(session, refs, self.lease.hold)
        return [None for _ in entries]


def _by_step(entries: Sequence[Entry]) -> dict[SharedStep, list[Any]]:
    parts: dict[SharedStep, list[Any]] = {}
    for entry in entries:
        for step, part in entry.shared.items():
            parts.setdefault(step, []).append(part)
    return parts


async def fence(session: AsyncSession, lease: Lease) -> None:
    """A worker that was stopped beyond its lease must not settle anything any more.

    Raises:
        Halted: another one took over.
    """
    if not await leases.is_current(session, lease.mapping_id, lease.number):
        raise Halted("another worker took over the mapping during the call")
