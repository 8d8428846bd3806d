"""Up to a hundred thousand links: what a poll of nothing new, the same few edits and a full pass take.

``full_pass_100k_floor_s`` is what the simulators and the wire need for the same pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.asana.translate import TASK_FIELDS
from tests.bench.crowd import Crowd
from tests.bench.place import bench_town, program
from tests.e2e.town import Place, Town

EDITS = 100
SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
_SAMPLES = 2


async def measure(folder: Path, part: float = 1.0) -> dict[str, float]:
    found: dict[str, float] = {}
    async with bench_town(folder, webhooks=False) as made:
        place = made.found("main")
        for simulator in (made.asana, made.github):
            simulator.journal.keep = 1000
        crowd = Crowd(made, place)
        await made.done("apply", str(made.file))
        for name, size in SIZES.items():
            await program("scaled", crowd.grow(round(size * part)), "fill", env=made.environment)
            edited = crowd.issues[_SAMPLES : _SAMPLES + EDITS]
            for issue in edited:
                made.github.edit(issue, title=f"Renamed among {name}", by="ada")
            renamed = _writes(made) + len(edited)
            found[f"edits_100_at_{name}_s"] = await program("scaled", None, "look", env=made.environment)
            assert _writes(made) == renamed, "not each edit was carried over once"
        before = _writes(made)
        found["delta_pass_100k_s"] = await program("scaled", None, "look", env=made.environment)
        found["delta_pass_100k_writes"] = _writes(made) - before
        found |= await program("scaled", None, "compare", env=made.environment)
        found["full_pass_100k_floor_s"] = await program("scan", _listings(made, place))
        return found


def _writes(made: Town) -> int:
    return len(made.asana.journal.writes()) + len(made.github.journal.writes())


def _listings(made: Town, place: Place) -> list[dict[str, Any]]:
    asana, github = ({**each["settings"], **each["credentials"]} for each in made.connections)
    task_fields = ",".join(TASK_FIELDS)
    return [
        {
            "url": f"{asana['base_url']}/tasks?project={place.project}&limit=100&opt_fields={task_fields}",
            "headers": {"Authorization": f"Bearer {asana['token']}"},
        },
        {
            "url": f"{github['base_url']}/repos/{place.repo}/issues"
            "?state=all&sort=updated&direction=asc&per_page=100",
            "headers": {"Authorization": f"Bearer {github['token']}", "User-Agent": "floor"},
        },
    ]
