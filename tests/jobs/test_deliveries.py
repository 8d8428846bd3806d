"""Webhook calls that come at once: one transaction, and still each on its own account."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest_asyncio

from connectors.signing import hmac_sha256_hex
from sync.jobs.kept import MOMENT
from sync.jobs.receiving.intake import Intake, Reply
from sync.store.tables import Connection, Delivery, Event, Mapping, Mark, Subscription
from tests.jobs.test_intake import SECRET, from_asana, from_memory, subscribed
from tests.jobs.world import World

Call = tuple[dict[str, str], bytes]


@pytest_asyncio.fixture
async def intake(world: World) -> AsyncIterator[Intake]:
    async with Intake(world.engine) as opened:
        yield opened


async def at_once(intake: Intake, key: str, calls: Sequence[Call], name: str = "other") -> list[Any]:
    """What each of these callers gets: a status, or an error."""
    taken = (intake.take_in(name, key, *call) for call in calls)
    told = await asyncio.gather(*taken, return_exceptions=True)
    return [each.status if isinstance(each, Reply) else each for each in told]


async def test_they_share_a_transaction_and_keep_their_order(world: World, intake: Intake) -> None:
    items = [(await world.paired(title=f"Item {number}"))[0] for number in range(3)]
    key = await subscribed(world, "external")
    names = [f"d{number}" for number in range(30)]
    for item in items:
        world.external.edit(item, title=f"Told of {item}")
    calls = [from_memory(world, items[at % 3], id=name) for at, name in enumerate(names)]
    world.woken.clear()
    assert await at_once(intake, key, calls) == [200] * 30
    stored = await world.rows(Delivery)
    assert [row.dedupe for row in stored] == names
    assert len({row.received_at for row in stored}) == 1
    assert world.woken == [(await world.the(Mapping)).id], "once for all of them"
    newest = {row.object_id: row.delivery_id for row in await world.rows(Mark)}
    assert newest == {items[at % 3]: stored[at].id for at in (27, 28, 29)}
    told = {row.delivery_id: row.link_id for row in await world.rows(Event, text="Memory says it changed")}
    assert set(told) == {row.id for row in stored}
    assert len(set(told.values())) == 3
    await world.work()
    assert sorted(task["title"] for task in map(world.hub.view, world.tasks())) == sorted(
        f"Told of {item}" for item in items
    )


async def test_a_repeat_among_them_is_one_delivery(world: World, intake: Intake) -> None:
    item, _ = await world.paired()
    key = await subscribed(world, "external")
    names = ["d1", "d2", "d1", "d3", "d1"]
    calls = [from_memory(world, item, id=name) for name in names]
    for repeats in ([2, 0, 0], [5, 1, 1]):
        assert await at_once(intake, key, calls) == [200] * 5
        stored = {row.dedupe: row.repeats for row in await world.rows(Delivery)}
        assert stored == dict(zip(("d1", "d2", "d3"), repeats, strict=True))


async def test_each_is_logged_with_how_often_it_had_come(
    world: World, intake: Intake, told: list[dict[str, Any]]
) -> None:
    key = await subscribed(world, "external")
    calls = [from_memory(world, "i1", id=name) for name in ("d1", "d2", "d1", "d1")]
    await at_once(intake, key, calls)
    lines = [entry for entry in told if entry["event"] == "delivery.stored"]
    assert sorted(entry["repeats"] for entry in lines) == [0, 0, 1, 2]


async def test_one_that_cannot_be_stored_hurts_nobody_else(github: World) -> None:
    issue, _ = await github.paired()
    key = await subscribed(github, "external")
    number = github.thing()["number"]
    body = json.dumps(
        {
            "action": "edited",
            "issue": {"node_id": issue, "number": number, "updated_at": "2100-01-01T00:00:00Z"},
            "repository": {"full_name": github.container},
        }
    ).encode()
    signature = f"sha256={hmac_sha256_hex(SECRET, body)}"
    names = ["d0", "d1", "no text: \ud800", "d3", "d4"]
    calls = [
        (
            {"X-GitHub-Event": "issues", "X-GitHub-Delivery": name, "X-Hub-Signature-256": signature},
            body,
        )
        for name in names
    ]
    async with Intake(github.engine) as intake:
        told = await at_once(intake, key, calls)
    assert [told[at] for at in (0, 1, 3, 4)] == [200] * 4
    assert isinstance(told[2], Exception)
    stored = await github.rows(Delivery)
    assert [row.dedupe for row in stored] == ["d0", "d1", "d3", "d4"]
    assert (await github.the(Mark)).object_id == issue


async def test_what_two_providers_send_at_once_is_stored_together(world: World, intake: Intake) -> None:
    item, task = await world.paired()
    keys = [await subscribed(world, side) for side in ("external", "hub")]
    resource = {"gid": task, "resource_type": "task"}
    event = {"action": "changed", "resource": resource, "parent": None}
    both = await asyncio.gather(
        intake.take_in("other", keys[0], *from_memory(world, item)),
        intake.take_in("our-asana", keys[1], *from_asana([event])),
    )
    assert [reply.status for reply in both] == [200, 200]
    assert {row.object_id for row in await world.rows(Mark)} == {item, task}
    told = {row.text for row in await world.rows(Event, event="in") if row.delivery_id is not None}
    assert told == {"Memory says it changed", "Asana says it changed"}
    assert len({row.received_at for row in await world.rows(Delivery)}) == 1


async def test_who_listens_is_known_no_longer_than_a_moment(world: World, intake: Intake) -> None:
    world.clock.stop()
    item, _ = await world.paired()
    key = await subscribed(world, "external")
    assert await at_once(intake, key, [from_memory(world, item, id="d1")]) == [200]
    await world.change(Mapping, {"removed_at": world.engine.now()})
    world.clock.advance(MOMENT.total_seconds())
    assert await at_once(intake, key, [from_memory(world, item, id="d2")]) == [200]
    assert [row.state for row in await world.rows(Delivery)] == ["processed", "ignored"]
    await world.change(Connection, {"removed_at": world.engine.now()})
    world.clock.advance(MOMENT.total_seconds())
    assert await at_once(intake, key, [from_memory(world, item, id="d3")]) == [401]


async def test_a_subscription_that_is_still_made_is_never_remembered(world: World, intake: Intake) -> None:
    world.clock.stop()
    key = await subscribed(world, "hub", state="creating", secret="")
    heartbeat = b'{"events": []}'
    offered: Call = ({"X-Hook-Secret": "s3cret"}, b"")
    signed: Call = ({"X-Hook-Signature": hmac_sha256_hex("s3cret", heartbeat)}, heartbeat)
    for call, status in ((signed, 401), (offered, 200), (offered, 401), (signed, 200)):
        assert await at_once(intake, key, [call], "our-asana") == [status]
    assert (await world.the(Subscription)).last_delivery_at == world.engine.now()


async def test_when_it_was_last_heard_of_is_true_to_a_moment(world: World, intake: Intake) -> None:
    world.clock.stop()
    key = await subscribed(world, "external")
    for at, seconds in enumerate((0.0, 0.5, 0.6, 30.0)):
        world.clock.advance(seconds)
        assert await at_once(intake, key, [from_memory(world, "i1", id=f"d{at}")]) == [200]
        heard_at = (await world.the(Subscription)).last_delivery_at
        assert heard_at is not None
        assert world.engine.now() - heard_at < MOMENT
