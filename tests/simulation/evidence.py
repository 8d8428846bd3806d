"""All that can be asked about a town when it has come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.simulation_network import Exchange
from sync.store.listings import conflicts_page, deliveries_page, links_page, parked_page
from tests.simulation.hours import BEGINNING
from tests.simulation.life import Killed
from tests.simulation.memory import Memory
from tests.simulation.rest import standing
from tests.simulation.schedule import Schedule
from tests.simulation.town import Town


@dataclass(slots=True)
class Evidence:
    """All that can be asked about how it ended."""

    schedule: Schedule
    town: Town
    memory: Memory
    story: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    links: Sequence[dict[str, Any]] = ()
    conflicts: Sequence[dict[str, Any]] = ()
    parked: Sequence[dict[str, Any]] = ()
    deliveries: Sequence[dict[str, Any]] = ()
    late_writes: list[str] = field(default_factory=list)
    """What was written although everything was at rest."""
    early: list[str] = field(default_factory=list)
    """What differed when everything was at rest for the first time, before a complete comparison."""
    rest_s: float = 0.0
    cpu_s: float = 0.0

    def note_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error that nobody waited for; in a killed life that is the end of a task."""
        error = context.get("exception")
        if not isinstance(error, Killed):
            self.problems.append(f"18: unexpected error: {error or context['message']!r}")

    def is_unread(self, exchange: Exchange) -> bool:
        """Whether its answer came to a process that was killed or asleep about then."""
        at_s = (exchange.at - BEGINNING).total_seconds()
        return any(abs(at_s - death_s) < 2 for death_s in self.town.deaths)


async def collect(evidence: Evidence) -> None:
    """What the program itself says, in the shapes of its outside interface."""
    assert evidence.town.program is not None
    engine = evidence.town.program.engine
    evidence.status = await standing(evidence.town)
    async with engine.database.read() as session:
        evidence.links = (await links_page(session, limit=10_000))["items"]
        evidence.conflicts = (await conflicts_page(session, limit=10_000))["items"]
        evidence.parked = (await parked_page(session, limit=10_000))["items"]
        evidence.deliveries = (await deliveries_page(session, limit=10_000))["items"]
