"""What hangs below both ends of a link, listed at most once in a look at it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.discussions import Discussion
from connectors.records import Ref
from sync.jobs.routing.route import Route
from sync.reconcile.model import Side


@dataclass(slots=True)
class Discussions:
    """``ends``: the objects whose comments and files they are. ``since``: older comments are not copied."""

    route: Route
    ends: Mapping[Side, Ref]
    since: Mapping[Side, datetime] | None
    _listed: dict[Side, Discussion] = field(default_factory=dict)

    async def both(self) -> Mapping[Side, Discussion]:
        """As they stood when they were first asked for."""
        if not self._listed:
            sessions = {side: self.route.end(side).session for side in Side}
            hub, external = await asyncio.gather(
                *(sessions[side].discussion(self.ends[side]) for side in (Side.HUB, Side.EXTERNAL))
            )
            self._listed = {Side.HUB: hub, Side.EXTERNAL: external}
        return self._listed
