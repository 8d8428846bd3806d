"""Signed webhook calls: how many a second are stored, and how long one waits.

At 500 a second of GitHub with nothing else to do, and at 100 a second of Slack while a first sync goes on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.signing import hmac_sha256_hex
from connectors.simulation import serve
from connectors.slack.simulator import SlackSimulator
from tests.bench.live import subscribed
from tests.bench.place import PLENTY, bench_town, issues, linked, program

SECRET = "shared with the sender"
CONNECTIONS = 16
PER_S = 100
"""Events of Slack."""


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
            "calls": [_of_github(body) for body in bodies],
            "fresh": "X-GitHub-Delivery",
            "seconds": seconds,
            "connections": CONNECTIONS,
        }
        fastest = await program("hammer", {**plan, "per_s": None})
        steady = await program("hammer", {**plan, "per_s": 500, "connections": 4 * CONNECTIONS})
        for told in (fastest, steady):
            assert set(told["statuses"]) == {"200"}, json.dumps(told)
        return {"intake_per_s": fastest["sent"] / fastest["seconds"], "intake_p99_s": steady["p99_s"]}


async def measure_backfill(folder: Path, part: float = 1.0) -> dict[str, float]:
    """What people say in Slack, while every issue of a repository gets its task."""
    old, seconds = 500 + round(4500 * part), max(2.0, 10 * part)
    slack, told = SlackSimulator(), list[dict[str, Any]]()
    async with serve(slack) as url, bench_town(folder, webhooks=True, POLL_SECONDS="3600") as made:
        channel, project = slack.new_container("website"), made.asana.new_container("talk")
        slack.workspace.tell = told.append
        made.found("main", since="all", limits=PLENTY)
        made.connections.append({"name": "slack", "connector": "slack", **slack.connection(url)})
        hub = {"connection": "asana", "project": project}
        made.mappings.append({"name": "chat", "connection": "slack", "container": channel, "asana": hub})
        issues(made, old)
        await made.up()
        await linked(made, 1)
        for number in range(round(PER_S * seconds)):
            slack.new(channel, title=f"Said {number}", by="bob")
        steady = await program(
            "hammer",
            {
                "url": f"{made.url}/webhooks/slack/app",
                "calls": [_of_slack(slack, event) for event in told],
                "fresh": None,
                "seconds": seconds,
                "connections": CONNECTIONS,
                "per_s": PER_S,
            },
        )
        assert set(steady["statuses"]) == {"200"}, json.dumps(steady)
        assert (await made.mapping("main"))["links"]["active"] < old, "the first sync was over before"
        return {"intake_during_backfill_p99_s": steady["p99_s"]}


def _of_github(body: str) -> dict[str, Any]:
    signature = f"sha256={hmac_sha256_hex(SECRET, body.encode())}"
    kind = {"Content-Type": "application/json", "X-GitHub-Event": "issues"}
    return {"body": body, "headers": {**kind, "X-Hub-Signature-256": signature}}


def _of_slack(slack: SlackSimulator, event: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(slack.sender.envelope(event))
    kind = {"Content-Type": "application/json"}
    return {"body": body, "headers": {**kind, **slack.sender.signed(body.encode())}}
