"""``make bench [JSON=FILE]``: every measure in one run, as a table and as JSON.

The keys are fixed; aims and workloads stand in README.md, "How fast it is".
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.measures import MEASURES, measured

AIMS = {
    "ratio_to_floor": ">= 0.6",
    "ceiling_share": ">= 0.8",
    "calls_per_change_bulk": "<= 1.1",
    "calls_per_change_single": "<= 4",
    "latency_p50_s": "<= 0.3",
    "latency_p99_s": "<= 1.5",
    "live_during_backfill_p95_s": "<= 2",
    "intake_per_s": ">= 500",
    "intake_p99_s": "<= 0.1",
    "intake_during_backfill_p99_s": "<= 0.1",
    "modal_p99_s": "<= 0.5",
    "delta_pass_100k_s": "<= 2",
    "delta_pass_100k_writes": "0",
    "full_pass_100k_s": "<= 60",
    "rss_mb_100k": "<= 250",
}


def run(chosen: list[str], part: float, console: Console) -> dict[str, float]:
    """Each in a process of its own: what the simulators of one still hold must not slow down the next."""
    found: dict[str, float] = {}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        for name in chosen:
            with console.status(f"measuring {name}"):
                figures = fresh.submit(measured, name, part).result()
            console.print(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in figures.items()))
            found |= figures
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--part", type=float, default=1.0, help="so much of each workload, to try it out")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"some of: {', '.join(MEASURES)}")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    figures = run(arguments.measures or list(MEASURES), arguments.part, console)
    document = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "cpus": os.cpu_count(), **figures}
    table = Table("measure", "figure", "aim", title=f"{document['at']}, {document['cpus']} processors")
    for key, aim in AIMS.items():
        table.add_row(key, f"{figures[key]:.3g}" if key in figures else "not measured", aim)
    for key in [each for each in figures if each not in AIMS]:  # what they are compared with
        table.add_row(key, f"{figures[key]:.3g}", "")
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
