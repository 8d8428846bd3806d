"""Webhooks make it faster, and nothing more."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest
import pytest_asyncio

from connectors.simulation import Simulator
from tests.e2e.town import Town, town
from tests.stores import own_stores

pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hooked(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]) -> AsyncIterator[Town]:
    """A town that can be reached, and polls seldom."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}", "POLL_SECONDS": "8"}
    async with town(tmp_path_factory.mktemp("town"), **await own_stores(servers), **address) as made:
        made.found("main")
        await made.up()

        async def subscribed() -> bool:
            states = [entry["state"] for entry in (await made.mapping("main"))["subscriptions"]]
            return len(states) == 2 and set(states) == {"active"}

        await made.until(subscribed, "both subscriptions are active")
        yield made


def _named(simulator: Simulator, object_id: str, title: str) -> bool:
    return bool((simulator.view(object_id) or {})["title"] == title)


async def test_edits_arrive_before_the_next_poll(hooked: Town) -> None:
    place, github, asana = hooked.places["main"], hooked.github, hooked.asana
    issue = github.new(place.repo, title="Told by webhook")
    task = await hooked.twin(issue)
    started = datetime.now(UTC)
    for turn in range(3):
        github.edit(issue, title=f"GitHub {turn}")
        await hooked.until(partial(_named, asana, task, f"GitHub {turn}"), "the title arrives in Asana")
        asana.edit(task, title=f"Asana {turn}")
        await hooked.until(partial(_named, github, issue, f"Asana {turn}"), "the title arrives on GitHub")
    github.comment(issue, "by webhook", by="bob")
    await hooked.until(lambda: len((asana.view(task) or {})["comments"]) == 1, "the comment arrives")
    polls = [each for each in asana.journal.by("GET", "/events$") if each.at > started]
    assert len(polls) < 6, "polling is not what brought them"
    rows = await hooked.listing("deliveries")
    assert {row["connection"] for row in rows} == {"asana", "github"}
    assert all(row["state"] in ("processed", "ignored") for row in rows)


async def test_what_is_not_genuine_is_refused(hooked: Town) -> None:
    await hooked.quiet()
    await asyncio.gather(hooked.github.outbox.idle(), hooked.asana.outbox.idle())
    before = len(await hooked.listing("deliveries"))
    genuine = next(sent for sent in reversed(hooked.github.outbox.sent) if sent.status == 200)
    forged = {**genuine.headers, "X-Hub-Signature-256": "sha256=" + "0" * 64}
    async with httpx.AsyncClient(trust_env=False) as stranger:
        answers = [
            await stranger.post(genuine.target, content=genuine.body, headers=forged),
            await stranger.post(genuine.target, content=genuine.body + b" ", headers=dict(genuine.headers)),
            await stranger.post(
                f"{hooked.url}/webhooks/github/{'0' * 32}",
                content=genuine.body,
                headers=dict(genuine.headers),
            ),
            await stranger.post(
                genuine.target.replace("/github/", "/asana/"),
                content=b"{}",
                headers={"X-Hook-Secret": "mine"},
            ),
        ]
        assert {answer.status_code for answer in answers} == {401}
        again = await stranger.post(genuine.target, content=genuine.body, headers=dict(genuine.headers))
        assert again.status_code == 200
    assert len(await hooked.listing("deliveries")) == before
    asana_target = next(sent.target for sent in hooked.asana.outbox.sent)
    async with httpx.AsyncClient(trust_env=False) as stranger:
        late = await stranger.post(asana_target, content=b"{}", headers={"X-Hook-Secret": "mine"})
    assert late.status_code == 401


async def test_all_webhooks_lost(hooked: Town) -> None:
    place, github, asana = hooked.places["main"], hooked.github, hooked.asana
    for simulator in (github, asana):
        simulator.outbox.drop = True
    issue = github.new(place.repo, title="Told by nobody", labels=["quiet"])
    other = asana.new(place.project, title="Nor this")
    task, created = await hooked.twin(issue), await hooked.twin(other)
    asana.comment(task, "found by polling")
    await hooked.quiet()
    hooked.agree(issue, task)
    hooked.agree(created, other)
    for simulator in (github, asana):
        simulator.outbox.drop = False


async def test_webhooks_doubled_and_out_of_order(hooked: Town) -> None:
    place, github, asana = hooked.places["main"], hooked.github, hooked.asana
    for simulator in (github, asana):
        simulator.outbox.duplicate, simulator.outbox.reorder = 2, True
    issue = github.new(place.repo, title="In disorder")
    task = await hooked.twin(issue)
    for turn in range(4):
        github.edit(issue, title=f"Title {turn}", labels=[f"label {turn}"])
        github.comment(issue, f"remark {turn}")
        await asyncio.sleep(0.05)
    await asyncio.gather(github.outbox.idle(), asana.outbox.idle())
    await hooked.quiet()
    for simulator in (github, asana):
        simulator.outbox.duplicate, simulator.outbox.reorder = 0, False
    hooked.agree(issue, task)
    assert (asana.view(task) or {})["title"] == "Title 3"
    assert len((asana.view(task) or {})["comments"]) == 4
