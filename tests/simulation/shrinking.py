"""The fewest events of a schedule that still break the same promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.simulation.schedule import Event, Schedule


def shrunk(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """Leave out ever smaller parts, as long as what is left fails."""
    part = max(1, len(schedule.events) // 2)
    while True:
        smaller = _without_one_part(schedule, part, fails)
        if smaller is not None:
            schedule = smaller
        elif part == 1:
            return schedule
        else:
            part //= 2


def _without_one_part(schedule: Schedule, part: int, fails: Callable[[Schedule], bool]) -> Schedule | None:
    for at in range(0, len(schedule.events), part):
        rest: Sequence[Event] = [*schedule.events[:at], *schedule.events[at + part :]]
        candidate = replace(schedule, events=rest)
        if rest and fails(candidate):
            return candidate
    return None
