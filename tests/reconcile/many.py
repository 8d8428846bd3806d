"""``python -m tests.reconcile.many``: the promises of the planner over a hundred thousand drawn cases."""

from __future__ import annotations

import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.reconcile.cases import draw, problems

CASES, AT_ONCE = 100_000, 2_000


def judge(seed: int) -> list[str]:
    """What is wrong with the cases of this seed."""
    chance = random.Random(seed)
    found = []
    for number in range(AT_ONCE):
        case = draw(chance.choice)
        found += [f"case {number} of seed {seed}: {said}: {case}" for said in problems(case)]
    return found


def main() -> int:
    began = time.monotonic()
    with ProcessPoolExecutor() as pool:
        found = [said for several in pool.map(judge, range(CASES // AT_ONCE)) for said in several]
    print(*found[:10], sep="\n", end="\n" if found else "")
    print(f"planner: {CASES} cases in {time.monotonic() - began:.0f} s, {len(found)} broken promises")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
