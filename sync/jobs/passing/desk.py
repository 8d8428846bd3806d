"""A batch at work: the engine, the mapping ready to work, and the lease it works under."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.jobs.engine import Engine
from sync.jobs.passing.lease import Lease
from sync.jobs.passing.ledger import Ledger
from sync.jobs.passing.permits import Permits
from sync.jobs.routing.route import Route


@dataclass(slots=True)
class Desk:
    """``permit``: whether a write may be sent now. ``ledger``: where everything is committed."""

    engine: Engine
    route: Route
    lease: Lease
    permit: Permits = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.permit = Permits(self.engine, self.route, self.lease)
        self.ledger = Ledger(self.engine, self.lease)
