"""Routes of panes where people talk: what is said there, and everything that is done with the app."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from sync.demo.page.rendering import by_of, form_of, pane_of, render
from sync.demo.page.talk import Talk

routes = APIRouter(prefix="/panes/{name}", default_response_class=HTMLResponse)


async def _talk(request: Request, name: str) -> Talk:
    pane = await pane_of(request, name)
    if not isinstance(pane, Talk):
        raise HTTPException(404, "nobody talks there")
    return pane


@routes.post("/messages")
async def say(request: Request, name: str) -> Response:
    talk, form = await _talk(request, name), await form_of(request)
    await talk.say(dict(form).get("text", ""), by=by_of(form))
    return render(request, f"{name}/list.html", pane=talk, me=by_of(form))


@routes.post("/objects/{id:path}/reactions/{reaction}")
async def react(request: Request, name: str, id: str, reaction: str) -> Response:
    talk, form = await _talk(request, name), await form_of(request)
    talk.react(id, reaction, by=by_of(form))
    return Response("", 204)


@routes.post("/objects/{id:path}/shortcuts/{callback_id}")
async def shortcut(request: Request, name: str, id: str, callback_id: str) -> Response:
    """The thread opens, and the modal above it as soon as the app sends one."""
    talk, form = await _talk(request, name), await form_of(request)
    await talk.shortcut(id, callback_id, by=by_of(form))
    return render(request, "opened.html", pane=talk, id=id, me=by_of(form))


@routes.post("/objects/{id:path}/actions/{action}")
async def press(request: Request, name: str, id: str, action: str) -> Response:
    """A button of a message."""
    talk, form = await _talk(request, name), await form_of(request)
    await talk.press(id, action, by=by_of(form))
    return Response("", 204)


@routes.get("/modal")
async def modal(request: Request, name: str) -> Response:
    """What is open at the person, or nothing."""
    return render(request, f"{name}/modal.html", pane=await _talk(request, name))


@routes.post("/views/{view}/entered")
async def enter(request: Request, name: str, view: str) -> Response:
    """Nobody is asked yet."""
    talk, form = await _talk(request, name), await form_of(request)
    talk.enter(view, form, by=by_of(form))
    return Response("", 204)


@routes.get("/views/{view}/suggestions/{action}")
async def suggest(request: Request, name: str, view: str, action: str, typed: str = "") -> Response:
    talk = await _talk(request, name)
    by = by_of(list(request.query_params.items()))
    options = await talk.suggestions(view, action, typed, by=by)
    return render(request, f"{name}/suggestions.html", options=options, of=f"{view}-{action}")


@routes.post("/views/{view}/actions/{action}")
async def press_in_modal(request: Request, name: str, view: str, action: str) -> Response:
    talk, form = await _talk(request, name), await form_of(request)
    await talk.press_in_modal(view, action, form, by=by_of(form))
    return render(request, f"{name}/modal.html", pane=talk, me=by_of(form))


@routes.post("/views/{view}/submission")
async def submit(request: Request, name: str, view: str) -> Response:
    talk, form = await _talk(request, name), await form_of(request)
    await talk.submit(view, form, by=by_of(form))
    return render(request, f"{name}/modal.html", pane=talk, me=by_of(form))


@routes.post("/views/{view}/closing")
async def cancel(request: Request, name: str, view: str) -> Response:
    talk, form = await _talk(request, name), await form_of(request)
    await talk.cancel(view, by=by_of(form))
    return render(request, f"{name}/modal.html", pane=talk, me=by_of(form))
