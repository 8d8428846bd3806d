"""From the shortcut to the modal, and until it can be filled in, while Asana takes two seconds a call."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from connectors.simulation import Fault, serve
from connectors.slack.simulator import SlackSimulator
from tests.bench.place import bench_town, share

_PERSON = "ada"
_TIMES = 20
"""Each one takes four seconds and more, for that is what Asana takes here."""


async def measure(folder: Path, part: float = 1.0) -> dict[str, float]:
    slack, opened, filled = SlackSimulator(), list[float](), list[float]()
    async with serve(slack) as url, bench_town(folder, webhooks=False) as made:
        channel, project = slack.new_container("website"), made.asana.new_container("website")
        made.connections.append({"name": "slack", "connector": "slack", **slack.connection(url)})
        hub = {"connection": "asana", "project": project}
        made.mappings.append({"name": "chat", "connection": "slack", "container": channel, "asana": hub})
        await made.up()

        async def is_active() -> bool:
            return bool((await made.mapping("chat"))["state"] == "active")

        await made.until(is_active, "the mapping is active", 60)
        slack.sender.urls.interactivity = f"{made.url}/interactions/slack"
        made.asana.faults.add(Fault(kind="slow", seconds=2.0, times=None))
        for number in range(max(5, round(_TIMES * part))):
            message = slack.new(channel, title=f"Message {number}", by="bob")
            started = time.perf_counter()
            asked = asyncio.create_task(slack.shortcut(_PERSON, message, "create_task"))
            opened.append(await _until(slack, started, filled=False))
            filled.append(await _until(slack, started, filled=True))
            assert (await asked).status == 200
            slack.views.open.clear()
    return {"modal_p99_s": share(opened, 99), "modal_filled_p99_s": share(filled, 99)}


async def _until(slack: SlackSimulator, started: float, *, filled: bool) -> float:
    """Seconds until the person sees a modal, or one with a form."""
    user = slack.people[_PERSON].id
    async with asyncio.timeout(30):
        while not any(  # noqa: ASYNC110  (a view tells nobody that it is opened)
            "submit" in view or not filled for view in slack.views.of(user)
        ):
            await asyncio.sleep(0.001)
    return time.perf_counter() - started
