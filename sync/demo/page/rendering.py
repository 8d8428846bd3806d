"""What all routes of the page share: who asks, what was sent, and the templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request, Response
from fastapi.templating import Jinja2Templates

from sync.demo.page import blocks, telling, texts
from sync.demo.page.panes import TEMPLATES, Form, Pane
from sync.demo.stage import PEOPLE

_LARGEST_FORM = 1_000_000


def _templates() -> Jinja2Templates:
    made = Jinja2Templates([Path(__file__).parent / "templates", TEMPLATES])
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
        "emoji": texts.emoji,
        "short": telling.short,
        "mrkdwn": blocks.mrkdwn,
        "rich_text": blocks.rich_text,
        "field_name": blocks.field_name,
    }
    made.env.globals |= {"people": PEOPLE, "unknown": blocks.unknown}
    made.env.trim_blocks = made.env.lstrip_blocks = True
    return made


templates = _templates()


def render(request: Request, template: str, **context: Any) -> Response:
    """One part of the page as it is now. ``me`` is whoever asks; in a request that is sent by a form it
    must be given."""
    state = request.app.state
    shared = {"panes": state.panes, "watch": state.watch, "switches": state.switches.values()}
    shared |= {"product": state.product, "play": state.play, "me": by_of(list(request.query_params.items()))}
    return templates.TemplateResponse(request, template, {**shared, **context})


async def pane_of(request: Request, name: str) -> Pane:
    """Raises HTTPException where there is none of that name."""
    pane: Pane | None = request.app.state.panes.get(name)
    if pane is None:
        raise HTTPException(404, "there is no such pane")
    return pane


async def form_of(request: Request) -> Form:
    """What was sent; HTTPException if that is more than anybody types."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413, "That is more text than either tool would take.")
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


def by_of(form: Form) -> str:
    """Who somebody says to be at the page, of those who play."""
    said = dict(form).get("by", "")
    return said if said in PEOPLE else PEOPLE[0]
