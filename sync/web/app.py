"""The web side: webhook intake, health, the JSON API and a read-only status page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.templating import Jinja2Templates
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.routing import Route
from starlette.types import ASGIApp

from sync import __version__, tracing
from sync.instance.folder import Instance
from sync.instance.standing import standing
from sync.jobs.capture.interactions import Interactions
from sync.jobs.engine import Engine
from sync.jobs.receiving.intake import Intake
from sync.metrics import INTAKE, WEBHOOKS_REJECTED
from sync.store import listings
from sync.store.errors import StoreError
from sync.store.figures import figures
from sync.store.migrate import is_current
from sync.store.publishing import published
from sync.web.hardening import Hardened
from sync.web.limits import BODY_SECONDS, MAX_BODY, Incomplete, TooLarge, body_of
from sync.web.metrics import exposition

_TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")

_INTAKE = "/webhooks/{connection}/{key}"
_INTERACTIONS = "/interactions/{connection}"
_KEY = re.compile(r"[0-9a-f]{32}|app")
_LARGEST_ID = 2**63 - 1

Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int | None, Query(ge=0, le=_LARGEST_ID)]


def make_app(
    open_engine: Callable[[], AsyncIterator[Engine]],
    *,
    here: Instance,
    max_body: int = MAX_BODY,
    body_seconds: float = BODY_SECONDS,
) -> ASGIApp:
    """The ASGI app.

    Args:
        open_engine: opens what the app works with, for its lifetime.
        here: what ``status`` tells of where no ``up`` runs in the data folder.
        max_body, body_seconds: the largest webhook call in bytes, and how long it may take to come in.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            asynccontextmanager(open_engine)() as engine,
            Intake(engine) as intake,
            Interactions(engine) as interactions,
        ):
            app.state.engine, app.state.intake, app.state.interactions = engine, intake, interactions
            yield

    app = _app(lifespan)
    app.state.here, app.state.max_body, app.state.body_seconds = here, max_body, body_seconds
    return Hardened(app)


def describe() -> dict[str, Any]:
    """The OpenAPI document."""
    return _app(None).openapi()


def _app(lifespan: Any) -> FastAPI:
    app = FastAPI(title="asana-sync", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.router.routes.append(Route(_INTAKE, _intake, methods=["POST"]))
    app.include_router(routes)
    app.add_exception_handler(StoreError, _store_is_away)
    return app


async def _store_is_away(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=503)


routes = APIRouter()


async def _engine(request: Request) -> Engine:  # async: others are called in a thread
    engine: Engine = request.app.state.engine
    return engine


Opened = Annotated[Engine, Depends(_engine)]


@routes.post(_INTAKE, response_class=PlainTextResponse)
async def intake(request: Request, connection: str, key: str) -> Response:
    """One webhook call. 200 stored, repeated or ignored; 401 not genuine; 400 unreadable; 413 too large."""
    with INTAKE.time():
        body = await _body(request, connection, key)
        if isinstance(body, Response):
            return body
        opened: Intake = request.app.state.intake
        with tracing.span("delivery", {"connection": connection}):
            reply = await opened.take_in(connection, key, dict(request.headers), body)
        return PlainTextResponse(reply.text, reply.status, headers=dict(reply.headers))


async def _intake(request: Request) -> Response:
    """The same, asked first: FastAPI's own way to it costs more than all that it does."""
    return await intake(request, **request.path_params)


@routes.post(_INTERACTIONS, response_class=PlainTextResponse)
async def interaction(request: Request, connection: str) -> Response:
    """What a person asks for inside a tool. 401 not genuine; 400 unreadable; 503 nothing was done."""
    body = await _body(request, connection)
    if isinstance(body, Response):
        return body
    opened: Interactions = request.app.state.interactions
    with tracing.span("interaction", {"connection": connection}):
        answer = await opened.answer(connection, dict(request.headers), body)
    return Response(answer.body, answer.status, headers=dict(answer.headers))


@routes.get(_INTERACTIONS, response_class=PlainTextResponse, include_in_schema=False)
async def landing(connection: str) -> str:
    """Where the browser ends of whoever authorised an app: its address is the answer."""
    return "Paste the address of this page where asana-sync authorize waits for it, and close the page."


async def _body(request: Request, connection: str, key: str = "app") -> bytes | Response:
    """The raw body of a call to a well-formed address; else why there is none."""
    if not _KEY.fullmatch(key) or not connection.isprintable():
        return _rejected("unknown", 401)
    state = request.app.state
    try:
        return await body_of(request, limit=state.max_body, seconds=state.body_seconds)
    except TooLarge:
        return _rejected("too large", 413)
    except Incomplete:
        return _rejected("incomplete", 400)


def _rejected(reason: str, status: int) -> Response:
    """Before it is known whose call it is."""
    WEBHOOKS_REJECTED.labels("unknown", reason).inc()
    return PlainTextResponse(reason, status)


@routes.get("/livez", response_class=PlainTextResponse)
async def livez() -> str:
    """Whether this process answers."""
    return "ok"


@routes.get("/readyz", response_class=PlainTextResponse)
async def readyz(engine: Opened) -> Response:
    """Whether webhook calls can be stored. Redis may be down: it only wakes."""
    async with engine.database.write() as session:
        current = await is_current(session)
    return PlainTextResponse("ok") if current else PlainTextResponse("the tables are not up to date", 503)


@routes.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request, engine: Opened) -> Response:
    """How everything stands, for Prometheus."""
    now = engine.now()
    async with engine.database.read() as session:
        counted = await figures(session, now), await published(session)
    return Response(
        exposition(await _standing(request, engine), *counted, now), media_type=CONTENT_TYPE_LATEST
    )


async def _standing(request: Request, engine: Engine) -> dict[str, Any]:
    return await standing(engine.database, engine.settings, here=request.app.state.here, now=engine.now())


@routes.get("/api/v1/status")
async def read_status(request: Request, engine: Opened) -> dict[str, Any]:
    """The same as ``asana-sync status --json``."""
    return await _standing(request, engine)


def _listing(name: str, page: Callable[..., Awaitable[dict[str, Any]]], summary: str = "") -> None:
    async def read(
        engine: Opened, limit: Limit = listings.DEFAULT_LIMIT, after: After = None, mapping: str | None = None
    ) -> dict[str, Any]:
        async with engine.database.read() as session:
            if mapping is not None and not await listings.is_mapping(session, mapping):
                raise HTTPException(404, f"there is no mapping {mapping!r}")
            return await page(session, limit=limit, after=after, mapping=mapping)

    summary = summary or f"The same as ``asana-sync {name} --json``."
    routes.add_api_route(f"/api/v1/{name}", read, methods=["GET"], name=name, description=summary)


_listing("links", listings.links_page)
_listing("conflicts", listings.conflicts_page)
_listing("parked", listings.parked_page)
_listing("deliveries", listings.deliveries_page)
_listing("history", listings.history_page, "What ``asana-sync history`` tells, of one mapping or of all.")


@routes.get("/", response_class=HTMLResponse)
async def page(request: Request, engine: Opened) -> Response:
    """How everything stands, for people. Nothing can be changed here."""
    async with engine.database.read() as session:
        shown = {
            "conflicts": (await listings.conflicts_page(session, limit=20, state="open", newest=True))[
                "items"
            ],
            "parked": (await listings.parked_page(session, limit=20))["items"],
            "links": (await listings.links_page(session, limit=50, newest=True))["items"],
        }
    context = {"status": await _standing(request, engine), **shown}
    return _TEMPLATES.TemplateResponse(request, "status.html", context)
