"""The story: what people do on both sides, and what must then be seen on both.

Each step acts through the simulators as people act in the providers' own pages, waits until the other
side shows it, and looks at both sides. The providers play side by side, each with the hub.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from connectors.simulation import Fault, Simulator
from sync.demo.seeing import (
    Seen,
    Unmet,
    appears,
    both,
    carried,
    require,
    route,
    shows,
    since,
    until,
    until_told,
)
from sync.demo.stage import Scene, Stage
from sync.settings import HUB

_LATER_S = 2.5
"""Between two edits of which one is newer beyond doubt: clocks of providers may show whole seconds."""
_STILL_S = 1.5
"""How long nothing may be written at the end: longer than a round of polling."""

Play: TypeAlias = Callable[[Stage], Awaitable[Sequence[Seen]]]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the programme."""

    title: str
    play: Play


Part: TypeAlias = Callable[[Stage, Scene], Awaitable[Sequence[Seen]]]


def side_by_side(part: Part) -> Play:
    """Play it in all scenes at once, each as soon as nothing moves there any more."""

    async def begin(stage: Stage, scene: Scene) -> Sequence[Seen]:
        await calm(stage, scene)
        return await part(stage, scene)

    return lambda stage: together(stage, begin)


async def together(stage: Stage, part: Part) -> Sequence[Seen]:
    """The same in all scenes; where it fails in one, the others still end."""
    parts = await asyncio.gather(*(part(stage, scene) for scene in stage.scenes), return_exceptions=True)
    seen: list[Seen] = []
    for result in parts:
        if isinstance(result, BaseException):
            raise result
        seen += result
    return seen


async def calm(stage: Stage, scene: Scene) -> None:
    """Wait until the product has nothing to do for this mapping."""

    async def has_nothing_to_do() -> bool:
        status = await stage.installation.status()
        (mapping,) = (each for each in status["mappings"] if each["name"] == scene.mapping)
        busy = mapping["pending"] or mapping["in_flight"] or mapping["links"]["confirming"]
        return not busy and not status["deliveries"]["queued"]

    await until_told(
        has_nothing_to_do, Unmet(f"status of {scene.mapping}", "nothing pending", "still at work")
    )


async def everywhere_calm(stage: Stage) -> None:
    await asyncio.gather(*(calm(stage, scene) for scene in stage.scenes))


async def opened(stage: Stage, scene: Scene) -> Sequence[Seen]:
    external, hub = scene.external, scene.hub
    title = "Checkout button does nothing on phones"
    began = time.perf_counter()
    external.object = external.new(
        title=title, notes="Tapping **Pay** does nothing.", labels=["bug"], by="ada"
    )
    hub.object = await appears(hub, title)
    ms = since(began)
    await shows(hub, notes="does nothing", labels=["bug"], state="open")
    return [Seen(route(external, hub), f"{external.noun} opened → {hub.noun}", ms)]


async def renamed_and_assigned(stage: Stage, scene: Scene) -> Sequence[Seen]:
    new = {"title": "Checkout: the Pay button is dead on phones", "assignee": "bob"}
    seen = await carried(
        f"{scene.hub.noun} renamed and given to Bob",
        scene.hub,
        scene.external,
        lambda: scene.hub.edit(by="bob", **new),
        **new,
    )
    return [seen]


async def different_fields(stage: Stage, scene: Scene) -> Sequence[Seen]:
    external, hub = scene.external, scene.hub
    title, notes = "Checkout: Pay is dead on phones", "Happens on every phone since Tuesday."
    began = time.perf_counter()
    external.edit(by="ada", notes=notes)
    hub.edit(by="bob", title=title)
    for end in (external, hub):
        await shows(end, title=title, notes=notes)
    ms = since(began)
    conflicts = await stage.installation.listing("conflicts", scene.mapping)
    require(not conflicts, f"conflicts of {scene.mapping}", "none", conflicts)
    return [Seen(both(external, hub), "notes here and title there: both survive", ms)]


async def same_field(stage: Stage) -> Sequence[Seen]:
    """Paused meanwhile: otherwise the first edit would have crossed before the second is typed."""
    await everywhere_calm(stage)
    older, newer = "Pay button: fixed in 3.2?", "Pay button: broken since 3.1"
    await stage.installation.command("pause")
    for scene in stage.scenes:
        scene.hub.edit(by="bob", title=older)
    await asyncio.sleep(_LATER_S)
    for scene in stage.scenes:
        scene.external.edit(by="ada", title=newer)
    began = time.perf_counter()
    resuming = asyncio.create_task(stage.installation.command("resume"))
    seen = await together(stage, lambda stage, scene: _newest_won(stage, scene, older, newer, began))
    await resuming
    return seen


async def _newest_won(stage: Stage, scene: Scene, older: str, newer: str, began: float) -> Sequence[Seen]:
    for end in (scene.hub, scene.external):
        await shows(end, title=newer)
    ms = since(began)
    listed = [
        (each["field"], each["winner"], each[HUB]["value"], each["external"]["value"], each["state"])
        for each in await stage.installation.listing("conflicts", scene.mapping)
    ]
    expected = [("title", "external", older, newer, "open")]
    require(listed == expected, f"conflicts of {scene.mapping}", str(expected), listed)
    what = f"after resume the newest wins; {older!r} is in the conflict list"
    return [Seen(both(scene.external, scene.hub), what, ms)]


