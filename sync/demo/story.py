"""The story: what people do on both sides, and what must then be seen on both.

Each act begins when the product has no write under way, plays people through the simulators as they
act in the providers' own pages, waits until the other side shows it, and looks at both sides. The
providers play side by side, each with the hub.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from connectors.simulation import Fault, Simulator, Windows
from sync.demo.seeing import (
    Seen,
    Unmet,
    appears,
    both,
    carried,
    quiet,
    require,
    route,
    shows,
    since,
    until,
    until_told,
)
from sync.demo.stage import MARK, End, Scene, Stage
from sync.settings import HUB

_LATER_S = 2.5
"""Between two edits of which one is newer beyond doubt: clocks of providers may show whole seconds."""
_STILL_S = 2.5
"""How long nothing may be written at the end: longer than a round of polling."""

Act: TypeAlias = Callable[[Stage], Awaitable[Sequence[Seen]]]
Part: TypeAlias = Callable[[Scene], Awaitable[Seen]]


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the programme."""

    title: str
    acts: Sequence[Act]


def everywhere(part: Part, *, talk: bool = False) -> Act:
    """The same in all scenes at once; where it fails in one, the others still end.

    Args:
        talk: also where people mostly talk.
    """

    async def act(stage: Stage) -> Sequence[Seen]:
        scenes = stage.scenes if talk else stage.tracked
        results = await asyncio.gather(*map(part, scenes), return_exceptions=True)
        seen: list[Seen] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            seen.append(result)
        return seen

    return act


async def ready(stage: Stage) -> Sequence[Seen]:
    """Both sides of every mapping have been read once."""
    await quiet(stage)
    return ()


async def opened(scene: Scene) -> Seen:
    external, hub = scene.external, scene.hub
    title = "Checkout button does nothing on phones"
    labels = {} if scene.is_talk else {"labels": ["bug"]}
    marked = MARK if scene.is_talk else labels
    began = time.perf_counter()
    external.object = external.new(title=title, notes="Tapping **Pay** does nothing.", by="ada", **marked)
    hub.object = await appears(hub, title)
    ms = since(began)
    await shows(hub, notes="does nothing", state="open", **labels)
    return Seen(route(external, hub), f"{external.noun} opened → {hub.noun}", ms)


async def captured(stage: Stage) -> Sequence[Seen]:
    """Where people talk: what nobody marked becomes a task when somebody asks for it in a window."""
    seen: list[Seen] = []
    for scene in stage.scenes:
        external, hub, tool = scene.external, scene.hub, scene.external.simulator
        if not isinstance(tool, Windows):
            continue
        message = external.new(title="The voucher field swallows the last character", by="ada")
        began = time.perf_counter()
        await tool.capture(message, "Mend the voucher field", by="bob")
        task = await appears(hub, "Mend the voucher field")
        seen.append(Seen(route(external, hub), f"{external.noun} captured in a window", since(began)))
        seen.append(await _completed(scene, tool, message, task))
    return seen


async def _completed(scene: Scene, tool: Windows, message: str, task: str) -> Seen:
    """By the button of the card in the thread."""
    external, hub = scene.external, scene.hub
    await _offers(external, tool, message, "Complete")
    began = time.perf_counter()
    await tool.press_card(message, "Complete", by="ada")
    await until(
        lambda: (hub.simulator.view(task) or {}).get("state") == "closed",
        lambda: Unmet(f"the {hub.title} {hub.noun}", "it completed", "it open"),
    )
    ms = since(began)
    await _offers(external, tool, message, "Reopen")
    return Seen(route(external, hub), "completed by a button of its card", ms)


async def _offers(external: End, tool: Windows, message: str, button: str) -> None:
    await until(
        lambda: button in tool.buttons(message),
        lambda: Unmet(
            f"the {external.title} {external.noun}", f"a card to {button}", f"{tool.buttons(message)}"
        ),
    )


async def renamed_and_assigned(scene: Scene) -> Seen:
    new = {"title": "Checkout: the Pay button is dead on phones", "assignee": "bob"}
    what = f"{scene.hub.noun} renamed and given to Bob"
    return await carried(what, scene.hub, scene.external, lambda: scene.hub.edit(by="bob", **new), **new)


async def different_fields(scene: Scene) -> Seen:
    title, notes = "Checkout: Pay is dead on phones", "Happens on every phone since Tuesday."
    began = time.perf_counter()
    scene.external.edit(by="ada", notes=notes)
    scene.hub.edit(by="bob", title=title)
    for end in (scene.external, scene.hub):
        await shows(end, title=title, notes=notes)
    return Seen(both(scene.external, scene.hub), "notes here and title there: both survive", since(began))


async def without_conflict(stage: Stage) -> Sequence[Seen]:
    for scene in stage.scenes:
        listed = await stage.installation.listing("conflicts", scene.mapping)
        require(not listed, f"conflicts of {scene.mapping}", "none", listed)
    return ()


async def same_field(stage: Stage) -> Sequence[Seen]:
    """Paused meanwhile: otherwise the first edit would have crossed before the second is typed."""
    older, newer = "Pay button: fixed in 3.2?", "Pay button: broken since 3.1"
    product = stage.installation
    await quiet(stage)
    await product.command("pause")
    for scene in stage.tracked:
        scene.hub.edit(by="bob", title=older)
    await asyncio.sleep(_LATER_S)
    for scene in stage.tracked:
        scene.external.edit(by="ada", title=newer)
    resuming = asyncio.create_task(product.command("resume"))
    await until_told(product.resumed, Unmet("asana-sync status", "resumed", "still paused"))
    began = time.perf_counter()

    async def newest_wins(scene: Scene) -> Seen:
        for end in (scene.hub, scene.external):
            await shows(end, title=newer)
        ms = since(began)
        listed = [
            (each["field"], each["winner"], each[HUB]["value"], each["external"]["value"], each["state"])
            for each in await product.listing("conflicts", scene.mapping)
        ]
        expected = [("title", "external", older, newer, "open")]
        require(listed == expected, f"conflicts of {scene.mapping}", str(expected), listed)
        return Seen(both(scene.external, scene.hub), "newest title wins, the other one is listed", ms)

    seen = await everywhere(newest_wins)(stage)
    await resuming
    return seen


