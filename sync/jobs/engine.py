"""What every job works with, and the clock they share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sync.jobs.connecting.sessions import Sessions
from sync.jobs.routing.field_lists import Known
from sync.jobs.routing.people import KeptPeople
from sync.jobs.watching.snapshots import Snapshots
from sync.settings import Settings
from sync.store.database import Database
from sync.store.secrets import Vault

Wake = Callable[[int, float], Awaitable[None]]
"""(mapping id, seconds from now): somebody should run a pass then."""


async def no_wake(mapping_id: int, delay_s: float) -> None:
    """For runs that look for work themselves."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One process's means.

    ``owner`` is unique for it: leases and claims carry it. ``fields_asked_for``: mapping id -> the version
    whose fields were looked for. Once ``ending`` is set nothing is begun any
    more: calls in flight get their answers, the rest is another process's.
    """

    settings: Settings
    database: Database
    vault: Vault
    sessions: Sessions
    owner: str
    wake: Wake = no_wake
    now: Callable[[], datetime] = field(default=utc_now)
    snapshots: Snapshots = field(default_factory=Snapshots)
    people: KeptPeople = field(default_factory=KeptPeople)
    field_lists: dict[tuple[int, str], Known] = field(default_factory=dict)
    fields_asked_for: dict[int, int] = field(default_factory=dict)
    container_names: dict[tuple[int, str], tuple[datetime, str]] = field(default_factory=dict)
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def in_s(self, seconds: float) -> datetime:
        """That many seconds from now."""
        return self.now() + timedelta(seconds=seconds)

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until the process ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.ending.wait()

    def back_off(self, attempts: int) -> float:
        """Seconds to wait after so many tries in vain: 1, 2, 4, ... up to the setting."""
        return float(min(2.0 ** min(attempts, 30), self.settings.backoff_max_seconds))
