"""The conflict list: edits that did not win, restored or dismissed by hand."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import typer
from sqlmodel import col, update

from sync.commands.opening import opened_database, run
from sync.commands.output import (
    LARGEST_ID,
    TIMEOUT,
    WAITS,
    After,
    AsJson,
    Limit,
    OfMapping,
    emit,
    line,
    listing,
)
from sync.commands.watching import page_of
from sync.settings import HUB, Settings
from sync.store import listings
from sync.store.audit import note
from sync.store.tables import Conflict

app = typer.Typer(
    name="conflicts", help="The conflict list: edits that did not win.", invoke_without_command=True
)

Entry = Annotated[int, typer.Argument(metavar="ID", min=0, max=LARGEST_ID, help="Id of a conflict.")]


@app.callback()
def conflicts(
    context: typer.Context,
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    as_json: AsJson = False,
) -> None:
    """List edits that did not win, with both values."""
    if context.invoked_subcommand is not None:
        return
    found = page_of(listings.conflicts_page, limit=limit, after=after, mapping=mapping)
    rows = [
        [
            row["id"],
            row["field"],
            row["kind"],
            row["state"],
            row["winner"],
            row[HUB]["value"],
            row["external"]["value"],
        ]
        for row in found["items"]
    ]
    columns = ["id", "field", "kind", "state", "winner", HUB, "external"]
    emit(found, as_json=as_json, show=listing(found, "conflicts", columns, rows))


@app.command()
def restore(
    entry: Entry,
    side: Annotated[
        Literal["asana", "external"] | None, typer.Option(help="Whose value, where none won yet.")
    ] = None,
    wait: Annotated[
        float, typer.Option("--timeout", min=0, help="Give up waiting for both sides after so many seconds.")
    ] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Put the losing value back on both sides, and wait until both have it. Exit 4 at the timeout."""
    from sync.commands.working import opened_engine
    from sync.jobs.asked import by_hand
    from sync.jobs.asked.not_possible import NotPossible

    settings = Settings()

    async def work() -> tuple[dict[str, Any], bool]:
        async with opened_engine(settings) as engine:
            asked_at, late = engine.now(), False
            await by_hand.ask_to_restore(engine, entry, side)
            try:
                async with asyncio.timeout(wait):
                    await by_hand.restore(engine, entry)
            except TimeoutError:
                late = True
            return await by_hand.restoration(engine, entry, asked_at), late

    try:
        found, late = run(settings, work())
    except NotPossible as error:
        raise typer.BadParameter(str(error), param_hint="ID") from error
    emit(found, as_json=as_json, show=line(f"conflict {entry}: {found['state']}"))
    if found["state"] != "restored":
        raise typer.Exit(TIMEOUT if late else WAITS)


@app.command()
def dismiss(entry: Entry, as_json: AsJson = False) -> None:
    """Take an entry off the open list; nothing is written."""
    settings = Settings()

    async def work() -> None:
        async with opened_database(settings) as database, database.write() as session:
            done = await session.execute(
                update(Conflict)
                .where(col(Conflict.id) == entry, col(Conflict.state) == "open")
                .values(state="dismissed", restoring="")
                .returning(col(Conflict.id))
            )
            if done.scalar_one_or_none() is None:
                raise typer.BadParameter(f"there is no open conflict {entry}", param_hint="ID")
            note(session, "dismiss", str(entry))

    run(settings, work())
    emit({"id": entry, "state": "dismissed"}, as_json=as_json, show=line(f"conflict {entry}: dismissed"))
