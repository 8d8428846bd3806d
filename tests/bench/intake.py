"""Signed webhook calls: how many a second are stored, and how long one waits at 500 a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bench.live import subscribed
from tests.bench.place import PLENTY, bench_town, issues, linked, program

SECRET = "shared with the sender"
CONNECTIONS = 16


async def measure(folder: Path, part: float = 1.0) -> dict[str, float]:
    number, seconds = round(200 * part), max(2.0, 10 * part)
    async with bench_town(folder, webhooks=True, POLL_SECONDS="3600") as made:
        made.connections[1]["credentials"]["webhook_secret"] = SECRET
        made.found("main", since="all", limits=PLENTY)
        ids = issues(made, number)
        await made.up()
        await linked(made, number)
        await subscribed(made)
        made.github.outbox.sent.clear()
        for issue in ids:
            made.github.edit(issue, title=f"For its payload {issue}")
        target = next(
            entry["target"]
            for entry in (await made.mapping("main"))["subscriptions"]
            if entry["side"] == "external"
        )
        await made.until(lambda: len(made.github.outbox.sent) >= number, "every payload is sent", 120)
        bodies = [sent.body.decode() for sent in made.github.outbox.sent if sent.target == target]
        plan: dict[str, Any] = {
            "url": target,
            "secret": SECRET,
            "bodies": bodies,
            "seconds": seconds,
            "connections": CONNECTIONS,
        }
        fastest = await program("hammer", {**plan, "per_s": None})
        steady = await program("hammer", {**plan, "per_s": 500, "connections": 4 * CONNECTIONS})
        for told in (fastest, steady):
            assert set(told["statuses"]) == {"200"}, json.dumps(told)
        return {"intake_per_s": fastest["sent"] / fastest["seconds"], "intake_p99_s": steady["p99_s"]}
