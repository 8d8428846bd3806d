"""One request to a simulated Asana: who asks, what for, and the envelopes of the answers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.asana.simulated_answers import Answers
from connectors.asana.simulated_records import Link, User
from connectors.asana.simulated_trees import Tree, wanted
from connectors.asana.simulated_workspace import Workspace
from connectors.simulation import Clock, Refused
from connectors.simulation_forms import is_form, read_form

TRUNCATED_AT = 1000
"""Rows that a listing without ``limit`` shows."""


@dataclass(frozen=True, slots=True)
class Token:
    """A credential; ``oauth`` False is a personal access token."""

    user: str
    oauth: bool = False


@dataclass(slots=True)
class _Offset:
    path: str
    gids: Sequence[str]
    start: int
    since: datetime


class Pages:
    """The offsets given out; each dies after ``life_s``."""

    def __init__(self, clock: Clock) -> None:
        self.life_s = 600.0
        self._clock = clock
        self._offsets: dict[str, _Offset] = {}

    def resume(self, path: str, token: str) -> tuple[Sequence[str], int]:
        """Raises Refused: not an offset of this listing, or too old."""
        offset = self._offsets.get(token)
        oldest = self._clock.now() - timedelta(seconds=self.life_s)
        if offset is None or offset.path != path or offset.since < oldest:
            raise Refused(400, "offset: Your pagination token is invalid or has expired")
        return offset.gids, offset.start

    def keep(self, path: str, gids: Sequence[str], start: int) -> str:
        token = f"eyJ{secrets.token_hex(16)}"
        self._offsets[token] = _Offset(path, gids, start, self._clock.now())
        return token


@dataclass(kw_only=True)
class Call:
    """A request by a known user. ``tree`` are the fields asked for, None: the usual ones."""

    request: Request
    workspace: Workspace
    pages: Pages
    token: Token
    data: dict[str, Any]
    tree: Tree | None
    lag_s: float
    autolink: bool
    charge: Callable[[float], None]
    answers: Answers = field(init=False)
    made: str | None = None
    """The task that this request made."""

    def __post_init__(self) -> None:
        lag_s = self.lag_s if self.request.method == "GET" else 0.0
        self.answers = Answers(self.workspace, self.token.user, lag_s)

    @property
    def me(self) -> str:
        return self.token.user

    def path(self, name: str) -> str:
        gid: str = self.request.path_params[name]
        return gid

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def needed(self, name: str) -> Any:
        """A value of the body that must be there."""
        if name not in self.data:
            raise Refused(400, f"{name}: Missing input")
        return self.data[name]

    def user(self, what: str, ref: object) -> User:
        """A user by gid, e-mail or ``me``."""
        users = self.workspace.users
        if ref == "me":
            return users[self.me]
        for user in users.values():
            if ref in (user.gid, user.email) and user.active:
                return user
        raise Refused(400, f"{what}: Not a user in Organization: {ref}")

    # envelopes

    def object(self, kind: str, record: dict[str, Any], status: int = 200, **more: Any) -> Response:
        """``{"data": {...}}``; ``more`` are further top-level keys."""
        self._charge(1)
        headers = {"Location": f"/api/1.0/{kind}s/{record['gid']}"} if status == 201 else None
        return JSONResponse({"data": self.answers.full(kind, record, self.tree), **more}, status, headers)

    def written(self, link: Link, status: int = 200) -> Response:
        """What stands there after a write, whoever reads how late."""
        return self.object(link.kind, self.answers.record(link), status)

    def empty(self) -> Response:
        return JSONResponse({"data": {}})

    def listing(
        self, kind: str, listed: Callable[[], Iterable[str]], find: Callable[[str], dict[str, Any] | None]
    ) -> Response:
        """One page. ``listed`` gives all gids for the first page, ``find`` the record of each, None where
        it has gone since."""
        limit = self._limit()
        path, offset = self.request.url.path, self.query("offset")
        gids, start = self.pages.resume(path, offset) if offset is not None else (list(listed()), 0)
        end = start + (limit or TRUNCATED_AT)
        rows = [
            self.answers.compact(kind, record, self.tree)
            for gid in gids[start:end]
            if (record := find(gid)) is not None
        ]
        self._charge(len(rows))
        next_page = None
        if limit and end < len(gids):
            token = self.pages.keep(path, gids, end)
            url = self.request.url.include_query_params(offset=token)
            relative = f"{url.path.removeprefix('/api/1.0')}?{url.query}"
            next_page = {"offset": token, "path": relative, "uri": str(url)}
        return JSONResponse({"data": rows, "next_page": next_page})

    def _limit(self) -> int | None:
        given = self.query("limit")
        if given is None:
            return None
        if not given.isdecimal() or not 1 <= int(given) <= 100:
            raise Refused(400, "limit: Must be between 1 and 100")
        return int(given)

    def _charge(self, rows: int) -> None:
        """Each row costs one, and one more for each field that reaches into another object."""
        deep = sum(1 for below in (self.tree or {}).values() if below)
        self.charge(rows * (1.0 + deep))


async def read_body(request: Request) -> tuple[dict[str, Any], Tree | None]:
    """``data`` and the fields asked for: ``options.fields`` of a body, or ``opt_fields`` of any request.

    A form (uploads are no JSON) counts as ``data``.

    Raises:
        Refused: not JSON, or not in the envelope.
    """
    fields: list[str] | None = None
    if "opt_fields" in request.query_params:
        fields = [name for name in request.query_params["opt_fields"].split(",") if name.strip()]
    raw = await request.body()
    if request.method not in ("POST", "PUT"):
        return {}, wanted(fields) if fields is not None else None
    if is_form(request.headers):
        return read_form(request.headers, raw), wanted(fields) if fields is not None else None
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise Refused(400, "Could not parse request data, invalid JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("data", {}), dict):
        raise Refused(400, "Request body must have a top-level data object")
    options = body.get("options") or {}
    chosen = options.get("fields") if isinstance(options, dict) else None
    if isinstance(chosen, list):
        fields = [str(name) for name in chosen]
    return body.get("data", {}), wanted(fields) if fields is not None else None
