"""The command that tells who is who."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console

from connectors.errors import ConnectorError
from sync.commands.opening import run
from sync.commands.output import UNREACHABLE, AsJson, emit, plain, say, table
from sync.commands.working import opened_engine
from sync.jobs.connecting import connections
from sync.jobs.engine import Engine
from sync.jobs.routing.roster import Couple, couples, roster
from sync.settings import HUB, Settings
from sync.store.tables import Connection

app = typer.Typer()


@app.command()
def people(as_json: AsJson = False) -> None:
    """Who is who: matched, guessed (never used), and unmatched. Exit 3: a provider could not be asked."""
    settings = Settings()

    async def work() -> tuple[list[dict[str, Any]], bool]:
        async with opened_engine(settings) as engine:
            async with engine.database.read() as session:
                found = await couples(session)
            told = await _ask(engine, found)
            async with engine.database.read() as session:
                return [item for couple in found for item in await roster(session, couple)], told

    items, told = run(settings, work())
    emit({"items": items, "next": None}, as_json=as_json, show=lambda console: _show(items, console))
    if not told:
        raise typer.Exit(UNREACHABLE)


async def _ask(engine: Engine, found: Sequence[Couple]) -> bool:
    """List everybody anew; whether all providers told. Else what they told last is shown."""
    mapped = await connections.containers(engine)
    involved: dict[int, Connection] = {
        each.id: each for couple in found for each in (couple.hub, couple.external)
    }
    told = True
    for connection in involved.values():
        try:
            await connections.refresh_people(engine, connection, sorted(mapped.get(connection.id, set())))
        except ConnectorError as error:
            told = False
            say(f"{connection.name} could not be asked now, this is what it told last: {error.reason}")
    return told


def _show(items: Sequence[dict[str, Any]], console: Console) -> None:
    columns = ["how", HUB, "external", "on", "remarks"]
    rows = [
        [
            item["how"],
            _name(item[HUB]),
            _name(item["external"]),
            item["connections"]["external"],
            item["reason"],
        ]
        for item in items
    ]
    table("people", columns, rows)(console)
    lines = [item["line"] for item in items if item["line"]]
    if lines:
        console.print("\nLines for the configuration file, after a look at each (? is for you to fill in):")
        console.print("people:")
        for line in lines:
            console.print(plain(f"  {line}"), soft_wrap=True)


def _name(user: dict[str, Any] | None) -> str:
    if user is None:
        return ""
    address = user["email"] or user["login"] or user["id"]
    shown = user["name"] if user["name"] == address else f"{user['name']} <{address}>"
    return shown if user["active"] else f"{shown} (not listed any more)"
