"""What every measurement starts from: a town at production's settings, helper programs, the calls in it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.simulation import Exchange
from sync.settings import Settings
from tests.e2e.town import FAST, Town, town

PATIENCE_S = 1200.0
PLENTY = {"creates_per_hour": 10_000_000, "deletes_percent": 100}


@asynccontextmanager
async def bench_town(folder: Path, *, webhooks: bool, **environment: str) -> AsyncIterator[Town]:
    """A town whose product runs with its defaults, but for what is given here."""
    defaults = {name: str(Settings.model_fields[name.lower()].default) for name in FAST}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address = {"PORT": port, "PUBLIC_URL": f"http://127.0.0.1:{port}" if webhooks else ""}
    loopback = {"ALLOW_PRIVATE_HOSTS": "127.0.0.1", "LOG_LEVEL": "WARNING"}
    async with town(folder, **{**defaults, **loopback, **address, **environment}) as made:
        yield made


def issues(made: Town, number: int) -> list[str]:
    """New issues in the only repository; the sender of webhooks is not asked to hurry."""
    place = made.places["main"]
    return [made.github.new(place.repo, title=f"Issue {at}", notes="Text", by="ada") for at in range(number)]


async def linked(made: Town, number: int) -> dict[str, str]:
    """Wait until so many issues have their task: {issue id: task gid}."""
    found: dict[str, str] = {}

    async def enough() -> bool:
        active = (await made.mapping("main"))["links"]["active"]
        await asyncio.sleep(0.5)
        return bool(active >= number)

    await made.until(enough, f"{number} links", PATIENCE_S)
    after: int | None = None
    while True:
        query = {"limit": 1000} | ({"after": after} if after else {})
        page = (await made.http.get(f"{made.url}/api/v1/links", params=query)).json()
        found |= {
            row["external"]["id"]: row["asana"]["gid"] for row in page["items"] if row["kind"] == "task"
        }
        after = page["next"]
        if after is None:
            return found


def calls(made: Town, since: datetime) -> list[Exchange]:
    """Every request to either provider since then, in order."""
    both = [each for each in (*made.asana.journal, *made.github.journal) if each.at >= since]
    return sorted(both, key=lambda each: each.at)


def forget_calls(made: Town) -> None:
    for simulator in (made.asana, made.github):
        simulator.journal.clear()
        simulator.outbox.sent.clear()


async def program(module: str, plan: Any, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a helper as a process of its own; what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.bench.{module}", *arguments, stdin=PIPE, stdout=PIPE, env=env
    )
    out, _ = await process.communicate(json.dumps(plan).encode())
    assert process.returncode == 0, f"{module} ended with {process.returncode}"
    return json.loads(out)


def share(values: Sequence[float], percent: int) -> float:
    """The value below which so many per cent lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
