"""The command audit: does what stands on both sides agree?"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from sync.commands.opening import known_mapping, run
from sync.commands.output import WAITS, AsJson, emit, table
from sync.commands.progress import progress
from sync.commands.working import opened_engine
from sync.jobs.asked.audit import audit as compare
from sync.jobs.asked.preview import opened_route
from sync.settings import HUB, Settings

app = typer.Typer()


@app.command()
def audit(
    mapping: Annotated[str, typer.Argument(help="Name of a mapping.")], as_json: AsJson = False
) -> None:
    """Compare every pair on both sides. What differs without a reason goes to the conflict list (exit 1)."""
    settings = Settings()

    async def work() -> dict[str, Any]:
        async with opened_engine(settings) as engine:
            row = await known_mapping(engine.database, mapping)
            with progress(as_json) as bar:
                task = bar.add_task("opening", total=None)

                def tell(phase: str, done: int, total: int | None) -> None:
                    bar.update(task, description=phase, completed=done, total=total)

                route = await opened_route(engine, row.id)
                assert route is not None
                return {"mapping": mapping, **(await compare(engine, route, tell)).told()}

    found = run(settings, work())
    emit(found, as_json=as_json, show=lambda console: _show(found, console))
    if found["divergent"]:
        raise typer.Exit(WAITS)


def _show(found: dict[str, Any], console: Console) -> None:
    console.print(
        f"{found['pairs']} pairs: {found['in_step']} in step, {found['pending']} to be looked at by the next "
        f"pass, {found['unseen']} with an end that was not to be seen"
    )
    if not found["items"]:
        console.print("nothing diverges")
        return
    rows = [
        [item["link"], item["key"], item["field"], item[HUB], item["external"]] for item in found["items"]
    ]
    table("diverge: see asana-sync conflicts", ["link", "object", "field", HUB, "external"], rows)(console)
