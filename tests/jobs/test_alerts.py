"""What needs a person is told once for each change, to one address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.simulation import serve_app
from sync.jobs.connecting import connections
from sync.jobs.tending import alerts
from sync.store.tables import Connection
from tests.jobs.world import World


class Pager:
    """Takes documents, or refuses them."""

    def __init__(self) -> None:
        self.took: list[Any] = []
        self.status = 200
        self.app = Starlette(routes=[Route("/page", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        if self.status == 200:
            self.took.append(await request.json())
        return Response("ok", self.status)


@pytest.fixture
async def pager(world: World) -> AsyncIterator[Pager]:
    pager = Pager()
    async with serve_app(pager.app) as url:
        world.set_now(alert_url=f"{url}/page?token=1")
        yield pager


async def test_each_change_is_told_once(world: World, pager: Pager) -> None:
    await alerts.watch(world.engine)
    assert pager.took == [], "nothing waits"
    row = await world.the(Connection, name="other")
    await connections.note(world.engine, row, connections.NEEDS_REAUTH, "revoked")
    for _ in range(2):
        await alerts.watch(world.engine)
    (told,) = pager.took
    assert told["attention"] is True
    assert told["connections"] == [{"name": "other", "state": "needs_reauth", "reason": "revoked"}]
    await world.change(Connection, {"state": "ok", "reason": ""}, name="other")
    await alerts.watch(world.engine)
    assert [each["attention"] for each in pager.took] == [True, False]


async def test_an_address_that_does_not_take_it_is_told_later(world: World, pager: Pager) -> None:
    await world.change(Connection, {"state": "unreachable", "reason": "away"}, name="other")
    pager.status = 500
    await alerts.watch(world.engine)
    pager.status = 200
    await alerts.watch(world.engine)
    assert pager.took == [], "not asked every second"
    world.clock.advance(61)
    await alerts.watch(world.engine)
    assert [each["attention"] for each in pager.took] == [True]


async def test_an_address_that_may_not_be_reached_is_no_failure(world: World) -> None:
    await world.change(Connection, {"state": "unreachable", "reason": "away"}, name="other")
    for address in ("http://169.254.169.254/latest", "http://127.0.0.1:1/", "nonsense"):
        world.set_now(alert_url=address)
        await alerts.watch(world.engine)
        world.clock.advance(61)
