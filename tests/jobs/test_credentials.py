"""A token that dies in the middle of the work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.http import Outbound
from connectors.simulation import Fault
from connectors.trust import Trust
from sync.jobs.connecting import connections, states
from sync.jobs.connecting.sessions import Sessions
from sync.jobs.tending import upkeep
from sync.reconcile.model import Side
from sync.store.tables import Connection, Mapping, Write
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World


def quick(*args: Any, **more: Any) -> Outbound:
    """To a provider that answers at once, however busy this machine is."""
    return Outbound(*args, **more, trust=Trust(clock=lambda: 0.0))


def revoke(world: World) -> None:
    world.external.revoked = True  # type: ignore[attr-defined]


async def test_what_the_credentials_before_met_says_nothing_of_the_new_ones(build: Build) -> None:
    """An answer to the old token comes when an admin has brought another one."""
    world = await build(GitHubSimulator)
    before = await world.the(Connection, name="other")
    credentials = world.engine.vault.seal({"token": next(iter(world.external.tokens))})  # type: ignore[attr-defined]
    await world.change(Connection, {"credentials": credentials}, name="other")
    await connections.note(world.engine, before, states.NEEDS_REAUTH, "revoked")
    assert (await world.the(Connection, name="other")).state == "ok"
    now = await world.the(Connection, name="other")
    await connections.note(world.engine, now, states.NEEDS_REAUTH, "revoked")
    assert (await world.the(Connection, name="other")).state == "needs_reauth"


async def test_a_dead_connection_is_left_alone(build: Build) -> None:
    """However much there is to do, and to compare: nobody asks there, or lists the other side for nothing."""
    world = await build(GitHubSimulator)
    _, task = await world.paired()
    revoke(world)
    world.clock.stop()
    for hours in range(4):
        world.hub.edit(task, title=f"Renamed {hours} times", by="ada")
        await world.change(Mapping, {"full_pass_due": True})
        await world.look()
        await world.compare()
        await upkeep.round_of(world.engine)
        world.clock.advance(3600)
    assert 1 <= len([each for each in world.external.journal if each.status == 401]) <= 5
    assert len(world.hub.journal.by("GET", "/tasks$")) <= 12
    await world.change(Connection, {"state": "ok", "reason": ""}, name="other")
    world.external.revoked = False  # type: ignore[attr-defined]
    world.clock.run()
    await world.settle()
    assert world.thing()["title"] == "Renamed 3 times"


async def test_an_outage_of_one_side_does_not_hide_that_the_other_ones_credentials_are_dead(
    build: Build,
) -> None:
    world = await build(GitHubSimulator)
    _, task = await world.paired()
    revoke(world)
    world.hub.faults.add(Fault(kind="503", times=None))
    world.clock.stop()
    await world.mark(Side.HUB, task)
    for _ in range(5):
        await world.work()
        world.clock.advance(10)
    met = [each for each in world.external.journal if each.status == 401]
    assert 1 <= len(met) <= 2
    assert {row.state for row in await world.rows(Connection)} == {"needs_reauth", "unreachable"}


@pytest.mark.parametrize("at", ["read", "write"])
async def test_few_calls_are_made_with_a_dead_token(build: Build, at: str) -> None:
    world = await build(GitHubSimulator)
    engine = world.engine
    sessions = Sessions(engine.settings, engine.database, engine.vault, None, way_out=quick)
    await engine.sessions.aclose()
    world.engine = replace(engine, sessions=sessions)
    items = [world.external.new(world.container, title=f"Number {number}") for number in range(9)]
    await world.settle()
    for task in world.tasks():
        world.hub.edit(task, title="Renamed in the hub", by="ada")
    if at == "read":
        revoke(world)
    else:
        world.external.faults = Meanwhile("PATCH", "/issues/", lambda: revoke(world))
    await world.look()
    for _ in range(3):
        await world.look()
        await upkeep.check_connections(world.engine)
    dead = [each for each in world.external.journal if each.status == 401]
    assert 1 <= len(dead) <= 5
    assert (await world.the(Connection, name="other")).state == "needs_reauth"
    assert not await world.rows(Write, op="delete")
    world.external.revoked = False  # type: ignore[attr-defined]
    await world.change(Connection, {"state": "ok", "reason": ""}, name="other")
    await world.settle()
    views = [world.external.view(item) for item in items]
    assert {view["title"] for view in views if view} == {"Renamed in the hub"}
    await sessions.aclose()
