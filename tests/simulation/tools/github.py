"""GitHub, as the other side of a town."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Exchange, Sent
from tests.simulation.memory import File
from tests.simulation.tools.base import Rewriting, Tool, View, another_token

_TEXTS = {"title": "title", "body": "notes"}


class GitHub(Tool[GitHubSimulator]):
    connection: ClassVar[str] = "our-github"
    methods: ClassVar[tuple[str | None, ...]] = (None, "GET", "POST", "PATCH", "POST", "PATCH")

    def __init__(self) -> None:
        super().__init__(GitHubSimulator())

    def person(self, name: str) -> str:
        return name

    def revoke(self, known: Mapping[str, str]) -> dict[str, str]:
        return another_token(known, self.simulator.tokens)

    def hide(self, container: str, pick: int) -> str:
        self.simulator.hide_repo(container)
        return "hides the repository"

    def show(self, container: str) -> None:
        self.simulator.hide_repo(container, hidden=False)

    def address(self, object_id: str) -> str:
        view = self.simulator.view(object_id)
        return f"/issues/{view['number']}" if view is not None else ""

    def rewritten(self, exchange: Exchange) -> Iterator[Rewriting]:
        body = exchange.body if isinstance(exchange.body, dict) else {}
        if exchange.method == "PATCH":
            for name in filter(body.__contains__, _TEXTS):
                address = "/" + "/".join(exchange.path.rsplit("/", 2)[1:])
                yield Rewriting(address, frozenset({_TEXTS[name]}), str(body[name]))

    def is_content(self, exchange: Exchange) -> bool:
        return "hooks" not in exchange.path

    def copies(self, view: View, file: File) -> int:
        """There are no files: a comment names it, and links to it."""
        return sum(file.name in each["text"] for each in view["comments"])

    def receipts(self, sent: Sent) -> frozenset[str]:
        return frozenset(filter(None, [sent.headers.get("X-GitHub-Delivery")]))
