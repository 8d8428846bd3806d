"""What happens in a town, when: drawn from a seed, as data, so that any part of it can be left out.

An event holds numbers, no names: who and what it hits is chosen when it happens, out of what there is then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sync.reconcile.model import Side


class Kind(StrEnum):
    """What people do, and what goes wrong."""

    NEW = "new"
    TITLE = "title"
    NOTES = "notes"
    STATE = "state"
    ASSIGN = "assign"
    LABEL = "label"
    UNLABEL = "unlabel"
    COMMENT = "comment"
    REWORD = "reword"
    WITHDRAW = "withdraw"
    ATTACH = "attach"
    REMOVE = "remove"
    RESTORE = "restore"
    FAULT = "fault"
    OUTAGE = "outage"
    LAG = "lag"
    HOOKS = "hooks"
    EXPIRE = "expire"
    LOSE_EVENTS = "lose events"
    REVOKE = "revoke"
    CLOCK = "clock"
    HIDE = "hide"
    STOP = "stop"
    KILL = "kill"
    FREEZE = "freeze"
    PAUSE = "pause"
    APPLY = "apply"
    COMPARE = "compare"


EDITS: Mapping[Kind, int] = {
    Kind.NEW: 10,
    Kind.TITLE: 14,
    Kind.NOTES: 10,
    Kind.STATE: 6,
    Kind.ASSIGN: 5,
    Kind.LABEL: 8,
    Kind.UNLABEL: 4,
    Kind.COMMENT: 9,
    Kind.REWORD: 3,
    Kind.WITHDRAW: 2,
    Kind.ATTACH: 2,
    Kind.REMOVE: 2,
    Kind.RESTORE: 1,
}
"""How often people do what."""

TROUBLES: Mapping[Kind, int] = {
    Kind.FAULT: 12,
    Kind.OUTAGE: 2,
    Kind.LAG: 2,
    Kind.HOOKS: 3,
    Kind.EXPIRE: 2,
    Kind.LOSE_EVENTS: 1,
    Kind.REVOKE: 1,
    Kind.CLOCK: 1,
    Kind.HIDE: 1,
    Kind.STOP: 2,
    Kind.KILL: 4,
    Kind.FREEZE: 1,
    Kind.PAUSE: 1,
    Kind.APPLY: 1,
    Kind.COMPARE: 1,
}

GAPS_S = (0.0, 0.0, 0.0, 0.05, 0.1, 0.3, 0.7, 1.5, 4.0, 60.0)
"""Between two events: most come in swarms, so that edits meet each other, and what we do about them."""


@dataclass(frozen=True, slots=True)
class Event:
    """``pick`` chooses what it hits, ``way`` how."""

    number: int
    at_s: float
    kind: Kind
    side: Side
    pick: int
    way: int

    @property
    def jump_s(self) -> float:
        """How far a clock jumps."""
        return (-30.0, 5.0, 600.0, 86400.0)[self.way % 4]

    @property
    def ends_positions(self) -> bool:
        """Whether Asana tells nobody any more what was done before: its tokens end after a day."""
        by_the_clock = self.kind is Kind.CLOCK and self.side is Side.HUB and self.jump_s >= 86400
        return by_the_clock or self.kind in (Kind.LOSE_EVENTS, Kind.EXPIRE)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The town itself.

    ``hooks``: whether the providers call us; ``skew_s``: their clocks; ``old``: objects there before;
    ``late``: whether reads may show the past, which the program is then set to expect.
    """

    seed: int
    events: Sequence[Event]
    hooks: bool
    late: bool
    skew_s: Mapping[Side, float]
    old: int
    conflict: str
    linger_s: float = 0.0
    """From the last event until the weather clears."""
    deletes: int = 50
    """The most deletions that may follow from others within an hour."""
    tool: str = "github"
    """What stands on the other side: a name out of :data:`tests.simulation.tools.EXTERNAL`."""
    oauth: bool = False
    """Whether Asana's tokens end every few minutes, and each renewal ends the one that it was made with."""

    @property
    def edits(self) -> int:
        return sum(event.kind in EDITS for event in self.events)


def draw(seed: int, length: int = 50, tool: str = "github") -> Schedule:
    """The schedule of a seed, whatever the tool. Every fifth event is trouble, in two of three towns."""
    chance = random.Random(seed)
    calm, late = chance.random() < 0.33, chance.random() < 0.25
    troubles = {kind: weight for kind, weight in TROUBLES.items() if late or kind is not Kind.LAG}
    at_s, events = 0.0, []
    for number in range(length):
        table = troubles if not calm and chance.random() < 0.2 else EDITS
        (kind,) = chance.choices(list(table), weights=list(table.values()))
        at_s += chance.choice(GAPS_S)
        events.append(
            Event(
                number=number,
                at_s=at_s,
                kind=kind,
                side=chance.choice(list(Side)),
                pick=chance.randrange(1_000_000),
                way=chance.randrange(1_000_000),
            )
        )
    skewed = chance.random() < 0.25
    return Schedule(
        seed=seed,
        tool=tool,
        events=events,
        hooks=chance.random() < 0.5,
        late=late,
        skew_s={side: chance.choice((-86400, -3600, 90, 7200)) if skewed else 0.0 for side in Side},
        old=chance.choice((0, 0, 3)),
        linger_s=chance.choice((0.0, 0.0, 90.0)),
        conflict=chance.choice(("last_modified",) * 4 + ("asana", "external", "ask")),
        oauth=chance.random() < 0.2,
        deletes=chance.choice((50, 50, 50, 1)),
    )
