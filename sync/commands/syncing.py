"""The command sync: one run in the foreground."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any

import typer

from sync.commands.opening import known_mapping, run
from sync.commands.output import DONE, TIMEOUT, UNREACHABLE, WAITS, AsJson, emit, table
from sync.commands.progress import progress
from sync.commands.working import opened_engine
from sync.instance.standing import standing
from sync.jobs.connecting.states import NEEDS_REAUTH
from sync.jobs.once import work_until_quiet
from sync.settings import Settings

app = typer.Typer()

_PATIENCE_S = 60.0
"""Without --timeout: how long a provider may be away until the run ends with exit 3."""


@app.command()
def sync(
    mapping: Annotated[str | None, typer.Argument(help="One mapping; all of them if left out.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Poll both sides and work until quiet.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Compare everything, too.")] = False,
    wait: Annotated[
        float | None, typer.Option("--timeout", min=0, help="Give up after so many seconds (exit 4).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sync now, in the foreground. Exit 1 if something waits for a person, 4 at the timeout."""
    if not once:
        raise typer.BadParameter(
            "add --once: continuous sync is what 'asana-sync up' does", param_hint="sync"
        )
    settings = Settings()

    async def work() -> tuple[dict[str, Any], int]:
        async with opened_engine(settings) as engine:
            if mapping is not None:
                await known_mapping(engine.database, mapping)
            with progress(as_json) as bar:
                task = bar.add_task("starting", total=None)

                def show(seen: dict[str, Any]) -> None:
                    bar.update(task, description=_doing(seen), **_how_far(seen, mapping))

                patience_s = _PATIENCE_S if wait is None else math.inf
                try:
                    async with asyncio.timeout(wait):
                        seen = await work_until_quiet(
                            engine, mapping, full=full, progress=show, patience_s=patience_s
                        )
                except TimeoutError:
                    return await standing(engine.database, settings), TIMEOUT
        return seen, exit_code(seen, mapping)

    seen, code = run(settings, work())
    rows = [
        [
            entry["name"],
            entry["state"],
            entry["links"]["active"],
            entry["pending"],
            entry["conflicts_open"],
            entry["parked_open"],
            entry["reason"],
        ]
        for entry in seen["mappings"]
        if mapping in (None, entry["name"])
    ]
    columns = ["mapping", "state", "links", "pending", "conflicts", "parked", "reason"]
    emit(seen, as_json=as_json, show=table("sync", columns, rows))
    raise typer.Exit(code)


def _how_far(seen: dict[str, Any], mapping: str | None) -> dict[str, Any]:
    """Objects that first syncs have dealt with, and all of them; no total where none is under way."""
    found = [entry["first_sync"] for entry in seen["mappings"] if mapping in (None, entry["name"])]
    running = [each for each in found if each is not None and each["total"] is not None]
    if not running:
        return {"completed": 0, "total": None}
    return {
        "completed": sum(each["done"] for each in running),
        "total": sum(each["total"] for each in running),
    }


def _doing(seen: dict[str, Any]) -> str:
    pending = sum(entry["pending"] for entry in seen["mappings"])
    writes = sum(sum(entry["writes_total"].values()) for entry in seen["mappings"])
    return f"{pending} objects to look at, {writes} writes done"


def exit_code(seen: dict[str, Any], mapping: str | None) -> int:
    """1 where a person has to do something about what was synced; 3 where a provider is away."""
    mine = [entry for entry in seen["mappings"] if mapping in (None, entry["name"])]
    waits = any(
        entry["parked_open"]
        or entry["conflicts_undecided"]
        or entry["approval"]
        or entry["state"] in ("stopped", "paused")
        for entry in mine
    )
    used = {name for entry in mine for name in entry["connections"].values()}
    states = {entry["state"] for entry in seen["connections"] if entry["name"] in used}
    if waits or seen["paused"] or states & {NEEDS_REAUTH, "paused"}:
        return WAITS
    left = any(
        entry["pending"] or entry["in_flight"] or entry["confirming"] or entry["state"] == "first_sync"
        for entry in mine
    )
    return UNREACHABLE if left or ("unreachable" in states and not seen["quiet"]) else DONE
