"""The web side: webhook intake, health, the JSON API and a read-only status page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.templating import Jinja2Templates
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.ext.asyncio import AsyncSession

from sync import __version__
from sync.jobs.engine import Engine
from sync.jobs.intake import take_in
from sync.store import listings
from sync.store.errors import StoreError
from sync.store.status import status
from sync.web.limits import TooLarge, TooSlow, body_of

_TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")
_SECURITY = {
    "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int | None, Query(ge=0)]


def make_app(
    open_engine: Callable[[], AsyncIterator[Engine]], *, url: str, pid: int, started: datetime
) -> FastAPI:
    """The ASGI app.

    Args:
        open_engine: opens what the app works with, for its lifetime.
        url, pid, started: the instance that ``status`` tells of.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asynccontextmanager(open_engine)() as engine:
            app.state.engine = engine
            yield

    app = FastAPI(title="asana-sync", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)

    def engine_of(request: Request) -> Engine:
        engine: Engine = request.app.state.engine
        return engine

    @app.middleware("http")
    async def harden(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        response.headers.update(_SECURITY)
        return response

    @app.exception_handler(StoreError)
    async def store_away(request: Request, error: StoreError) -> Response:
        return JSONResponse({"error": str(error)}, status_code=503)

    @app.post("/webhooks/{connection}/{key}")
    async def intake(request: Request, connection: str, key: str) -> Response:
        try:
            body = await body_of(request)
        except TooLarge:
            return PlainTextResponse("too large", 413)
        except TooSlow:
            return PlainTextResponse("incomplete", 400)
        reply = await take_in(engine_of(request), connection, key, dict(request.headers), body)
        return PlainTextResponse(reply.text, reply.status, headers=dict(reply.headers))

    @app.get("/livez")
    async def livez() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    async def readyz(request: Request) -> Response:
        async with engine_of(request).database.write():
            return PlainTextResponse("ok")

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def now_standing(engine: Engine) -> dict[str, Any]:
        async with engine.database.read() as session:
            return await status(
                session,
                version=__version__,
                now=engine.now(),
                instance={"id": str(pid), "url": url},
                since=started,
            )

    @app.get("/api/v1/status")
    async def read_status(request: Request) -> dict[str, Any]:
        return await now_standing(engine_of(request))

    def listing(name: str, page: Callable[..., Awaitable[dict[str, Any]]]) -> None:
        @app.get(f"/api/v1/{name}", name=name)
        async def read(
            request: Request,
            limit: Limit = listings.DEFAULT_LIMIT,
            after: After = None,
            mapping: str | None = None,
        ) -> dict[str, Any]:
            session: AsyncSession
            async with engine_of(request).database.read() as session:
                return await page(session, limit=limit, after=after, mapping=mapping)

    listing("links", listings.links_page)
    listing("conflicts", listings.conflicts_page)
    listing("parked", listings.parked_page)
    listing("deliveries", listings.deliveries_page)

    @app.get("/", response_class=HTMLResponse)
    async def page(request: Request) -> Response:
        engine = engine_of(request)
        async with engine.database.read() as session:
            shown = {
                "conflicts": (await listings.conflicts_page(session, limit=20))["items"],
                "parked": (await listings.parked_page(session, limit=20))["items"],
                "links": (await listings.links_page(session, limit=50))["items"],
            }
        context = {"status": await now_standing(engine), **shown}
        return _TEMPLATES.TemplateResponse(request, "status.html", context)

    return app
