"""What must be true when a town has come to rest: one function a promise, over what anybody could have seen.

The numbers are those of the invariants that each one checks. A check answers in sentences; nothing is good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.simulation.evidence import Evidence
from tests.simulation.promises.objects import (
    all_paired,
    comments_once,
    deletes_proven,
    files_once,
    kept_by_the_tool,
    limit_of_deletes,
    one_counterpart,
)
from tests.simulation.promises.pairs import Pair
from tests.simulation.promises.program import (
    acknowledged,
    at_rest,
    dead_left_alone,
    limits_kept,
    nothing_waits,
    pause_holds,
    polling_is_enough,
    soon,
    tokens_last,
)
from tests.simulation.promises.values import (
    converged,
    last_choice_stands,
    no_false_conflicts,
    nothing_comes_back,
    nothing_lost,
    nothing_twice,
    only_what_was_edited,
)

__all__ = ["Pair", "broken", "comments_once", "converged"]

CHECKS: Sequence[Callable[[Evidence], Iterator[str]]] = (
    converged,
    all_paired,
    nothing_lost,
    nothing_comes_back,
    last_choice_stands,
    one_counterpart,
    at_rest,
    soon,
    nothing_twice,
    only_what_was_edited,
    comments_once,
    files_once,
    tokens_last,
    dead_left_alone,
    acknowledged,
    limits_kept,
    deletes_proven,
    polling_is_enough,
    no_false_conflicts,
    pause_holds,
    limit_of_deletes,
    nothing_waits,
    kept_by_the_tool,
)


def broken(evidence: Evidence) -> list[str]:
    """Every promise that was broken."""
    return [*evidence.problems, *(said for check in CHECKS for said in check(evidence))]