async def comments(stage: Stage, scene: Scene) -> Sequence[Seen]:
    external, hub = scene.external, scene.hub
    question, answer = "Can you reproduce it?", "Yes, on three devices."
    there = await carried(
        "comment", external, hub, lambda: external.comment(question, by="ada"), comment=question
    )
    await calm(stage, scene)
    back = await carried("answer", hub, external, lambda: hub.comment(answer, by="bob"), comment=answer)
    return [there, back]


async def closed_and_reopened(stage: Stage, scene: Scene) -> Sequence[Seen]:
    external, hub = scene.external, scene.hub
    closed, opened = {"state": "closed"}, {"state": "open"}
    there = await carried(
        f"{external.noun} closed", external, hub, lambda: external.edit(by="ada", **closed), **closed
    )
    await calm(stage, scene)
    back = await carried(
        f"{hub.noun} reopened", hub, external, lambda: hub.edit(by="bob", **opened), **opened
    )
    return [there, back]


async def labels(stage: Stage, scene: Scene) -> Sequence[Seen]:
    external, hub = scene.external, scene.hub
    more, fewer = {"labels": ["bug", "urgent"]}, {"labels": ["urgent"]}
    there = await carried("label added", external, hub, lambda: external.edit(by="ada", **more), **more)
    await calm(stage, scene)
    back = await carried("tag removed", hub, external, lambda: hub.edit(by="bob", **fewer), **fewer)
    return [there, back]


async def worker_killed(stage: Stage) -> Sequence[Seen]:
    """SIGKILL while creations are under way: in the hub it is done already, elsewhere not yet."""
    await everywhere_calm(stage)
    incoming, outgoing = "Refund mail has the wrong total", "Write release notes for 3.2"
    stage.hub.faults.add(Fault(kind="timeout_after", method="POST", times=len(stage.scenes)))
    for scene in stage.scenes:
        scene.external.simulator.faults.add(Fault(kind="timeout_before", method="POST"))
        scene.external.new(title=incoming, by="ada")
        scene.hub.new(title=outgoing, by="bob")
    await until(
        lambda: (
            _under_way(stage.hub) == len(stage.scenes)
            and all(_under_way(scene.external.simulator) == 1 for scene in stage.scenes)
        ),
        lambda: Unmet("the simulators", "a creation under way on every side", "not all of them"),
    )
    killed = await stage.installation.kill_workers()
    began = time.perf_counter()
    seen = await together(stage, lambda stage, scene: _recovered(stage, scene, incoming, outgoing, began))
    await until_told(
        lambda: _another_works(stage, killed), Unmet("the product", "another worker", "none that lives")
    )
    return seen


def _under_way(simulator: Simulator) -> int:
    return sum(exchange.method == "POST" for exchange in simulator.journal.open)


async def _another_works(stage: Stage, killed: set[int]) -> bool:
    return bool(await stage.installation.workers() - killed)


async def _recovered(
    stage: Stage, scene: Scene, incoming: str, outgoing: str, began: float
) -> Sequence[Seen]:
    external, hub = scene.external, scene.hub
    await appears(external, outgoing)
    ms = since(began)
    await calm(stage, scene)
    for end in (external, hub):
        for title in (incoming, outgoing):
            await appears(end, title)
    return [
        Seen(route(external, hub), f"{hub.noun} was made, answer lost: not made again"),
        Seen(route(hub, external), f"{external.noun} was not made yet: made once", ms),
    ]


async def _quiet(stage: Stage) -> bool:
    return bool((await stage.installation.status())["quiet"])


async def curtain(stage: Stage) -> Sequence[Seen]:
    """Everything agrees, and nothing more is written."""
    await until_told(lambda: _quiet(stage), Unmet("asana-sync status", "quiet", "still at work"))
    writes = _writes(stage)
    await asyncio.sleep(_STILL_S)
    require(_writes(stage) == writes, "the simulators", f"{writes} writes", f"{_writes(stage)}")
    return await together(stage, _agreed)


def _writes(stage: Stage) -> int:
    simulators = [stage.hub, *(scene.external.simulator for scene in stage.scenes)]
    return sum(len(simulator.journal.writes()) for simulator in simulators)


async def _agreed(stage: Stage, scene: Scene) -> Sequence[Seen]:
    external, hub = scene.external, scene.hub
    fields = ("title", "state", "assignee")
    there, here = (
        sorted(
            (*(str(view[name]) for name in fields), sorted(view["labels"]), len(view["comments"]))
            for view in end.views().values()
        )
        for end in (external, hub)
    )
    require(there == here, both(external, hub), f"the same on both sides: {there}", here)
    parked = await stage.installation.listing("parked", scene.mapping)
    require(not parked, f"parked of {scene.mapping}", "nothing", parked)
    return [Seen(both(external, hub), f"{len(here)} pairs agree, nothing lost, nothing doubled")]


STORY: Sequence[Step] = (
    Step("Something is opened: a task appears", side_by_side(opened)),
    Step("The task is renamed and assigned", side_by_side(renamed_and_assigned)),
    Step("Both sides are edited at once, in different fields", side_by_side(different_fields)),
    Step("Both sides edit the same field", same_field),
    Step("A comment each way", side_by_side(comments)),
    Step("Closed on one side, reopened on the other", side_by_side(closed_and_reopened)),
    Step("A label comes, another goes", side_by_side(labels)),
    Step("A worker is killed in the middle of two writes", worker_killed),
    Step("Quiet: both sides agree, and nobody writes any more", curtain),
)