async def asked(scene: Scene) -> Seen:
    external, text = scene.external, "Can you reproduce it?"
    return await carried(
        "question", external, scene.hub, lambda: external.comment(text, by="ada"), comment=text
    )


async def answered(scene: Scene) -> Seen:
    hub, text = scene.hub, "Yes, on three devices."
    return await carried("answer", hub, scene.external, lambda: hub.comment(text, by="bob"), comment=text)


async def closed(scene: Scene) -> Seen:
    external, new = scene.external, {"state": "closed"}
    what = f"{external.noun} closed"
    return await carried(what, external, scene.hub, lambda: external.edit(by="ada", **new), **new)


async def reopened(scene: Scene) -> Seen:
    hub, new = scene.hub, {"state": "open"}
    what = f"{hub.noun} reopened"
    return await carried(what, hub, scene.external, lambda: hub.edit(by="bob", **new), **new)


async def labelled(scene: Scene) -> Seen:
    external, new = scene.external, {"labels": ["bug", "urgent"]}
    return await carried("label added", external, scene.hub, lambda: external.edit(by="ada", **new), **new)


async def unlabelled(scene: Scene) -> Seen:
    hub, new = scene.hub, {"labels": ["urgent"]}
    return await carried("label removed", hub, scene.external, lambda: hub.edit(by="bob", **new), **new)


async def worker_killed(stage: Stage) -> Sequence[Seen]:
    """SIGKILL while creations are under way: in the hub it is done already, elsewhere not yet."""
    incoming, outgoing = "Refund mail has the wrong total", "Write release notes for 3.2"
    product, number = stage.installation, len(stage.tracked)
    await quiet(stage)
    asked = {simulator: len(simulator.journal) for simulator in stage.simulators}
    stage.hub.faults.add(Fault(kind="timeout_after", method="POST", times=number))
    for scene in stage.tracked:
        scene.external.simulator.faults.add(Fault(kind="timeout_before", method="POST"))
        scene.external.new(title=incoming, by="ada")
        scene.hub.new(title=outgoing, by="bob")

    def sent() -> int:
        return sum(
            exchange.method == "POST" for each, start in asked.items() for exchange in each.journal[start:]
        )

    await until(
        lambda: sent() >= 2 * number and any(_under_way(each) for each in stage.simulators),
        lambda: Unmet("the simulators", f"{2 * number} creations, one still under way", f"{sent()}"),
    )
    killed = await product.kill_workers()
    began = time.perf_counter()

    async def made_once(scene: Scene) -> Seen:
        external, hub = scene.external, scene.hub
        await appears(external, outgoing)
        ms = since(began)
        await quiet(stage)
        for end in (external, hub):
            for title in (incoming, outgoing):
                await appears(end, title)
        return Seen(both(external, hub), f"{hub.noun} found again, {external.noun} made: each once", ms)

    seen = await everywhere(made_once)(stage)
    alive = await product.workers() - killed
    require(bool(alive), "asana-sync status", "another worker", "none")
    return seen


def _under_way(simulator: Simulator) -> bool:
    return any(exchange.method == "POST" for exchange in simulator.journal.open)


async def nobody_writes(stage: Stage) -> Sequence[Seen]:
    def writes() -> int:
        return sum(len(simulator.journal.writes()) for simulator in stage.simulators)

    await quiet(stage)
    before = writes()
    await asyncio.sleep(_STILL_S)
    require(writes() == before, "the simulators", f"{before} writes", writes())
    for scene in stage.scenes:
        parked = await stage.installation.listing("parked", scene.mapping)
        require(not parked, f"parked of {scene.mapping}", "nothing", parked)
    return ()


async def agreed(scene: Scene) -> Seen:
    external, hub = scene.external, scene.hub
    there, here = (
        sorted(
            (
                view["title"],
                view["state"],
                str(view["assignee"]),
                sorted(view["labels"]),
                len(view["comments"]),
            )
            for view in end.views().values()
        )
        for end in (external, hub)
    )
    require(there == here, both(external, hub), f"the same on both sides: {there}", here)
    return Seen(both(external, hub), f"{len(here)} pairs agree: nothing lost, nothing doubled")


STORY: Sequence[Step] = (
    Step("Something is opened: a task appears", (ready, everywhere(opened, talk=True))),
    Step("A message is captured in a window, and completed by its card", (captured,)),
    Step("The task is renamed and assigned", (everywhere(renamed_and_assigned),)),
    Step(
        "Both sides are edited at once, in different fields", (everywhere(different_fields), without_conflict)
    ),
    Step("Both sides edit the same field while the sync is paused", (same_field,)),
    Step("A comment each way", (everywhere(asked, talk=True), everywhere(answered, talk=True))),
    Step("Closed on one side, reopened on the other", (everywhere(closed, talk=True), everywhere(reopened))),
    Step("A label comes, another goes", (everywhere(labelled), everywhere(unlabelled))),
    Step("A worker is killed in the middle of its writes", (worker_killed,)),
    Step("Quiet again, and nobody writes any more", (nobody_writes, everywhere(agreed))),
)
