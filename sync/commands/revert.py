"""The command revert: what the sync wrote since a time is put back."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console

from sync.commands.opening import known_mapping, run
from sync.commands.output import TIMEOUT, WAITS, AsJson, emit, plain, table
from sync.commands.progress import progress
from sync.commands.working import opened_engine
from sync.jobs.asked import undoing
from sync.settings import Settings
from sync.store.reverts import OPEN
from sync.store.times import rfc3339

app = typer.Typer()

_NAMED = 10
"""So many links are named for each reason."""
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: datetime) -> datetime:
    """A time, or how long ago it was: ``2026-11-22T10:00:00Z``, ``2h``; a usage error for anything else.

    Without a zone it is UTC, and a date is its midnight, as in the configuration file.
    """
    ago = re.fullmatch(r"(\d+)\s*([smhd])", text.strip())
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time: write 2026-11-22T10:00:00Z, 2026-11-22, or 2h for two hours ago",
            param_hint="--since",
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@app.command()
def revert(
    mapping: Annotated[str, typer.Option("--mapping", help="Name of the mapping.")],
    since: Annotated[str, typer.Option("--since", help="A time, or how long ago: 2026-11-22T10:00Z, 2h.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List it, write nothing.")] = False,
    wait: Annotated[
        float, typer.Option("--timeout", min=0, help="Give up waiting after so many seconds (exit 4).")
    ] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Put back what stood in the fields before the sync wrote to them, on both sides.

    A field that somebody edited since stays as it is. What is replaced stands in the conflict list.
    """
    settings, at = Settings(), moment(since, datetime.now(UTC))

    async def work() -> tuple[dict[str, Any], bool]:
        async with opened_engine(settings) as engine:
            row = await known_mapping(engine.database, mapping)
            if dry_run:
                return await undoing.foretell(engine, row.id, at), False
            ids, late = await undoing.undo(engine, row.id, at), False
            with progress(as_json) as bar:
                bar.add_task(f"{len(ids)} fields to put back", total=None)
                try:
                    async with asyncio.timeout(wait):
                        await undoing.finish(engine, row.id, ids)
                except TimeoutError:
                    late = True
            return await undoing.told(engine, row.id, at, ids), late

    found, late = run(settings, work())
    document = {"mapping": mapping, "since": rfc3339(at), "dry_run": dry_run, **found}
    emit(document, as_json=as_json, show=lambda console: _show(found, dry_run, console))
    if not dry_run and any(entry["state"] == OPEN for entry in found["fields"]):
        raise typer.Exit(TIMEOUT if late else WAITS)


def _show(found: dict[str, Any], dry_run: bool, console: Console) -> None:
    rows = [
        [
            entry["link"],
            entry["side"],
            entry["field"],
            entry["from"],
            entry["to"],
            "would be put back" if dry_run and entry["state"] == OPEN else entry["state"],
            entry["reason"],
        ]
        for entry in found["fields"]
    ]
    columns = ["link", "side", "field", "written by us", "before", "state", "reason"]
    table("fields", columns, rows)(console)
    for reason, number in Counter(entry["reason"] for entry in found["left"]).items():
        links = list(dict.fromkeys(entry["link"] for entry in found["left"] if entry["reason"] == reason))
        named = ", ".join(map(str, links[:_NAMED])) + (", ..." if len(links) > _NAMED else "")
        console.print(plain(f"not undone, {number}: {reason} (links: {named})"), soft_wrap=True)
