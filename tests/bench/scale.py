"""A hundred thousand links of which none changed: what a poll and a complete comparison take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.place import bench_town, program

DAY_S = 86400


async def measure(folder: Path, part: float = 1.0) -> dict[str, float]:
    number = round(100_000 * part)
    async with bench_town(folder, webhooks=False) as made:
        place = made.found("main")
        for simulator in (made.asana, made.github):
            simulator.journal.keep = 1000
            simulator.clock.advance(-DAY_S)
        for at in range(number):
            made.github.new(place.repo, title=f"Object {at}", notes="Text", by="ada")
            made.asana.new(place.project, title=f"Object {at}", notes="Text", by="ada")
        for simulator in (made.asana, made.github):
            simulator.clock.advance(DAY_S)
        await made.done("apply", str(made.file))
        await program("scaled", None, "fill", env=made.environment)
        before = _writes(made)
        found: dict[str, Any] = await program("scaled", None, "measure", env=made.environment)
        return {
            "delta_pass_100k_s": found["delta_s"],
            "delta_pass_100k_writes": _writes(made) - before,
            "full_pass_100k_s": found["full_s"],
            "rss_mb_100k": found["rss_mb"],
        }


def _writes(made: Any) -> int:
    return len(made.asana.journal.writes()) + len(made.github.journal.writes())
