"""Lone edits told by webhooks: how long until the other side has them, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from tests.bench.place import PLENTY, bench_town, calls, forget_calls, issues, linked, share
from tests.e2e.town import Town

SINGLES = 5
PER_S = 5.0
SETTLED_S = 3.0


async def measure(folder: Path, part: float = 1.0) -> dict[str, float]:
    edits = round(200 * part)
    async with bench_town(folder, webhooks=True, POLL_SECONDS="3600") as made:
        await _started(made, edits)
        tasks = await linked(made, edits)
        await subscribed(made)
        await made.until(lambda: _quiet(made), "quiet", 300)
        costs = [await _cost(made, issue, tasks[issue]) for issue in list(tasks)[:SINGLES]]
        took = await _edited(made, tasks, list(tasks), PER_S)
        return {
            "calls_per_change_single": mean(costs),
            "latency_p50_s": share(took, 50),
            "latency_p99_s": share(took, 99),
        }


async def measure_backfill(folder: Path, part: float = 1.0) -> dict[str, float]:
    """Edits of what is linked already, while the first sync of the rest of the mapping goes on."""
    old = round(5000 * part)
    async with bench_town(folder, webhooks=True, POLL_SECONDS="3600") as made:
        await _started(made, old)
        tasks = await linked(made, 100)
        await subscribed(made)
        took: list[float] = []
        while (await made.mapping("main"))["links"]["active"] < old * 0.95:
            took += await _edited(made, tasks, list(tasks)[len(took) : len(took) + 10], 1)
        return {"live_during_backfill_p95_s": share(took, 95)}


async def _started(made: Town, number: int) -> None:
    made.found("main", since="all", limits=PLENTY)
    issues(made, number)
    await made.up()


async def subscribed(made: Town) -> None:
    async def active() -> bool:
        states = [entry["state"] for entry in (await made.mapping("main"))["subscriptions"]]
        await asyncio.sleep(0.2)
        return len(states) == 2 and set(states) == {"active"}

    await made.until(active, "both subscriptions are active", 120)


async def _cost(made: Town, issue: str, task: str) -> int:
    """Requests to both providers until nothing more comes of one edit."""
    forget_calls(made)
    since = datetime.now(UTC)
    await _edited(made, {issue: task}, [issue], 1)
    await asyncio.sleep(SETTLED_S)
    return len(calls(made, since))


async def _edited(made: Town, tasks: dict[str, str], chosen: Sequence[str], per_s: float) -> list[float]:
    """Rename so many a second; seconds from each edit to the answer of its write."""
    edited: dict[str, datetime] = {}
    titles: dict[str, str] = {}
    loop = asyncio.get_running_loop()
    started, first = loop.time(), datetime.now(UTC)
    for at, issue in enumerate(chosen):
        await asyncio.sleep(max(0.0, started + at / per_s - loop.time()))
        titles[tasks[issue]] = f"Edited at {loop.time()}"
        edited[tasks[issue]] = datetime.now(UTC)
        made.github.edit(issue, title=titles[tasks[issue]])

    def there() -> bool:
        return all((made.asana.view(task) or {})["title"] == title for task, title in titles.items())

    await made.until(there, "every edit is in Asana", 120)
    await asyncio.sleep(0.1)
    confirmed = {
        each.path.rsplit("/", 1)[-1]: each.until
        for each in made.asana.journal
        if each.committed and each.method == "PUT" and each.at >= first
    }
    return [(confirmed[task] - at).total_seconds() for task, at in edited.items()]


async def _quiet(made: Town) -> bool:
    return bool((await made.status())["quiet"])
