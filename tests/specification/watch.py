"""Simulators whose traffic is held against the published documents, each exchange and webhook once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectors.simulation import Exchange, Sent, Simulator
from tests.specification import deliveries, documents, exchanges
from tests.specification.allowed import allowance
from tests.specification.findings import Finding
from tests.specification.tally import Tally


@dataclass(eq=False)
class _Watched:
    """A simulator, and how far it has been looked at."""

    simulator: Simulator
    exchanges: int = 0
    deliveries: int = 0
    late: list[Exchange] = field(default_factory=list)
    """Exchanges that were in flight at the last look."""
    ended: bool = False

    def news(self) -> tuple[list[Exchange], list[Sent]]:
        journal, outbox = self.simulator.journal, self.simulator.outbox
        assert journal.keep is None, "exchanges that are not kept cannot be validated"
        seen = [*self.late, *journal[self.exchanges :]]
        sent = outbox.sent[self.deliveries :]
        self.exchanges, self.deliveries = len(journal), len(outbox.sent)
        self.late = [] if self.ended else [each for each in seen if each.until is None]
        return [each for each in seen if each not in self.late], sent


class Watch:
    """What is watched now, and what was counted so far.

    Args:
        missing: documents that are not there.
        strict: whether it is an error that one is missing; else it is counted and told.
    """

    def __init__(self, *, missing: Sequence[Path] | None = None, strict: bool | None = None) -> None:
        self.tally = Tally()
        self._missing = documents.missing() if missing is None else missing
        self._strict = bool(os.environ.get("CI")) if strict is None else strict
        self._watched: list[_Watched] = []

    @contextmanager
    def watching(self, *simulators: Simulator) -> Iterator[None]:
        """All that these do is looked at by the next :meth:`findings`; later ones look at the rest."""
        watched = [_Watched(each) for each in simulators if each.name in documents.OPENAPI]
        if watched and self._missing:
            reason = documents.reason(self._missing)
            assert not self._strict, reason
            self.tally.missed[reason] += len(watched)
            watched = []
        self._watched += watched
        try:
            yield
        finally:
            for each in watched:
                each.ended = True

    def findings(self) -> list[str]:
        """What departs from the documents and is not allowed, since the last look."""
        if not self._watched:
            return []
        started = time.perf_counter()
        found: dict[str, None] = {}
        for each in self._watched:
            new, sent = each.news()
            for finding in (*self._of_exchanges(each, new), *self._of_deliveries(each, sent)):
                exception = allowance(finding)
                if exception is None:
                    found[str(finding)] = None
                else:
                    self.tally.allowed[str(exception)] += 1
        self._watched = [each for each in self._watched if not each.ended]
        self.tally.seconds += time.perf_counter() - started
        return list(found)

    def _of_exchanges(self, watched: _Watched, new: list[Exchange]) -> Iterator[Finding]:
        provider = watched.simulator.name
        for exchange in new:
            self.tally.exchanges[provider] += 1
            if not exchange.provider_status:
                why = f"the fault {exchange.fault}" if exchange.fault else "it was broken off"
                self.tally.without_answer[f"{provider}: {why}"] += 1
            yield from exchanges.departures(provider, exchange)

    def _of_deliveries(self, watched: _Watched, sent: list[Sent]) -> Iterator[Finding]:
        provider = watched.simulator.name
        for delivery in sent:
            self.tally.deliveries[provider] += 1
            yield from deliveries.departures(provider, delivery)


WATCH = Watch()
"""Of this test process."""
