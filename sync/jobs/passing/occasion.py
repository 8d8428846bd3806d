"""What led to a look at an object, and how long what came of it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sync.jobs.passing.outcome import Later
from sync.jobs.routing.route import Route
from sync.metrics import LAG, OUR_LAG, PROVIDER_LAG, SUPPRESSED
from sync.reconcile.model import Side
from sync.store.marks import LIVE, NewMark
from sync.store.tables import Mark


def learnt(route: Route, side: Side, found: Iterable[NewMark], now: datetime) -> None:
    """Count how late these edits were told, each by the provider's own time of it."""
    for mark in found:
        if mark.seen_at is not None:
            PROVIDER_LAG.observe(_seconds(mark.seen_at - route.end(side).offset, now))


@dataclass(slots=True)
class Occasion:
    """The live marks behind a look, and how many writes came of it. The backfill is late by its nature."""

    route: Route
    marks: list[Mark]
    writes: int = 0

    def confirmed(self, into: Side, now: datetime) -> None:
        """A write to that side was confirmed: count how long it took since the other side's edit."""
        self.writes += 1
        source = self.route.end(into.other)
        for mark in self.marks:
            if Side(mark.side) is not into.other:
                continue
            OUR_LAG.observe(_seconds(mark.first_at, now))
            if mark.seen_at is not None:
                names = source.connector.name, self.route.end(into).connector.name
                LAG.labels(*names).observe(_seconds(mark.seen_at - source.offset, now))

    def over(self) -> None:
        """The look has come to its end."""
        if self.marks and not self.writes:
            SUPPRESSED.labels("noop").inc()


_behind: ContextVar[Occasion | None] = ContextVar("occasion", default=None)


@contextmanager
def of(route: Route, marks: Iterable[Mark]) -> Iterator[Occasion]:
    """These marks led to the writes inside."""
    occasion = Occasion(route, [mark for mark in marks if mark.lane == LIVE])
    token = _behind.set(occasion)
    try:
        yield occasion
    finally:
        _behind.reset(token)


def confirmed(into: Side, now: datetime) -> None:
    """A write to that side was confirmed."""
    occasion = _behind.get()
    if occasion is not None:
        occasion.confirmed(into, now)


def held_back(marks: Iterable[Mark], later: Later) -> None:
    """What may not be written now is tried again and again, and counted once."""
    if later.held_by and any(mark.reason != later.reason for mark in marks):
        SUPPRESSED.labels(later.held_by).inc()


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())
