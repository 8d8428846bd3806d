"""Each agreed event is logged when it happens, and says whom it is about."""

from __future__ import annotations

from structlog.typing import EventDict

from connectors.simulation import Fault
from sync.jobs.passing.lease import leased
from sync.store.tables import Conflict, Delivery, Mapping, Write
from tests.jobs.test_intake import deliver, from_memory, subscribed
from tests.jobs.world import World

Told = list[EventDict]


def about(told: Told, event: str) -> list[EventDict]:
    return [line for line in told if line["event"] == event]


async def test_from_a_delivery_to_its_write(world: World, told: Told) -> None:
    item, _ = await world.paired()
    key = await subscribed(world, "external")
    world.external.edit(item, title="Told")
    told.clear()
    assert await deliver(world, "external", key, from_memory(world, item)) == 200
    await world.work()
    (stored,) = about(told, "delivery.stored")
    assert (stored["connection"], stored["delivery_id"]) == ("other", (await world.the(Delivery)).id)
    (started,), (done,) = about(told, "write.start"), about(told, "write.done")
    write, link = (await world.rows(Write))[-1], await world.link()
    assert started["write_id"] == done["write_id"] == write.id
    assert (done["mapping"], done["link"], done["ref"]) == ("web", link.id, link.hub_ref)
    assert (done["connection"], done["outcome"]) == ("our-asana", "done")
    assert done["duration_ms"] >= 0
    (passed,) = about(told, "pass.done")
    assert (passed["mapping"], passed["links"]) == ("web", 1)
    assert passed["duration_ms"] >= done["duration_ms"]


async def test_a_poll_and_what_it_led_to(world: World, told: Told) -> None:
    world.external.new(world.container, title="New")
    told.clear()
    await world.look()
    polls = {line["connection"]: line["changes"] for line in about(told, "poll.done")}
    assert polls == {"our-asana": 0, "other": 1}
    (made,) = about(told, "link.made")
    link = await world.link()
    assert (made["mapping"], made["link"], made["ref"]) == ("web", link.id, link.hub_ref)


async def test_a_conflict(world: World, told: Told) -> None:
    item, task = await world.paired()
    world.external.edit(item, title="This")
    world.hub.edit(task, title="That")
    await world.look()
    (kept,) = about(told, "conflict.kept")
    assert (kept["mapping"], kept["link"], kept["field"]) == ("web", (await world.link()).id, "title")
    assert kept["reason"] == (await world.the(Conflict)).reason


async def test_a_lost_answer(world: World, told: Told) -> None:
    item, _ = await world.paired()
    world.external.edit(item, title="Sent")
    world.hub.faults.add(Fault(kind="reset_after", method="PUT", path="/tasks/"))
    told.clear()
    await world.look()
    (unknown,) = about(told, "write.unknown")
    assert (unknown["mapping"], unknown["write_id"]) == ("web", (await world.rows(Write))[-1].id)
    assert unknown["reason"]


async def test_what_is_parked(world: World, told: Told) -> None:
    item, _ = await world.paired()
    world.external.edit(item, title="Refused")
    world.hub.faults.add(Fault(kind="400", method="PUT", path="/tasks/"))
    await world.look()
    (parked,) = about(told, "link.parked")
    assert (parked["mapping"], parked["link"], parked["field"]) == ("web", (await world.link()).id, "title")
    assert parked["reason"]


async def test_dead_credentials(world: World, told: Told) -> None:
    world.external.token = "revoked"  # type: ignore[attr-defined]
    await world.look()
    (paused,) = about(told, "mapping.paused")
    assert paused["connection"] == "other"
    assert paused["reason"].startswith("needs_reauth")


async def test_a_lease_that_somebody_took(world: World, told: Told) -> None:
    mapping = await world.the(Mapping)
    async with leased(world.engine, mapping.id) as lease:
        assert lease is not None
        await world.change(Mapping, {"lease_no": lease.number + 1, "lease_owner": "somebody"})
        await lease.renew()
    assert lease.lost
    (lost,) = about(told, "lease.lost")
    assert (lost["mapping"], lost["reason"]) == ("web", "another worker took over")
