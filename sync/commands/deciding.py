"""Commands by which a person decides: pause, resume, approve, link, unlink."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from connectors.records import Record
from sync.commands.opening import known_mapping, known_mappings, opened_database, run
from sync.commands.output import LARGEST_ID, AsJson, emit, line, say
from sync.jobs.connecting.states import NEEDS_REAUTH
from sync.settings import Settings
from sync.store import marks
from sync.store.audit import note
from sync.store.database import Database
from sync.store.status import approval
from sync.store.tables import Connection, Mapping, Setting
from sync.store.times import rfc3339

if TYPE_CHECKING:
    from sync.store.tables import Link

app = typer.Typer()

OfConnection = Annotated[str | None, typer.Option("--connection", help="Only this connection.")]
OfMapping = Annotated[str | None, typer.Option("--mapping", help="Only this mapping.")]
OfDirection = Annotated[
    Literal["to_asana", "from_asana"] | None,
    typer.Option("--direction", help="Only this direction: of the mapping, else of all that are meant."),
]


@app.command()
def pause(
    connection: OfConnection = None,
    mapping: OfMapping = None,
    direction: OfDirection = None,
    as_json: AsJson = False,
) -> None:
    """Stop writing: everything, or what is named. Writes in flight finish; intake goes on."""
    _switch(connection, mapping, direction, off=True, as_json=as_json)


@app.command()
def resume(
    connection: OfConnection = None,
    mapping: OfMapping = None,
    direction: OfDirection = None,
    as_json: AsJson = False,
) -> None:
    """Go on after a pause, or after a mapping was stopped."""
    _switch(connection, mapping, direction, off=False, as_json=as_json)


def _switch(
    connection: str | None, mapping: str | None, direction: str | None, *, off: bool, as_json: bool
) -> None:
    settings = Settings()
    target = " ".join(filter(None, (connection, mapping, direction))) or "everything"

    async def work() -> None:
        async with opened_database(settings) as database:
            chosen = await _meant(database, connection, mapping) if mapping or direction else []
            async with database.write() as session:
                now = datetime.now(UTC)
                if connection is not None:
                    await _switch_connection(session, connection, off if direction is None else None)
                for mapping_id in chosen:
                    await _switch_mapping(session, mapping_id, direction, off)
                if connection is None and mapping is None and direction is None:
                    await session.execute(delete(Setting).where(col(Setting.key) == "paused"))
                    session.add(Setting(key="paused", value=off))
                if not off:
                    living = (await session.execute(select(col(Mapping.id)))).scalars()
                    await marks.hurry(session, list(living), now)
                    if mapping is None:
                        await _say_what_stays(session)
                note(session, "pause" if off else "resume", target)

    run(settings, work())
    word = "paused" if off else "resumed"
    emit({"done": word, "target": target}, as_json=as_json, show=line(f"{word}: {target}"))


async def _say_what_stays(session: AsyncSession) -> None:
    """What stopped by itself goes on when it is named, and not with everything."""
    query = select(col(Mapping.name)).where(
        col(Mapping.state) == "stopped", col(Mapping.removed_at).is_(None)
    )
    for name in (await session.execute(query)).scalars():
        say(f"{name}: it stays stopped; 'asana-sync resume --mapping {name}' lets it go on")


async def _meant(database: Database, connection: str | None, mapping: str | None) -> list[int]:
    """The mapping that is named, else all, else those of the connection."""
    if mapping is not None:
        return [(await known_mapping(database, mapping)).id]
    rows = (await known_mappings(database)).values()
    async with database.read() as session:
        query = select(col(Connection.id)).where(col(Connection.name) == connection)
        of = (await session.execute(query)).scalar_one_or_none()
    return [
        row.id
        for row in rows
        if connection is None or of in (row.hub_connection_id, row.external_connection_id)
    ]


async def _switch_connection(session: AsyncSession, name: str, off: bool | None) -> None:
    """``off`` None: it only says which mappings are meant."""
    query = select(Connection).where(col(Connection.removed_at).is_(None))
    rows = {row.name: row for row in (await session.execute(query)).scalars()}
    if name not in rows:
        known = ", ".join(rows) or "none"
        raise typer.BadParameter(
            f"there is no connection {name!r}; known: {known}", param_hint="--connection"
        )
    if off is not None:
        rows[name].paused = off
        session.add(rows[name])
    if off is False and rows[name].state == NEEDS_REAUTH:
        say(f"{name}: its credentials were refused; 'asana-sync check {name}' asks whether they hold again")


async def _switch_mapping(session: AsyncSession, mapping_id: int, direction: str | None, off: bool) -> None:
    row = await session.get(Mapping, mapping_id)
    assert row is not None
    if direction is not None:
        paused = set(row.paused_directions) - {direction}
        row.paused_directions = sorted(paused | ({direction} if off else set()))
    else:
        row.paused = off
        if not off and row.state == "stopped":
            row.state, row.reason, row.approval, row.full_pass_due = "active", "", None, True
    session.add(row)


@app.command()
def approve(
    mapping: Annotated[str, typer.Argument(help="A mapping that stopped at its limit.")],
    as_json: AsJson = False,
) -> None:
    """Let the deletions happen that ``status`` lists under this mapping."""
    settings = Settings()

    async def work() -> int:
        async with opened_database(settings) as database:
            row = await known_mapping(database, mapping)
            async with database.write() as session:
                waiting = await approval(session, row)
                if waiting is None:
                    raise typer.BadParameter(f"nothing of {mapping} waits for approval")
                now = datetime.now(UTC)
                allowed = [action["link"] for action in waiting["actions"]]
                given = {**waiting, "approved": allowed, "at": rfc3339(now)}
                await session.execute(
                    update(Mapping)
                    .where(col(Mapping.id) == row.id)
                    .values(state="active", reason="", approval=given)
                )
                await marks.hurry(session, [row.id], now)
                note(session, "approve", mapping)
            return len(allowed)

    count = run(settings, work())
    emit({"approved": count}, as_json=as_json, show=line(f"{count} actions approved"))


@app.command()
def link(
    mapping: Annotated[str, typer.Argument(help="Name of the mapping.")],
    external: Annotated[
        str, typer.Argument(help="Key, URL or id of the external object, like acme/website#12.")
    ],
    task: Annotated[str, typer.Argument(help="Id or URL of the Asana task.")],
    as_json: AsJson = False,
) -> None:
    """Link two existing objects by hand; differences are settled by the mapping's policy."""
    from sync.commands.working import opened_engine
    from sync.jobs.asked import by_hand
    from sync.jobs.asked.not_possible import NotPossible

    settings = Settings()

    async def work() -> Link:
        async with opened_engine(settings) as engine:
            row = await known_mapping(engine.database, mapping)
            return await by_hand.link(
                engine, row.id, lambda record: _is(record, external), lambda record: _is(record, task)
            )

    try:
        made = run(settings, work())
    except NotPossible as error:
        raise typer.BadParameter(str(error)) from error
    emit({"id": made.id, "state": made.state}, as_json=as_json, show=line(f"link {made.id} made"))


def _is(record: Record, named: str) -> bool:
    """Whether a person means this object: by key, URL, id, or a URL that ends with the id."""
    wanted = named.strip().rstrip("/").casefold()
    names = {record.key.casefold(), record.url.casefold().rstrip("/"), record.ref.id.casefold()}
    return wanted in names or record.ref.id.casefold() in re.split(r"[/?#]", wanted)


@app.command()
def unlink(
    link_id: Annotated[int, typer.Argument(metavar="LINK", min=0, max=LARGEST_ID, help="Id of a link.")],
    as_json: AsJson = False,
) -> None:
    """End a link; neither object is changed or created again, and the card in a thread says so."""
    from sync.commands.working import opened_engine
    from sync.jobs.asked import by_hand
    from sync.jobs.asked.not_possible import NotPossible

    settings = Settings()

    async def work() -> None:
        async with opened_engine(settings) as engine:
            await by_hand.unlink(engine, link_id)

    try:
        run(settings, work())
    except NotPossible as error:
        raise typer.BadParameter(str(error), param_hint="LINK") from error
    emit({"id": link_id, "state": "unlinked"}, as_json=as_json, show=line(f"link {link_id}: unlinked"))
