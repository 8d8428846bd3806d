"""What waits for a person: looked at, tried again, or left alone."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from sync.commands.opening import opened_database, run
from sync.commands.output import LARGEST_ID, After, AsJson, Limit, OfMapping, emit, line, listing
from sync.commands.watching import page_of
from sync.settings import Settings
from sync.store import listings, parking
from sync.store.audit import note

app = typer.Typer(name="parked", help="What waits for a person.", invoke_without_command=True)

ParkClassName = Literal["rejected", "not_supported", "ambiguous", "permission", "loop"]


@app.callback()
def parked(
    context: typer.Context,
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    ignored: Annotated[bool, typer.Option("--ignored", help="What nobody is asked about any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what waits for a person, with the reason and what to do."""
    if context.invoked_subcommand is not None:
        return
    state = parking.IGNORED if ignored else parking.OPEN
    found = page_of(partial(listings.parked_page, state=state), limit=limit, after=after, mapping=mapping)
    shown = ("id", "mapping", "what", "object", "class", "field", "reason", "fix", "attempts")
    rows = [[row[name] for name in shown] for row in found["items"]]
    columns = ["id", "mapping", "what", "object", "class", "field", "reason", "what to do", "tries"]
    emit(found, as_json=as_json, show=listing(found, "parked", columns, rows))


@app.command()
def retry(
    entry: Annotated[
        int | None, typer.Argument(metavar="[ID]", min=0, max=LARGEST_ID, help="Id of a parked entry.")
    ] = None,
    park_class: Annotated[
        ParkClassName | None, typer.Option("--class", help="All that wait with this class instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try again, now that the cause is gone."""
    if (entry is None) == (park_class is None):
        raise typer.BadParameter("name one ID, or one --class")
    from sync.commands.working import opened_engine
    from sync.jobs.asked import by_hand

    settings = Settings()

    async def work() -> int:
        async with opened_engine(settings) as engine:
            return await by_hand.retry(engine, entry, park_class)

    count = run(settings, work())
    if entry is not None and not count:
        raise typer.BadParameter(f"there is nothing parked with id {entry}", param_hint="ID")
    emit({"retried": count}, as_json=as_json, show=line(f"{count} will be tried again"))


@app.command()
def ignore(
    entry: Annotated[int, typer.Argument(metavar="ID", min=0, max=LARGEST_ID, help="Id of a parked entry.")],
    as_json: AsJson = False,
) -> None:
    """Stop asking about it; it stays as it is."""
    settings = Settings()

    async def work() -> None:
        async with opened_database(settings) as database, database.write() as session:
            if not await parking.ignore(session, entry):
                raise typer.BadParameter(f"there is nothing parked with id {entry}", param_hint="ID")
            note(session, "ignore", str(entry))

    run(settings, work())
    emit({"id": entry, "state": "ignored"}, as_json=as_json, show=line(f"{entry}: ignored"))
