"""One remote write: nothing is sent that may not be, and how each ending is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import ConnectorError, OutcomeUnknown, Park, ReplanNeeded, RetryLater
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import Halted
from sync.jobs.passing.writing import Intent, intend, perform
from sync.reconcile.model import Side
from sync.store.tables import Connection, Mapping, Setting, Write
from tests.jobs.world import World, at_desk


async def attempt(world: World, forbid: Callable[[Desk], Awaitable[None]] | None, call: Any) -> Write:
    """Commit an intent to change the external object, then ``forbid``, then try."""
    link = await world.link()

    async def body(desk: Desk) -> Write:
        (row,) = await intend(
            desk, [Intent(link=link, side=Side.EXTERNAL, op="update", fields={"title": "x"})]
        )
        if forbid is not None:
            await forbid(desk)
        await perform(desk, row, call)
        return row

    return await at_desk(world, body)  # type: ignore[no-any-return]


async def nothing_sent() -> None:
    raise AssertionError("this was sent")


async def pause_everything(world: World, desk: Desk) -> None:
    async with world.engine.database.write() as session:
        await session.merge(Setting(key="paused", value=True))


async def pause_external(world: World, desk: Desk) -> None:
    await world.change(Connection, {"paused": True}, name="other")


async def kill_external(world: World, desk: Desk) -> None:
    await world.change(Connection, {"state": "needs_reauth"}, name="other")


async def drop_external(world: World, desk: Desk) -> None:
    await world.change(Connection, {"removed_at": world.engine.now()}, name="other")


async def overrun(world: World, desk: Desk) -> None:
    """Somebody else takes over after our lease ran out."""
    desk.lease.until = world.engine.now()
    await world.change(Mapping, {"lease_no": desk.lease.number + 1, "lease_owner": "somebody"})


def setting(**values: Any) -> Callable[[World, Desk], Awaitable[None]]:
    async def change(world: World, desk: Desk) -> None:
        await world.change(Mapping, values)

    return change


FORBIDDEN: dict[str, tuple[Callable[[World, Desk], Awaitable[None]], str]] = {
    "paused mapping": (setting(paused=True), "paused"),
    "paused direction": (setting(paused_directions=["from_asana"]), "direction is paused"),
    "changed mapping": (setting(version=7), "changed"),
    "stopped mapping": (setting(state="stopped"), "stopped"),
    "mapping of another worker": (setting(lease_no=77), "took over"),
    "removed connection": (drop_external, "removed"),
    "paused connection": (pause_external, "paused"),
    "dead credentials": (kill_external, "needs new credentials"),
    "everything paused": (pause_everything, "paused"),
    "lost lease": (overrun, "lease"),
}


@pytest.mark.parametrize("case", FORBIDDEN)
async def test_what_may_not_be_written_is_not_sent(world_with_link: World, case: str) -> None:
    world = world_with_link
    forbid, reason = FORBIDDEN[case]
    with pytest.raises(Halted, match=reason):
        await attempt(world, lambda desk: forbid(world, desk), nothing_sent)
    write = (await world.rows(Write))[-1]
    assert (write.state, reason in write.reason) == ("not_done", True)


async def test_a_removed_mapping_writes_nothing(world_with_link: World) -> None:
    world = world_with_link

    async def remove(desk: Desk) -> None:
        await world.change(Mapping, {"removed_at": world.engine.now()})

    with pytest.raises(Halted, match="removed"):
        await attempt(world, remove, nothing_sent)


async def test_the_other_direction_may_be_written_while_one_is_paused(world_with_link: World) -> None:
    world, called = world_with_link, asyncio.Event()

    async def call() -> None:
        called.set()

    async def pause(desk: Desk) -> None:
        await world.change(Mapping, {"paused_directions": ["to_asana"]})

    await attempt(world, pause, call)
    assert called.is_set()


async def test_a_lease_about_to_end_is_renewed_first(world_with_link: World) -> None:
    world, called = world_with_link, asyncio.Event()

    async def call() -> None:
        called.set()

    async def run_low(desk: Desk) -> None:
        desk.lease.until = world.engine.now() + timedelta(seconds=0.5)

    await attempt(world, run_low, call)
    assert called.is_set()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (OutcomeUnknown("no answer"), "unknown"),
        (Park("refused"), "refused"),
        (RetryLater("busy", status=503), "not_done"),
        (ReplanNeeded("changed"), "not_done"),
    ],
)
async def test_how_a_write_ends_is_kept(world_with_link: World, error: ConnectorError, state: str) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        await attempt(world_with_link, None, fail)
    write = (await world_with_link.rows(Write))[-1]
    assert (write.state, write.reason) == (state, error.reason)
    assert write.done_at is not None


async def test_a_process_that_is_stopped_leaves_the_intent(world_with_link: World) -> None:
    async def stopped() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await attempt(world_with_link, None, stopped)
    assert (await world_with_link.rows(Write))[-1].state == "intent"


@pytest.fixture
async def world_with_link(world: World) -> World:
    world.external.new(world.container, title="Linked")
    await world.look()
    return world
