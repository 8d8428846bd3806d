"""What is measured, and how: each measure gets an empty folder."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench import bulk, intake, live, modal, scale

MEASURES: dict[str, Callable[[Path, float], Awaitable[dict[str, float]]]] = {
    "bulk": bulk.measure,
    "live": live.measure,
    "backfill": live.measure_backfill,
    "intake": intake.measure,
    "intake_backfill": intake.measure_backfill,
    "modal": modal.measure,
    "scale": scale.measure,
}


def measured(name: str, part: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
        return asyncio.run(MEASURES[name](Path(folder), part))
