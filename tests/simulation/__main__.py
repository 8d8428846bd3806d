"""``python -m tests.simulation --seed N`` tells the story of one seed, ``--seeds N`` runs many of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from math import inf

from tests.simulation.disk import Disk, disk
from tests.simulation.hours import repeatable
from tests.simulation.many import Verdict, judged, regressions
from tests.simulation.promises import broken
from tests.simulation.run import run
from tests.simulation.schedule import Schedule, draw
from tests.simulation.shrinking import shrunk
from tests.simulation.tools import EXTERNAL


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell what happens in this one")
    parser.add_argument("--seeds", type=int, default=100, help="so many, and those that failed once")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--length", type=int, default=50, help="events of each")
    parser.add_argument("--minutes", type=float, default=inf, help="after so many no other seed is begun")
    parser.add_argument("--tool", choices=EXTERNAL, default="github", help="what stands beside Asana")
    parser.add_argument("--jobs", type=int, default=None, help="side by side; as many as there are cores")
    parser.add_argument("--shrink", action="store_true", help="leave out what is not needed to fail")
    given = parser.parse_args()
    if given.seed is not None:
        return tell(draw(given.seed, given.length, given.tool), shrink=given.shrink)
    seeds = [*regressions(given.tool), *range(given.first, given.first + given.seeds)]
    return count(judged(seeds, given.length, given.tool, jobs=given.jobs), seeds, given)


def tell(schedule: Schedule, *, shrink: bool) -> int:
    with disk() as place:
        if shrink:
            schedule = _shrunk(schedule, place)
        evidence = run(schedule, place)
    print("\n".join(evidence.story))
    problems = broken(evidence)
    print("\n".join(problems) or f"Every promise held ({evidence.cpu_s:.1f} s of CPU).")
    return 1 if problems else 0


def _shrunk(schedule: Schedule, place: Disk) -> Schedule:
    """The fewest events that break a promise of the same number."""

    def numbers(candidate: Schedule) -> set[str]:
        return {problem.partition(":")[0] for problem in broken(run(candidate, place))}

    wanted = numbers(schedule)
    return shrunk(schedule, lambda candidate: bool(numbers(candidate) & wanted)) if wanted else schedule


def count(verdicts: Iterator[Verdict], seeds: Sequence[int], given: argparse.Namespace) -> int:
    began, cpu_s, failed, done = time.monotonic(), 0.0, 0, 0
    for verdict in verdicts:
        done, cpu_s = done + 1, cpu_s + verdict.cpu_s
        if verdict.problems:
            failed += 1
            print(f"seed {verdict.seed} broke", *verdict.problems, sep="\n    ", flush=True)
        if done % 25 == 0:
            print(f"{done} of {len(seeds)} seeds, {failed} failed", flush=True)
        if time.monotonic() - began > 60 * given.minutes:
            break
    took = f"{time.monotonic() - began:.0f} s, {cpu_s:.0f} s of CPU"
    number = (
        f"{done} seeds"
        if done == len(seeds)
        else f"{done} of {len(seeds)} seeds (there was no time for more)"
    )
    print(f"simulation with {given.tool}: {number} x {given.length} events in {took}; {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    repeatable()
    sys.exit(main())
