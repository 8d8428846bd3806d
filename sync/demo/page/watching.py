"""Seeing what changes: in the tools, in the product's history and log, in how it stands.

Whoever looks at the page subscribes, and learns which part of it to ask for again.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from connectors.errors import ConnectorError
from sync.demo.page.panes import Pane
from sync.demo.page.telling import Chapter, Names, Told, chapters, of_history, of_log
from sync.demo.stage import Scene
from sync.settings import HUB

_LOOK_S = 0.1
_ASK_S = 0.4
_KEPT = 400
"""Lines of the log that the page can show."""

LOG, STANDING, STORY = "log", "standing", "story"
"""Parts of the page, beside one for each pane."""


class Product(Protocol):
    """What the page asks a running product."""

    async def status(self) -> dict[str, Any]: ...

    async def items(self, name: str, **asked: str | int) -> list[dict[str, Any]]: ...


class Watch:
    """What the page knows."""

    def __init__(self, product: Product, panes: Sequence[Pane], scenes: Sequence[Scene], log: Path) -> None:
        self.status: Mapping[str, Any] = {}
        """As the product last told it; empty while it does not answer."""
        self.links: Mapping[int, Mapping[str, Any]] = {}
        self.conflicts: Mapping[int, Sequence[Mapping[str, Any]]] = {}
        """Those that are open, by link."""
        self._product, self._panes, self._log = product, panes, log
        self._scenes = {scene.mapping: scene for scene in scenes}
        self._titles = {
            end.simulator.name: end.title for scene in scenes for end in (scene.external, scene.hub)
        }
        self._lines: deque[Told] = deque(maxlen=_KEPT)
        self._followers: set[asyncio.Queue[str]] = set()
        self._history_at = self._log_at = 0

    def told(self, text: str) -> None:
        """Something that the person at the page did to the stage."""
        self._lines.append(Told(at=datetime.now(UTC), kind="you", text=text))
        self._tell(LOG)

    def changed(self, part: str) -> None:
        """Whoever looks asks for that part again."""
        self._tell(part)

    def chapters(self) -> list[Chapter]:
        return chapters(self._lines)

    def key(self, link: Mapping[str, Any]) -> str:
        """How people in the other tool call what is linked; where they talk, by the place of the talk."""
        scene = self._scenes[link["mapping"]]
        return f"#{scene.external.called}" if scene.is_talk else str(link["external"]["key"] or "…")

    def counterparts(self, pane: Pane, id: str) -> Mapping[str, str]:
        """Name of a tool -> the object there that is linked with this one; through the hub if need be."""
        pairs = self._pairs()
        found = {name: other for pair in pairs if pair.get(pane.name) == id for name, other in pair.items()}
        if HUB in found:
            same = [pair for pair in pairs if pair[HUB] == found[HUB]]
            found |= {name: other for pair in same for name, other in pair.items()}
        return {name: other for name, other in found.items() if name != pane.name}

    def pair(self, scene: Scene, opened: Mapping[str, str]) -> tuple[str, str] | None:
        """(external id, hub id) of a link whose two ends are there: what is opened, else the newest."""
        found = None
        external, hub = scene.external.simulator, scene.hub.simulator
        for pair in self._pairs():
            ids = pair.get(external.name, ""), pair[HUB]
            if external.view(ids[0]) and hub.view(ids[1]):
                found = ids
                if any(pair.get(name) == id for name, id in opened.items()):
                    break
        return found

    def _pairs(self) -> list[dict[str, str]]:
        """Of each link that joins two objects, name of a tool -> id there; the newest link last.

        A connection is called like its connector here.
        """
        found = []
        for link in self.links.values():
            ends = {HUB: link[HUB]["gid"], link["external"]["connection"]: link["external"]["id"]}
            if link["kind"] == "task" and link["state"] != "unlinked" and all(ends.values()):
                found.append(ends)
        return found

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look until the context is left."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._look()), group.create_task(self._ask())]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    @contextmanager
    def following(self) -> Iterator[asyncio.Queue[str]]:
        """Names of parts that changed, as they do; first all of them."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        for part in (*(pane.name for pane in self._panes), LOG, STANDING, STORY):
            queue.put_nowait(part)
        self._followers.add(queue)
        try:
            yield queue
        finally:
            self._followers.discard(queue)

    def _tell(self, part: str) -> None:
        for queue in self._followers:
            queue.put_nowait(part)

    async def _look(self) -> None:
        shown: dict[str, Any] = {}
        while True:
            for pane in self._panes:
                now = pane.seen()
                if shown.get(pane.name) != now:
                    shown[pane.name] = now
                    self._tell(pane.name)
            await asyncio.sleep(_LOOK_S)

    async def _ask(self) -> None:
        while True:
            try:
                await self._ask_once()
            except ConnectorError:
                if self.status:
                    self.status = {}
                    self._tell(STANDING)
            await asyncio.sleep(_ASK_S)

    async def _ask_once(self) -> None:
        status = await self._product.status()
        status.pop("now", None)
        if {**status, "connections": 0} != {**self.status, "connections": 0}:
            self._tell(STANDING)
        self.status = status
        fresh = await self._product.items("history", after=self._history_at)
        if fresh:
            self._history_at = fresh[-1]["id"]
            before = self._pairs()
            self.links = {link["id"]: link for link in await self._product.items("links")}
            if before != self._pairs():
                for pane in self._panes:
                    self._tell(pane.name)
            self._lines.extend(self._of_history(line) for line in fresh if line["link"] in self.links)
        open_: dict[int, list[Mapping[str, Any]]] = {}
        for conflict in await self._product.items("conflicts"):
            if conflict["state"] == "open":
                open_.setdefault(conflict["link"], []).append(conflict)
        spoken = [told for line in self._said() if (told := of_log(line, self._titles)) is not None]
        self._lines.extend(spoken)
        if fresh or spoken or open_ != self.conflicts:
            self.conflicts = open_
            self._tell(LOG)

    def _of_history(self, line: Mapping[str, Any]) -> Told:
        link = self.links[line["link"]]
        return of_history(line, link["parent"] or link["id"], _names(self._scenes[link["mapping"]]))

    def _said(self) -> Iterator[Mapping[str, Any]]:
        """Whole lines that the program's log got since the last look."""
        with self._log.open("rb") as log:
            log.seek(self._log_at)
            for line in log:
                if not line.endswith(b"\n"):
                    return
                self._log_at += len(line)
                if line.startswith(b"{"):
                    yield json.loads(line)


def _names(scene: Scene) -> Names:
    ends = (scene.hub, scene.external)
    choices = [end.simulator.choices(end.container).values() for end in ends]
    options = {id: name for fields in choices for field in fields for id, name in field.items()}
    return Names(scene.called, options)
