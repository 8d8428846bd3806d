"""The page's routes: each answers one part of the page as HTML. Nothing but loopback reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from sync.demo.installation import LOOPBACK, ProductFailed
from sync.demo.page import talking
from sync.demo.page.blocks import UnknownBlock
from sync.demo.page.panes import Missing, Pane
from sync.demo.page.playing import Play
from sync.demo.page.rendering import by_of, form_of, pane_of, render
from sync.demo.page.switches import Nothing, Switch
from sync.demo.page.talk import Unanswered
from sync.demo.page.watching import Watch
from sync.web.hardening import Hardened

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HERE = Path(__file__).parent


class Commanded(Protocol):
    """A product that obeys its own commands."""

    url: str

    async def command(self, *arguments: str) -> None: ...


def make_page(
    product: Commanded, panes: Sequence[Pane], watch: Watch, switches: Sequence[Switch], play: Play
) -> ASGIApp:
    """The page as an ASGI application."""
    app = FastAPI(openapi_url=None)
    app.state.play = play
    app.state.product, app.state.watch = product, watch
    app.state.panes = {pane.name: pane for pane in panes}
    app.state.switches = {switch.name: switch for switch in switches}
    for router in (talking.routes, routes):  # the paths of the latter take what the former leave
        app.include_router(router, dependencies=[Depends(_asked_by_the_page)])
    app.mount("/static", StaticFiles(directory=_HERE / "static"))
    for error in (Missing, Nothing, ProductFailed, Unanswered, UnknownBlock):
        app.add_exception_handler(error, _said)
    # A name that leads here by a stranger's DNS is not ours.
    return Hardened(TrustedHostMiddleware(app, [LOOPBACK, "localhost"]), policy=POLICY)


async def _said(request: Request, error: Exception) -> Response:
    """What cannot be done says why; the page shows it."""
    return PlainTextResponse(str(error), 404 if isinstance(error, Missing) else 409)


async def _asked_by_the_page(request: Request) -> None:
    """Another site's form cannot send this header, so that it cannot press anything here."""
    if request.method != "GET" and "hx-request" not in request.headers:
        raise HTTPException(403, "only the page itself may do this")


routes = APIRouter(default_response_class=HTMLResponse)


@routes.get("/")
async def page(request: Request) -> Response:
    """Everything."""
    return render(request, "page.html")


@routes.get("/live")
async def live(request: Request) -> Response:
    """Names of parts that changed, as server-sent events."""
    watch: Watch = request.app.state.watch

    async def events() -> AsyncIterator[str]:
        with watch.following() as changed:
            while True:
                yield f"event: {await changed.get()}\ndata:\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@routes.get("/log")
async def log(request: Request) -> Response:
    return render(request, "log.html")


@routes.get("/standing")
async def standing(request: Request) -> Response:
    return render(request, "standing.html")


@routes.get("/story")
async def story(request: Request) -> Response:
    """How far the story is, or the button that begins it."""
    return render(request, "play.html")


@routes.post("/story")
async def begin(request: Request) -> Response:
    request.app.state.play.begin()
    return render(request, "play.html")


@routes.post("/switches/{name}")
async def press(request: Request, name: str) -> Response:
    switch: Switch | None = request.app.state.switches.get(name)
    if switch is None:
        raise HTTPException(404, "there is no such switch")
    opened = {name: id for name, id in await form_of(request) if name in request.app.state.panes}
    request.app.state.watch.told(await switch.press(opened))
    return render(request, "switches.html")


@routes.post("/conflicts/{number}/{what}")
async def decide(request: Request, number: int, what: str) -> Response:
    """Restore or dismiss what a conflict keeps."""
    if what not in ("restore", "dismiss"):
        raise HTTPException(404, "a conflict can be restored or dismissed")
    await request.app.state.product.command("conflicts", what, str(number))
    return render(request, "log.html")


@routes.get("/panes/{name}")
async def listing(request: Request, name: str) -> Response:
    pane = await pane_of(request, name)
    return render(request, f"{name}/list.html", pane=pane)


@routes.post("/panes/{name}/objects")
async def create(request: Request, name: str) -> Response:
    pane, form = await pane_of(request, name), await form_of(request)
    if not dict(form).get("title", "").strip():
        raise Nothing("Give it a title first.")
    id = pane.create(form, by=by_of(form))
    return render(request, "opened.html", pane=pane, id=id, me=by_of(form))


@routes.get("/panes/{name}/objects/{id:path}")
async def show(
    request: Request, name: str, id: str, opening: bool = False, waiting: bool = False, editing: bool = False
) -> Response:
    """One object; ``opening`` it opens what it is linked with, ``waiting`` as soon as there is one."""
    pane = await pane_of(request, name)
    template = "opened.html" if opening or waiting else f"{name}/detail.html"
    try:
        return render(request, template, pane=pane, id=id, editing=editing, waiting=waiting)
    except Missing:
        return render(request, "gone.html", pane=pane)


@routes.post("/panes/{name}/objects/{id:path}/comments")
async def comment(request: Request, name: str, id: str) -> Response:
    pane, form = await pane_of(request, name), await form_of(request)
    pane.comment(id, dict(form).get("text", ""), by=by_of(form))
    rest = [(field, value) for field, value in form if field == "state"]
    pane.edit(id, rest, by=by_of(form))
    return render(request, f"{name}/detail.html", pane=pane, id=id, me=by_of(form))


@routes.post("/panes/{name}/objects/{id:path}/deletion")
async def remove(request: Request, name: str, id: str) -> Response:
    pane, form = await pane_of(request, name), await form_of(request)
    pane.remove(id, by=by_of(form))
    return Response("")


@routes.post("/panes/{name}/objects/{id:path}")
async def edit(request: Request, name: str, id: str) -> Response:
    pane, form = await pane_of(request, name), await form_of(request)
    pane.edit(id, form, by=by_of(form))
    return render(request, f"{name}/detail.html", pane=pane, id=id, me=by_of(form))
