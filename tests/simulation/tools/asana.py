"""Asana, the hub of every town."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import Exchange
from tests.simulation.memory import File
from tests.simulation.tools.base import Rewriting, Tool, View, another_token

_TEXTS = {"name": "title", "html_notes": "notes"}


class Asana(Tool[AsanaSimulator]):
    connection: ClassVar[str] = "our-asana"
    methods: ClassVar[tuple[str | None, ...]] = (None, "GET", "POST", "PUT", "POST", "PUT")

    def __init__(self) -> None:
        super().__init__(AsanaSimulator())

    def person(self, name: str) -> str:
        return f"{name}@example.com"

    def revoke(self, known: Mapping[str, str]) -> dict[str, str]:
        if "refresh_token" in known:
            self.simulator.oauth_app.revoke()
            return self.simulator.oauth_app.credentials()
        return another_token(known, self.simulator.tokens)

    def hide(self, container: str, pick: int) -> str:
        tasks = self.simulator.objects(container)
        self.simulator.hide(tasks[pick % len(tasks)])
        return f"hides {tasks[pick % len(tasks)]}"

    def show(self, container: str) -> None:
        for task in [task.gid for task in self.simulator.workspace.tasks.values() if task.private]:
            self.simulator.hide(task, hidden=False)

    def rewritten(self, exchange: Exchange) -> Iterator[Rewriting]:
        data = exchange.body.get("data", {}) if isinstance(exchange.body, dict) else {}
        if exchange.method == "PUT":
            address = exchange.path.rpartition("/")[2]
            for name in filter(data.__contains__, _TEXTS):
                yield Rewriting(address, frozenset({_TEXTS[name]}), str(data[name]))

    def is_content(self, exchange: Exchange) -> bool:
        return "hooks" not in exchange.path and "oauth_token" not in exchange.path

    def copies(self, view: View, file: File) -> int:
        inside = [each for each in view["attachments"] if each["name"] == file.name]
        return sum(each["content"] == file.content for each in inside)
