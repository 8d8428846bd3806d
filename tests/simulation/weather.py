"""What goes wrong in a town, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import get_args

from connectors.simulation import Fault
from connectors.simulation_network import FaultKind
from sync.configuration import ConfigurationInvalid
from sync.reconcile.model import Side
from sync.store.errors import StoreError
from tests.simulation.life import Killed
from tests.simulation.program import Program
from tests.simulation.rest import ask_for_full_pass
from tests.simulation.schedule import Event, Kind
from tests.simulation.town import Town

WHILE_S = 120.0
LONGEST_LAG_S = 30
SLEEP_S, AWAKE_S = 100.0, 20.0
TRANSIENT: tuple[FaultKind, ...] = tuple(
    kind for kind in get_args(FaultKind) if kind not in ("400", "402", "403", "404", "422")
)


class Weather:
    """``act`` makes the trouble of an event and answers what it is in words; ``clear`` ends all of it."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._later: set[asyncio.Task[None]] = set()
        self._jumps: dict[Side, tuple[datetime, set[str]]] = {}
        """When a clock jumped last, and what there was then."""
        self._acts: Mapping[Kind, Callable[[Event], Awaitable[str]]] = {
            Kind.FAULT: self._fault,
            Kind.OUTAGE: self._outage,
            Kind.LAG: self._lag,
            Kind.HOOKS: self._hooks,
            Kind.EXPIRE: self._expire,
            Kind.LOSE_EVENTS: self._lose_events,
            Kind.REVOKE: self._revoke,
            Kind.CLOCK: self._clock,
            Kind.HIDE: self._hide,
            Kind.STOP: self._stop,
            Kind.KILL: self._kill,
            Kind.FREEZE: self._freeze,
            Kind.PAUSE: self._pause,
            Kind.APPLY: self._apply,
            Kind.COMPARE: self._compare,
        }

    async def act(self, event: Event) -> str:
        try:
            return await self._acts[event.kind](event)
        except (Killed, ConfigurationInvalid, StoreError) as error:
            return f"an admin's {event.kind} does not go through: {error!r:.80}"

    async def clear(self) -> None:
        """Fair weather from now on."""
        if self._town.program is not None:
            self._town.program.life.ends_at = None
        for task in tuple(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await self._town.end_sleepers()
        for simulator in self._town.sides.values():
            simulator.faults.clear()
            simulator.visible_after_s = 0.0
            outbox = simulator.outbox
            outbox.drop, outbox.duplicate, outbox.delay_s, outbox.reorder = False, 0, 0.0, False
        self._town.hub.workspace.log.lost = False
        for side, tool in self._town.tools.items():
            tool.show(self._town.containers[side])

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            act()

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    # the network

    async def _fault(self, event: Event) -> str:
        kind = TRANSIENT[event.pick % len(TRANSIENT)]
        method = self._town.tools[event.side].methods[event.way % 6]
        fault = Fault(
            kind=kind,
            method=method,
            times=1 + event.way % 2,
            retry_after=_wait(kind, event.way),
            seconds=10.0 if kind == "slow" else None,
        )
        self._town.sides[event.side].faults.add(fault)
        return f"the next {fault.times} {method or 'requests'} meet {kind}"

    async def _outage(self, event: Event) -> str:
        faults = self._town.sides[event.side].faults
        fault = faults.add(Fault(kind="503" if event.way % 2 else "timeout_before", times=None))
        self._after(WHILE_S, lambda: faults.planned.remove(fault) if fault in faults.planned else None)
        return f"is down for {WHILE_S:g} s"

    async def _lag(self, event: Event) -> str:
        simulator = self._town.sides[event.side]
        simulator.visible_after_s = 5.0 + event.way % (LONGEST_LAG_S - 5)
        self._after(WHILE_S, lambda: setattr(simulator, "visible_after_s", 0.0))
        return f"shows what happened {simulator.visible_after_s:g} s ago"

    async def _hooks(self, event: Event) -> str:
        outbox = self._town.sides[event.side].outbox
        name, bad, good = (
            ("drop", True, False),
            ("duplicate", 3, 0),
            ("delay_s", 40.0, 0.0),
            ("reorder", True, False),
        )[event.way % 4]
        setattr(outbox, name, bad)
        self._after(WHILE_S, lambda: setattr(outbox, name, good))
        return f"webhooks: {name}"

    # the providers

    async def _expire(self, event: Event) -> str:
        self._town.hub.workspace.log.expire_tokens()
        return "forgets all positions in its events"

    async def _lose_events(self, event: Event) -> str:
        log = self._town.hub.workspace.log
        log.lost = True
        self._after(WHILE_S, lambda: setattr(log, "lost", False))
        return "loses its events"

    async def _revoke(self, event: Event) -> str:
        """The token dies; after a while an admin brings another one."""
        town = self._town
        town.credentials[event.side] = town.tools[event.side].revoke(town.credentials[event.side])
        return "revokes the access of the app"

    async def _clock(self, event: Event) -> str:
        town, side = self._town, event.side
        simulator, now = town.sides[side], datetime.now(UTC)
        there = set(simulator.objects(town.containers[side]))
        since, before = self._jumps.get(side, (now, there))
        if not any(each.at > since and each.status == 200 for each in simulator.journal):
            town.misdated |= {(side, id) for id in there - before}
        self._jumps[side] = now, there
        simulator.clock.advance(event.jump_s)
        return f"its clock jumps by {event.jump_s:g} s"

    async def _hide(self, event: Event) -> str:
        """A task, or all that the other side has, cannot be seen for a while: that is no deletion."""
        town, side = self._town, event.side
        if not town.hub.objects(town.containers[Side.HUB]):
            side = Side.EXTERNAL
        return town.tools[side].hide(town.containers[side], event.pick)

    # the program

    async def _stop(self, event: Event) -> str:
        await self._town.stop()
        self._town.begin().start()
        return "the program is told to end, and started again"

    async def _kill(self, event: Event) -> str:
        """At once, or at one of the next crossings of the boundary between the process and the world."""
        program = self._town.program
        if program is not None and event.way % 4:
            program.life.ends_at = program.life.crossed + 1 + event.pick % 30
            program.life.end = self._resurrect
            return f"the program is killed at its crossing {program.life.ends_at}"
        await self._rise()
        return "the program is killed, and started again"

    def _resurrect(self) -> None:
        assert self._town.program is not None
        self._town.program.life.kill()
        task = asyncio.create_task(self._rise())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _rise(self) -> None:
        await self._town.kill()
        self._town.begin().start()

    async def _freeze(self, event: Event) -> str:
        """For longer than its leases last. Then it goes on for a moment, beside the one that took over."""
        program = self._town.program
        if program is None:
            return "nothing can be stopped"
        program.life.ends_at = program.life.crossed + 1 + event.pick % 30
        program.life.end = partial(self._fall_asleep, program)
        return f"the program is stopped for {SLEEP_S:g} s at its crossing {program.life.ends_at}"

    def _fall_asleep(self, sleeper: Program) -> None:
        self._town.fall_asleep(sleeper)
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def later() -> None:
            await asyncio.sleep(SLEEP_S)
            self._town.naps.append((began, loop.time()))
            sleeper.life.wake()
            await asyncio.sleep(AWAKE_S)
            await self._town.end(sleeper)

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _pause(self, event: Event) -> str:
        await self._town.switch(paused=True)
        self._after_admin(WHILE_S / 2)
        return "an admin pauses the mapping"

    def _after_admin(self, seconds: float) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            await self._town.switch(paused=False)

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _compare(self, event: Event) -> str:
        await ask_for_full_pass(self._town)
        return "an admin has everything compared"

    async def _apply(self, event: Event) -> str:
        limits = {"creates_per_hour": 200 + event.way % 50}
        self._town.mapping["limits"] = {**self._town.mapping.get("limits", {}), **limits}
        await self._town.apply()
        return f"an admin applies {limits}"


def _wait(kind: FaultKind, way: int) -> float | None:
    return (None, 5.0, 30.0)[way % 3] if kind in ("429", "503") else None
