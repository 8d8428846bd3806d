"""A demo's page over real simulators, without a network; the product tells what it is told to tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from connectors.memory.simulator import MemorySimulator
from connectors.simulation import Simulator
from connectors.slack.simulator import SlackSimulator
from sync.demo.installation import Installation, ProductFailed
from sync.demo.page import panes_of
from sync.demo.page.app import make_page
from sync.demo.page.panes import Pane
from sync.demo.page.playing import Play
from sync.demo.page.switches import Switch, switches
from sync.demo.page.watching import Watch
from sync.demo.shop import shop
from sync.demo.stage import Stage
from sync.settings import HUB

PRESSED = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


class Told(Installation):
    """A product that tells what it was told to tell."""

    def __init__(self, log: Path) -> None:
        self.url, self.log = "http://127.0.0.1:1", log
        self.told: dict[str, list[dict[str, Any]]] = {"history": [], "links": [], "conflicts": []}
        self.commands: list[tuple[str, ...]] = []

    async def status(self) -> dict[str, Any]:
        mapping = {"links": {"active": len(self.told["links"])}, "conflicts_open": 1, "parked_open": 0}
        return {"quiet": True, "connections": [], "mappings": [mapping], "now": "?"}

    async def items(self, name: str, **asked: str | int) -> list[dict[str, Any]]:
        return [item for item in self.told[name] if item["id"] > int(asked.get("after", 0))]

    async def command(self, *arguments: str) -> None:
        if arguments[-1] == "99":
            raise ProductFailed("asana-sync conflicts: there is no conflict 99")
        self.commands.append(arguments)


@dataclass
class Place:
    """A page that is served to nobody but the test."""

    product: Told
    stage: Stage
    panes: dict[str, Pane]
    watch: Watch
    switches: dict[str, Switch]
    http: httpx.AsyncClient = field(repr=False)

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.http.post(path, data=form, headers=PRESSED)

    def link(self, issue: str, task: str) -> None:
        """Both are one for the product."""
        self.product.told["links"].append(
            {
                "id": 1,
                "kind": "task",
                "state": "active",
                "mapping": "github-shop",
                "parent": None,
                HUB: {"gid": task, "title": "here"},
                "external": {"connection": "github", "id": issue, "key": "acme/shop#1", "title": "there"},
            }
        )


@asynccontextmanager
async def placed(tmp_path: Path) -> AsyncIterator[Place]:
    simulators: dict[str, Simulator] = {
        "asana": AsanaSimulator(),
        "github": GitHubSimulator(),
        "memory": MemorySimulator(),
        "slack": SlackSimulator(),
    }
    log = tmp_path / "log"
    log.touch()
    product = Told(log)
    stage = Stage(product, simulators[HUB], shop(simulators))
    panes = panes_of(stage)
    watch = Watch(product, panes, stage.scenes, log)
    made = switches(stage, watch)
    play = Play(stage.scenes[0], watch, breath_s=0)
    transport = httpx.ASGITransport(make_page(product, panes, watch, made, play))
    async with aclosing(play), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        yield Place(
            product,
            stage,
            {pane.name: pane for pane in panes},
            watch,
            {each.name: each for each in made},
            http,
        )
