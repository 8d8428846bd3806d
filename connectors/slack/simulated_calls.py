"""One call of the simulated Web API: its arguments, its token, its answer.

https://docs.slack.dev/apis/web-api: GET, or POST of a form or of JSON; errors are 200 ``{"ok": false}``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.simulation_forms import is_form, read_form
from connectors.slack.simulated_workspace import Failed, Payload

Method: TypeAlias = Callable[["Args"], Payload | Response]


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a call, by whatever way they came; ``token`` is the one that it carries."""

    given: Mapping[str, Any]
    token: str

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def needed(self, name: str) -> str:
        if not self.text(name):
            raise Failed("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing: {name}"]})
        return self.text(name)

    def flag(self, name: str) -> bool:
        return self.given.get(name) in (True, "true", "1", 1)

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.given.get(name, default))
        except ValueError:
            raise Failed("invalid_arguments") from None

    def data(self, name: str) -> Any:
        """An argument that is JSON: text of it in forms and queries. None where it is missing."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise Failed("invalid_json") from None


async def args_of(request: Request) -> Args:
    given: dict[str, Any] = dict(request.query_params)
    raw = await request.body()
    if is_form(request.headers):
        given |= read_form(request.headers, raw)
    elif request.headers.get("content-type", "").startswith("application/json"):
        given |= json.loads(raw or b"{}")
    elif raw:
        given |= dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer if scheme.lower() == "bearer" else given.get("token", "")
    return Args({name: value for name, value in given.items() if name != "token"}, token)


def answered(payload: Payload) -> Response:
    return JSONResponse({"ok": True, **payload})


def failed(error: Failed) -> Response:
    return JSONResponse({"ok": False, "error": error.error, **error.extra})


def _cursor(start: int) -> str:
    return base64.b64encode(f"next:{start}".encode()).decode()


FIRST_PAGE = _cursor(0)


def page(
    items: Sequence[Payload], args: Args, *, most: int = 1000, default: int = 100
) -> tuple[list[Payload], str]:
    """One page by cursor, and the next cursor: empty at the end."""
    limit = args.number("limit", default) or default
    if not 0 < limit <= most:
        raise Failed("invalid_limit")
    start = 0
    if cursor := args.text("cursor"):
        try:
            start = int(base64.b64decode(cursor).removeprefix(b"next:"))
        except ValueError:
            raise Failed("invalid_cursor") from None
    rest = len(items) > start + limit
    return list(items[start : start + limit]), _cursor(start + limit) if rest else ""
