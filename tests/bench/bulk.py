"""A thousand issues renamed at once by people, found by polling: writes a second, against a floor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.simulation import Fault
from tests.bench.place import PLENTY, bench_town, calls, forget_calls, issues, linked, program
from tests.e2e.town import Town

IN_FLIGHT = 15
SLOW_S = 0.1


async def measure(folder: Path, part: float = 1.0) -> dict[str, float]:
    number = round(1000 * part)
    async with bench_town(folder, webhooks=False, POLL_SECONDS="10") as made:
        made.found("main", since="all", limits=PLENTY)
        ids = issues(made, number)
        await made.up()
        tasks = await linked(made, number)
        await made.quiet(600)
        took_s, per_change = await _renamed(made, tasks, ids, "once")
        floor_s = await _floor(made, list(tasks.values()))
        for simulator in (made.asana, made.github):
            simulator.faults.add(Fault(kind="slow", seconds=SLOW_S, times=None))
        slow_s, _ = await _renamed(made, tasks, ids, "twice")
        return {
            "ratio_to_floor": floor_s / took_s,
            "ceiling_share": number / slow_s / (IN_FLIGHT / SLOW_S),
            "calls_per_change_bulk": per_change,
        }


async def _renamed(made: Town, tasks: dict[str, str], ids: list[str], word: str) -> tuple[float, float]:
    """Seconds from the first look that could find it to the last write; calls per change."""
    forget_calls(made)
    wanted = {tasks[issue]: f"Renamed {word} {at}" for at, issue in enumerate(ids)}
    for issue in ids:
        made.github.edit(issue, title=wanted[tasks[issue]])
    since = datetime.now(UTC)

    def there() -> bool:
        return all((made.asana.view(task) or {})["title"] == title for task, title in wanted.items())

    await made.until(lambda: len(made.asana.journal.writes()) >= len(ids) and there(), "all renamed", 1200)
    first = min(each.at for each in made.github.journal if each.at >= since)
    made_calls = calls(made, first)
    last = max(each.until for each in made_calls if each.committed and each.until is not None)
    return (last - first).total_seconds(), sum(each.at <= last for each in made_calls) / len(ids)


async def _floor(made: Town, gids: list[str]) -> float:
    connection = made.connections[0]
    base, token = connection["settings"]["base_url"], connection["credentials"]["token"]
    plan: dict[str, Any] = {
        "in_flight": IN_FLIGHT,
        "headers": {"Authorization": f"Bearer {token}"},
        "calls": [
            ["PUT", f"{base}/tasks/{gid}", {"data": {"name": f"By the floor {at}"}}]
            for at, gid in enumerate(gids)
        ],
    }
    seconds = await program("floor", plan)
    await made.quiet(600)
    return float(seconds)
