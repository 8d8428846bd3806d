"""The page's routes: each answers one part of the page as HTML. Nothing but loopback reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from sync.demo.installation import LOOPBACK, ProductFailed
from sync.demo.page import telling, texts
from sync.demo.page.panes import Form, Missing, Pane
from sync.demo.page.playing import Play
from sync.demo.page.switches import Nothing, Switch
from sync.demo.page.watching import Watch
from sync.demo.stage import PEOPLE
from sync.web.hardening import Hardened

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HERE = Path(__file__).parent
_LARGEST_FORM = 1_000_000


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
    app.include_router(routes)
    app.mount("/static", StaticFiles(directory=_HERE / "static"))
    for error in (Missing, Nothing, ProductFailed):
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


routes = APIRouter(dependencies=[Depends(_asked_by_the_page)], default_response_class=HTMLResponse)


def _templates() -> Jinja2Templates:
    made = Jinja2Templates([_HERE / "templates", _HERE / "panes"])
    made.env.filters |= {
        "markdown": texts.markdown,
        "asana_html": texts.rich,
        "backlink": texts.backlink,
        "initials": texts.initials,
        "tint": texts.tint,
        "ago": texts.ago,
        "look": texts.look,
        "day": texts.day,
        "overdue": texts.overdue,
        "short": telling.short,
    }
    made.env.globals |= {"people": PEOPLE}
    made.env.trim_blocks = made.env.lstrip_blocks = True
    return made


_TEMPLATES = _templates()


def _render(request: Request, template: str, **context: Any) -> Response:
    state = request.app.state
    shared = {"panes": state.panes, "watch": state.watch, "switches": state.switches.values()}
    shared |= {"product": state.product, "play": state.play}
    return _TEMPLATES.TemplateResponse(request, template, {**shared, **context})


async def _pane(request: Request, name: str) -> Pane:
    pane: Pane | None = request.app.state.panes.get(name)
    if pane is None:
        raise HTTPException(404, "there is no such pane")
    return pane


async def _form(request: Request) -> Form:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413, "That is more text than either tool would take.")
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


def _by(form: Form) -> str:
    said = dict(form).get("by", "")
    return said if said in PEOPLE else PEOPLE[0]


@routes.get("/")
async def page(request: Request) -> Response:
    """Everything."""
    return _render(request, "page.html")


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
    return _render(request, "log.html")


@routes.get("/standing")
async def standing(request: Request) -> Response:
    return _render(request, "standing.html")


@routes.get("/story")
async def story(request: Request) -> Response:
    """How far the story is, or the button that begins it."""
    return _render(request, "play.html")


@routes.post("/story")
async def begin(request: Request) -> Response:
    request.app.state.play.begin()
    return _render(request, "play.html")


@routes.post("/switches/{name}")
async def press(request: Request, name: str) -> Response:
    switch: Switch | None = request.app.state.switches.get(name)
    if switch is None:
        raise HTTPException(404, "there is no such switch")
    opened = {name: id for name, id in await _form(request) if name in request.app.state.panes}
    request.app.state.watch.told(await switch.press(opened))
    return _render(request, "switches.html")


@routes.post("/conflicts/{number}/{what}")
async def decide(request: Request, number: int, what: str) -> Response:
    """Restore or dismiss what a conflict keeps."""
    if what not in ("restore", "dismiss"):
        raise HTTPException(404, "a conflict can be restored or dismissed")
    await request.app.state.product.command("conflicts", what, str(number))
    return _render(request, "log.html")


@routes.get("/panes/{name}")
async def listing(request: Request, name: str) -> Response:
    pane = await _pane(request, name)
    return _render(request, f"{name}/list.html", pane=pane)


@routes.post("/panes/{name}/objects")
async def create(request: Request, name: str) -> Response:
    pane, form = await _pane(request, name), await _form(request)
    if not dict(form).get("title", "").strip():
        raise Nothing("Give it a title first.")
    id = pane.create(form, by=_by(form))
    return _render(request, "opened.html", pane=pane, id=id)


@routes.get("/panes/{name}/objects/{id}")
async def show(
    request: Request, name: str, id: str, opening: bool = False, waiting: bool = False, editing: bool = False
) -> Response:
    """One object; ``opening`` it opens what it is linked with, ``waiting`` as soon as there is one."""
    pane = await _pane(request, name)
    template = "opened.html" if opening or waiting else f"{name}/detail.html"
    try:
        return _render(request, template, pane=pane, id=id, editing=editing, waiting=waiting)
    except Missing:
        return _render(request, "gone.html", pane=pane)


@routes.post("/panes/{name}/objects/{id}")
async def edit(request: Request, name: str, id: str) -> Response:
    pane, form = await _pane(request, name), await _form(request)
    pane.edit(id, form, by=_by(form))
    return _render(request, f"{name}/detail.html", pane=pane, id=id)


@routes.post("/panes/{name}/objects/{id}/comments")
async def comment(request: Request, name: str, id: str) -> Response:
    pane, form = await _pane(request, name), await _form(request)
    pane.comment(id, dict(form).get("text", ""), by=_by(form))
    rest = [(field, value) for field, value in form if field == "state"]
    pane.edit(id, rest, by=_by(form))
    return _render(request, f"{name}/detail.html", pane=pane, id=id)


@routes.post("/panes/{name}/objects/{id}/deletion")
async def remove(request: Request, name: str, id: str) -> Response:
    pane, form = await _pane(request, name), await _form(request)
    pane.remove(id, by=_by(form))
    return Response("")
