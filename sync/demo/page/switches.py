"""Switches that make trouble, each with what to watch for: the promises are seen best where it hurts."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

from connectors.simulation import Fault
from sync.demo.page.watching import Watch
from sync.demo.seeing import Unmet, until
from sync.demo.stage import LIVELY, End, Scene, Stage

SLOW_S = 1.5
_UNDER_WAY_S = 5.0
"""How long is waited for work that a worker can be killed in."""

Opened: TypeAlias = Mapping[str, str]
"""Name of a tool -> the object that is open in its pane."""

_RIVAL = re.compile(r" \((?:Ada|Bob)'s words\)$")


class Nothing(Exception):
    """There is nothing to do it to; the text says what to do first."""


class Switch(ABC):
    """``title`` is its label, ``watch_for`` one or two sentences. One that ``lasts`` is on or off."""

    name: str
    title: str
    watch_for: str
    lasts = True
    on = False

    @abstractmethod
    async def press(self, opened: Opened) -> str:
        """Do it, or turn it over; what was done, for the log.

        Raises:
            Nothing: it cannot be done now.
        """


class WebhooksOff(Switch):
    def __init__(self, end: End) -> None:
        self.name = f"{end.simulator.name}-webhooks"
        self.title = f"{end.title} webhooks off"
        self.watch_for = f"Nobody calls any more: edits there are found by polling, here every {_POLL} s."
        self._end = end

    async def press(self, opened: Opened) -> str:
        self.on = self._end.simulator.outbox.drop = not self.on
        return (
            f"{self._end.title} sends no webhooks" if self.on else f"{self._end.title} sends webhooks again"
        )


class Trouble(Switch):
    """Every request to a tool meets this fault."""

    def __init__(self, end: End, fault: Fault, adjective: str, watch_for: str) -> None:
        self.name = f"{end.simulator.name}-{adjective}"
        self.title = f"{end.title} is {adjective}"
        self.watch_for = watch_for
        self._end, self._fault = end, fault

    async def press(self, opened: Opened) -> str:
        self.on = not self.on
        faults = self._end.simulator.faults
        if self.on:
            faults.add(self._fault)
            return self.title
        faults.planned.remove(self._fault)
        return f"{self.title} no longer"


class KillWorker(Switch):
    """SIGKILL while a creation is under way: done by the hub, its answer not yet received."""

    name, title, lasts = "kill", "Kill a worker", False
    watch_for = "Ada opens an issue, and the worker dies while it copies it. Still one task, not two."

    def __init__(self, stage: Stage) -> None:
        self._stage, self._scene = stage, stage.scenes[0]

    async def press(self, opened: Opened) -> str:
        hub, external = self._scene.hub.simulator, self._scene.external
        slow = hub.faults.add(Fault(kind="slow", seconds=SLOW_S, method="POST", path=r"/tasks$"))
        external.new(
            title="Sign-in mail arrives twice", by="ada", labels=["bug"], values={"Status": "Backlog"}
        )
        with suppress(Unmet):
            await until(
                lambda: slow.times == 0,
                lambda: Unmet(self._scene.hub.title, "a creation", "none"),
                patience_s=_UNDER_WAY_S,
            )
        await asyncio.sleep(SLOW_S / 4)
        killed = await self._stage.installation.kill_workers()
        if slow in hub.faults.planned:
            hub.faults.planned.remove(slow)
        if not killed:
            raise Nothing("No worker runs at the moment: wait until another one has started.")
        return f"Killed worker {', '.join(map(str, sorted(killed)))} in the middle of its work"


class EditBoth(Switch):
    """The same title, on both sides, before the product can look at either."""

    name, title, lasts = "both", "Edit both at once", False
    watch_for = "Ada and Bob rename the same thing. One title wins, the other is kept: restore it in the log."

    def __init__(self, scene: Scene, watch: Watch) -> None:
        self._scene, self._watch = scene, watch

    async def press(self, opened: Opened) -> str:
        pair = self._watch.pair(self._scene, opened)
        if pair is None:
            raise Nothing("Nothing open is on both sides yet: open an issue and wait until it has its task.")
        external, hub = (end.simulator for end in (self._scene.external, self._scene.hub))
        title = _RIVAL.sub("", (external.view(pair[0]) or {"title": ""})["title"])
        external.edit(pair[0], by="ada", title=f"{title} (Ada's words)")
        hub.edit(pair[1], by="bob", title=f"{title} (Bob's words)")
        return f"Ada and Bob both rename “{title}”"


_POLL = LIVELY["POLL_SECONDS"]


def switches(stage: Stage, watch: Watch) -> Sequence[Switch]:
    """All there are; of several tools beside the hub, the first one is troubled."""
    external, hub = stage.scenes[0].external, stage.scenes[0].hub
    return (
        WebhooksOff(external),
        Trouble(
            hub,
            Fault(kind="slow", seconds=SLOW_S, times=None),
            "slow",
            f"Each of its answers takes {SLOW_S:g} s. Edits arrive later, and none twice.",
        ),
        Trouble(
            hub,
            Fault(kind="503", times=None),
            "down",
            f"Edit something in {external.title}: it waits, and goes across once this is off again.",
        ),
        KillWorker(stage),
        EditBoth(stage.scenes[0], watch),
    )
