"""A token that dies in the middle of the work."""

from __future__ import annotations

import pytest

from connectors.github.simulator import GitHubSimulator
from sync.jobs.tending import upkeep
from sync.store.tables import Connection, Write
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World

WRITES_AT_ONCE = 15
"""So many the connector lets be in flight; each of them meets the dead token."""


def revoke(world: World) -> None:
    world.external.revoked = True  # type: ignore[attr-defined]


@pytest.mark.chaos
@pytest.mark.parametrize("at", ["read", "write"])
async def test_few_calls_are_made_with_a_dead_token(build: Build, at: str) -> None:
    world = await build(GitHubSimulator)
    items = [world.external.new(world.container, title=f"Number {number}") for number in range(16)]
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
    under_way = 0 if at == "read" else WRITES_AT_ONCE  # nobody can take back what is sent already
    assert len(dead) <= under_way + 5
    assert (await world.the(Connection, name="other")).state == "needs_reauth"
    assert not await world.rows(Write, op="delete")
    world.external.revoked = False  # type: ignore[attr-defined]
    await world.change(Connection, {"state": "ok", "reason": ""}, name="other")
    await world.settle()
    views = [world.external.view(item) for item in items]
    assert {view["title"] for view in views if view} == {"Renamed in the hub"}
