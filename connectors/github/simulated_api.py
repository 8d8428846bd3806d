"""What all endpoints of a simulated GitHub have in common.

Finding the repository (301 for reads, 307 for writes under a former name), who asks, bodies,
paging with ``Link``, ``ETag`` with free 304s, the headers of every answer.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from connectors.github.simulated_edits import Edits
from connectors.github.simulated_files import Files
from connectors.github.simulated_limits import VERSIONS, Limits
from connectors.github.simulated_shapes import Shapes
from connectors.github.simulated_state import Issue, Repository
from connectors.github.simulated_switches import Switches
from connectors.github.simulated_webhooks import Webhooks
from connectors.github.simulated_world import World
from connectors.simulation import Refused

if TYPE_CHECKING:
    from connectors.github.simulated_app import App  # its endpoints are built on what stands here

PAGE_DEFAULT, PAGE_MAX = 30, 100

_DOCS = "https://docs.github.com/rest"

T = TypeVar("T")


@dataclass(kw_only=True)
class Site:
    """All parts of one simulated GitHub."""

    world: World
    edits: Edits
    shapes: Shapes
    webhooks: Webhooks
    files: Files
    limits: Limits
    api: Callable[[], str]
    switches: Switches
    app: App
    prefix: str = ""
    """What stands before every path: /api/v3 on an Enterprise Server."""


@dataclass(frozen=True)
class Reply:
    """What an endpoint answers; ``data`` None sends no body."""

    data: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Call:
    """One authenticated request."""

    def __init__(self, site: Site, request: Request, actor: str, body: Any) -> None:
        self.site = site
        self.request = request
        self.actor = actor
        self._body = body

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def path(self) -> str:
        """Below the address of the API, which on an Enterprise Server has a path itself."""
        return self.request.url.path.removeprefix(self.site.prefix)

    @property
    def lag_s(self) -> float:
        return self.site.switches.visible_after_s

    def number(self, name: str) -> int:
        """A number of the path; what is none leads nowhere."""
        text = str(self.request.path_params[name])
        if not text.isascii() or not text.isdigit():
            raise not_found()
        return int(text)

    def body(self) -> dict[str, Any]:
        if not isinstance(self._body, dict):
            raise Refused(400, "Body should be a JSON object")
        return self._body

    def names(self, key: str) -> list[str]:
        """A list of names, bare or under ``key``."""
        return self.names_in(self._body if isinstance(self._body, dict) else {key: self._body}, key)

    @staticmethod
    def names_in(body: Mapping[str, Any], key: str) -> list[str]:
        """The names under ``key``; one may come alone, or as an object with a name or login."""
        given = body.get(key) or []
        given = [given] if isinstance(given, str) else given
        return [
            str(one.get("name") or one.get("login")) if isinstance(one, dict) else str(one) for one in given
        ]

    def repository(self) -> Repository:
        """The repository of the path, where the account may see it."""
        params, world = self.request.path_params, self.site.world
        if "repository_id" in params:
            found = world.repositories.get(self.number("repository_id"))
        else:
            full_name = f"{params['owner']}/{params['repo']}"
            found = world.named(full_name)
            former = world.formerly(full_name) if found is None else None
            if former is not None and not former.hidden:
                self._lead_on(former)
        if found is None or found.hidden:
            raise not_found()
        if found.archived and self.request.method not in ("GET", "HEAD"):
            raise Refused(403, "Repository was archived so is read-only.")
        return found

    def issue(self, number: int | None = None) -> tuple[Repository, Issue]:
        """The issue of the path: as readers see it for reads, as it is for writes."""
        repository = self.repository()
        number = self.number("number") if number is None else number
        lag_s = self.lag_s if self.request.method in ("GET", "HEAD") else 0.0
        issue = repository.issues.seen(str(number), lag_s)
        if issue is not None:
            return repository, issue
        if number in repository.moved:
            target, there = repository.moved[number]
            rest = self.path.partition(f"/issues/{self.request.path_params['number']}")[2]
            raise moved(f"{self.site.api()}/repositories/{target.id}/issues/{there}{rest}", 301)
        if number in repository.deleted and self.site.switches.deleted_status == 410:
            raise Refused(410, "This issue was deleted", documentation_url=f"{_DOCS}/issues")
        raise not_found()

    def time(self, name: str) -> datetime | None:
        """A time of the query, cut to whole seconds as everything here."""
        text = self.query.get(name)
        if text is None:
            return None
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(name) from None
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).replace(microsecond=0)

    def choice(self, name: str, *choices: str) -> str:
        """A word of the query; the first choice is the default."""
        word = self.query.get(name, choices[0])
        if word not in choices:
            raise invalid(name)
        return word

    @property
    def page_size(self) -> int:
        return min(PAGE_MAX, max(1, self._count("per_page", PAGE_DEFAULT)))

    def page(self, found: Sequence[T], show: Callable[[T], Any]) -> Reply:
        """One page of what was found, with ``Link``; only the page is shown."""
        size = self.page_size
        page, last = max(1, self._count("page", 1)), max(1, -(-len(found) // size))
        links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            del links["next"], links["last"]
        if page == 1:
            del links["prev"], links["first"]
        header = ", ".join(f'<{self._url(page=number)}>; rel="{rel}"' for rel, number in links.items())
        shown = [show(one) for one in found[(page - 1) * size : page * size]]
        return Reply(shown, headers={"Link": header} if header else {})

    def _count(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default

    def _url(self, **query: Any) -> str:
        """This request's own address, by the repository's id as GitHub writes it."""
        path = self.path
        if "owner" in self.request.path_params:
            path = f"/repositories/{self.repository().id}/" + "/".join(path.split("/")[4:])
        return f"{self.site.api()}{path}?{urlencode({**self.query, **query})}"

    def _lead_on(self, repository: Repository) -> None:
        rest = "/".join(self.path.split("/")[4:])
        query = f"?{self.request.url.query}" if self.request.url.query else ""
        url = f"{self.site.api()}/repositories/{repository.id}{'/' if rest else ''}{rest}{query}"
        raise moved(url, 301 if self.request.method in ("GET", "HEAD") else 307)


Endpoint: TypeAlias = Callable[[Call], Reply]
Table: TypeAlias = Sequence[tuple[str, str, Endpoint]]
"""(method, path, endpoint)"""


def routes(site: Site, table: Table) -> list[BaseRoute]:
    """One route per row; paths of a repository answer under its name and under its id."""
    made: list[BaseRoute] = []
    for method, path, endpoint in table:
        for start in ("/repos/{owner}/{repo}", "/repositories/{repository_id}"):
            full = path.replace("{repository}", start)
            made.append(Route(full, _served(site, endpoint), methods=[method]))
            if full == path:
                break
    return [Mount(site.prefix, routes=made)] if site.prefix else made


def _served(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        raw = await request.body()
        headers = {
            **site.limits.headers(),
            **_headers(site, request),
            "X-GitHub-Request-Id": uuid.uuid4().hex.upper(),
        }
        try:
            actor = site.limits.actors.get(request.headers.get("authorization", ""), "")
            reply = endpoint(Call(site, request, actor, _json(raw)))
        except Refused as refused:
            refused.headers = {**headers, **refused.headers}
            raise
        return _response(site, request, reply, headers)

    return serve


def _response(site: Site, request: Request, reply: Reply, headers: dict[str, str]) -> Response:
    if reply.data is None:
        return Response(status_code=reply.status, headers={**headers, **reply.headers})
    data = reply.data
    if "full+json" in request.headers.get("accept", "") and isinstance(data, dict) and "body" in data:
        data = {**data, "body_html": site.files.rendered(data["body"] or "")}
    if headers["X-GitHub-Api-Version-Selected"] >= VERSIONS[1]:
        data = _without_singular_assignee(data)
    body = json.dumps(data, ensure_ascii=False).encode()
    etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
    headers |= {**reply.headers, "ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if request.method == "GET" and etag in known:
        site.limits.refund()
        return Response(status_code=304, headers=headers | site.limits.headers())
    return Response(body, reply.status, headers, media_type="application/json; charset=utf-8")


def _headers(site: Site, request: Request) -> dict[str, str]:
    scopes = {"X-OAuth-Scopes": ", ".join(site.switches.scopes)} if site.switches.scopes is not None else {}
    version = request.headers.get("x-github-api-version", VERSIONS[0])
    return {
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-GitHub-Api-Version-Selected": version,
        **scopes,
    }


def _without_singular_assignee(data: Any) -> Any:
    """From 2026-03-10 on issues and pull requests have ``assignees`` only."""
    if isinstance(data, list):
        return [_without_singular_assignee(one) for one in data]
    if isinstance(data, dict) and "assignees" in data:
        return {key: value for key, value in data.items() if key != "assignee"}
    return data


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else {}
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None


def not_found() -> Refused:
    return Refused(404, "Not Found", documentation_url=_DOCS)


def invalid(*fields: str, resource: str = "Issue", code: str = "invalid", **more: Any) -> Refused:
    errors = [{"resource": resource, "code": code, "field": field, **more} for field in fields]
    return Refused(422, "Validation Failed", errors=errors, documentation_url=_DOCS)


def moved(url: str, status: int) -> Refused:
    return Refused(
        status,
        "Moved Permanently" if status == 301 else "Temporary Redirect",
        {"Location": url},
        url=url,
        documentation_url=f"{_DOCS}/guides/best-practices-for-integrators#follow-redirects",
    )


def sort(found: Iterable[T], key: Callable[[T], Any], direction: str) -> list[T]:
    return sorted(found, key=key, reverse=direction == "desc")
