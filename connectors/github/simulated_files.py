"""Files that people drop into texts on a simulated GitHub, and the ways to read them.

* An address in a text leads on to a storage; in a private repository only for whom may read that:
  a classic token may, a fine-grained one is answered 404
  (https://github.com/josegonzalez/python-github-backup/issues/477).
* The rendered text of a private repository shows images under addresses with a permission of five
  minutes in them; other files keep their address.

All of it lies beside the API, as on an Enterprise Server.
"""

from __future__ import annotations

import mimetypes
import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape

from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.github.simulated_state import Repository
from connectors.github.simulated_switches import Switches
from connectors.simulation import Clock, Refused

PATHS = re.compile(r"/(?:user-attachments|private-user-images|file-storage)/")
_markdown = MarkdownIt("commonmark")
READABLE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class File:
    repository: Repository
    name: str
    content: bytes = field(repr=False)
    url: str

    @property
    def media_type(self) -> str:
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")


class Files:
    """Every file, by the id in its address."""

    def __init__(
        self, clock: Clock, tokens: Mapping[str, str], switches: Switches, web: Callable[[], str]
    ) -> None:
        self._clock = clock
        self._tokens = tokens
        self._switches = switches
        self._web = web
        self._files: dict[str, File] = {}
        self._key = secrets.token_hex(8)

    def add(self, repository: Repository, name: str, content: bytes) -> File:
        """Images lie under an address that does not tell their name."""
        is_image = (mimetypes.guess_type(name)[0] or "").startswith("image/")
        id = str(uuid.uuid4()) if is_image else str(20_000_000 + len(self._files))
        path = f"assets/{id}" if is_image else f"files/{id}/{name}"
        url = f"{self._web()}/user-attachments/{path}"
        self._files[id] = File(repository=repository, name=name, content=content, url=url)
        return self._files[id]

    def rendered(self, body: str) -> str:
        """HTML of a text, with the addresses that its reader is given."""
        html = str(_markdown.render(body))
        for id, file in self._files.items():
            if file.is_image and file.repository.private:
                html = html.replace(escape(file.url), escape(self._signed(id)))
        return html

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/user-attachments/assets/{id}", self._lead_on),
            Route("/user-attachments/files/{id}/{name}", self._lead_on),
            Route("/private-user-images/{number}/{id}", self._by_permission),
            Route("/file-storage/{id}", self._by_permission),
        ]

    def _signed(self, id: str, path: str = "/private-user-images/1") -> str:
        until = (self._clock.now() + READABLE).timestamp()
        return f"{self._web()}{path}/{id}?v=2&jwt={self._key}.{until:.0f}"

    async def _lead_on(self, request: Request) -> Response:
        id = request.path_params["id"]
        file = self._files.get(id)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        may_read = token in self._tokens and self._switches.scopes is not None
        if file is None or (file.repository.private and not may_read):
            raise Refused(404, "Not Found")
        return RedirectResponse(self._signed(id, "/file-storage"), 302)

    async def _by_permission(self, request: Request) -> Response:
        key, _, until = request.query_params.get("jwt", "").partition(".")
        file = self._files.get(request.path_params["id"])
        if file is None or key != self._key:
            raise Refused(404, "Not Found")
        if self._clock.now() > datetime.fromtimestamp(float(until), UTC):
            raise Refused(403, "Request has expired")
        return Response(file.content, media_type=file.media_type)
