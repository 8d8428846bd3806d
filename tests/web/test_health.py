"""What keeps answering while something else is down."""

from __future__ import annotations

from fastapi.routing import APIRoute

from sync.jobs.queue import connect, waker
from sync.web.app import routes
from tests import stores
from tests.web.conftest import Serve, found
from tests.web.test_intake import body_of, marks


def test_livez_depends_on_nothing() -> None:
    (livez,) = (route for route in routes.routes if isinstance(route, APIRoute) and route.path == "/livez")
    assert livez.dependant.dependencies == []


async def test_a_queue_that_is_gone_holds_up_neither_readiness_nor_intake(serve: Serve) -> None:
    with stores.valkey_server() as url:
        redis = await connect(url)
    async with serve(wake=waker(redis)) as web:
        await found(web)
        assert (await web.http.get("/readyz")).status_code == 200
        assert (await web.github("issues", body_of())).status_code == 200
        assert len(await marks(web)) == 1
    await redis.aclose()
