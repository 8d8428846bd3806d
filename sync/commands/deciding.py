"""Commands by which a person decides: pause, resume, restore, retry, link, unlink, approve."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from connectors.records import Record
from sync.commands import opening, watching
from sync.commands.opening import TIMEOUT, WAITS, emit, opened_database, opened_engine, run
from sync.commands.running import AsJson
from sync.commands.watching import After, Limit, OfMapping
from sync.jobs import by_hand
from sync.jobs.engine import Engine
from sync.jobs.passes import sync_mapping
from sync.settings import Settings
from sync.store import listings, marks
from sync.store.tables import Audit, Conflict, Connection, Link, Mapping, Parked, Setting, Write

conflicts_app = typer.Typer(help="The conflict list: edits that did not win.", invoke_without_command=True)
parked_app = typer.Typer(help="What waits for a person.", invoke_without_command=True)


def _now() -> datetime:
    return datetime.now(UTC)


def _audit(session: AsyncSession, action: str, target: str) -> None:
    session.add(Audit(at=_now(), action=action, target=target))


def pause(
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    mapping: Annotated[str | None, typer.Option(help="Only this mapping.")] = None,
    direction: Annotated[
        str | None, typer.Option(help="Only this direction of the mapping: to_asana or from_asana.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Stop writing: everything, or what is named. Writes in flight finish; intake goes on."""
    _switch(True, connection, mapping, direction, as_json)


def resume(
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    mapping: Annotated[str | None, typer.Option(help="Only this mapping.")] = None,
    direction: Annotated[str | None, typer.Option(help="Only this direction of the mapping.")] = None,
    as_json: AsJson = False,
) -> None:
    """Go on after a pause, or after a mapping was stopped."""
    _switch(False, connection, mapping, direction, as_json)


def _switch(
    off: bool, connection: str | None, mapping: str | None, direction: str | None, as_json: bool
) -> None:
    if direction is not None and (direction not in ("to_asana", "from_asana") or mapping is None):
        raise typer.BadParameter("--direction is to_asana or from_asana, and goes with --mapping")

    async def work() -> None:
        async with opened_database(Settings()) as database:
            row = await opening.known_mapping(database, mapping)
            async with database.write() as session:
                if connection is not None:
                    await _switch_connection(session, connection, off)
                if row is not None:
                    await _switch_mapping(session, row.id, direction, off)
                if connection is None and mapping is None:
                    await session.execute(delete(Setting).where(col(Setting.key) == "paused"))
                    session.add(Setting(key="paused", value=off))
                if not off:
                    living = (await session.execute(select(col(Mapping.id)))).scalars()
                    await marks.hurry(session, list(living), _now())
                target = " ".join(filter(None, (connection, mapping, direction))) or "everything"
                _audit(session, "pause" if off else "resume", target)

    run(work())
    word = "paused" if off else "resumed"
    target = " ".join(filter(None, (connection, mapping, direction))) or "everything"
    emit(
        {"done": word, "target": target},
        as_json=as_json,
        show=lambda console: console.print(f"{word}: {target}"),
    )


async def _switch_connection(session: AsyncSession, name: str, off: bool) -> None:
    statement = (
        update(Connection)
        .where(col(Connection.name) == name, col(Connection.removed_at).is_(None))
        .values(paused=off)
        .returning(col(Connection.id))
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        raise typer.BadParameter(f"there is no connection {name!r}", param_hint="--connection")


async def _switch_mapping(session: AsyncSession, mapping_id: int, direction: str | None, off: bool) -> None:
    row = await session.get(Mapping, mapping_id)
    assert row is not None
    if direction is not None:
        paused = set(row.paused_directions) - {direction}
        row.paused_directions = sorted(paused | ({direction} if off else set()))
    else:
        row.paused = off
        if not off and row.state == "stopped":
            row.state, row.reason, row.full_pass_due = "active", "", True
    session.add(row)


def approve(
    mapping: Annotated[str, typer.Argument(help="A mapping that stopped at its limit.")],
    as_json: AsJson = False,
) -> None:
    """Let the deletions happen that ``status`` lists under this mapping."""

    async def work() -> int:
        async with opened_database(Settings()) as database:
            row = await opening.known_mapping(database, mapping)
            assert row is not None
            if not row.approval or "approved" in row.approval:
                raise typer.BadParameter(f"nothing of {mapping} waits for approval")
            allowed = [action["link"] for action in row.approval["actions"]]
            async with database.write() as session:
                await session.execute(
                    update(Mapping)
                    .where(col(Mapping.id) == row.id)
                    .values(state="active", reason="", approval={**row.approval, "approved": allowed})
                )
                await marks.hurry(session, [row.id], _now())
                _audit(session, "approve", mapping)
            return len(allowed)

    count = run(work())
    emit(
        {"approved": count}, as_json=as_json, show=lambda console: console.print(f"{count} actions approved")
    )


@conflicts_app.callback()
def conflicts(
    context: typer.Context,
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    as_json: AsJson = False,
) -> None:
    """List edits that did not win, with both values."""
    if context.invoked_subcommand is None:
        watching.show_conflicts(limit, after, mapping, as_json)


@conflicts_app.command("restore")
def restore(
    entry: Annotated[int, typer.Argument(metavar="ID", help="Id of a conflict.")],
    side: Annotated[
        str | None, typer.Option(help="Which value where none won yet: asana or external.")
    ] = None,
    wait: Annotated[
        float | None, typer.Option("--timeout", min=0, help="Give up waiting after so many seconds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put the losing value back on both sides, and wait until both have it."""
    settings = Settings()

    async def work() -> dict[str, Any]:
        async with opened_engine(settings) as engine:
            mapping_id = await by_hand.ask_to_restore(engine, entry, side)
            try:
                async with asyncio.timeout(wait):
                    while True:
                        await sync_mapping(engine, mapping_id)
                        row = await _get(engine, Conflict, entry)
                        if not row.restoring or row.state != "open":
                            break
                        await asyncio.sleep(0.1)
            except TimeoutError:
                pass
            return await _restored(engine, entry)

    try:
        found = run(work())
    except by_hand.NotPossible as error:
        raise typer.BadParameter(str(error), param_hint="ID") from error
    emit(found, as_json=as_json, show=lambda console: console.print(f"conflict {entry}: {found['state']}"))
    if found["state"] != "restored":
        raise typer.Exit(TIMEOUT if wait is not None else WAITS)


async def _get(engine: Engine, table: type[SQLModel], row_id: int) -> Any:
    async with engine.database.read() as session:
        return await session.get(table, row_id)


async def _restored(engine: Engine, entry: int) -> dict[str, Any]:
    async with engine.database.read() as session:
        conflict = await session.get(Conflict, entry)
        assert conflict is not None
        query = select(Write).where(
            col(Write.link_id) == conflict.link_id, col(Write.reason) == f"restore {entry}"
        )
        written = list((await session.execute(query)).scalars())
    return {
        "id": entry,
        "state": conflict.state,
        "writes": [{"id": row.id, "side": row.side, "state": row.state} for row in written],
    }


@conflicts_app.command("dismiss")
def dismiss(
    entry: Annotated[int, typer.Argument(metavar="ID", help="Id of a conflict.")], as_json: AsJson = False
) -> None:
    """Take an entry off the open list; nothing is written."""

    async def work() -> None:
        async with opened_database(Settings()) as database, database.write() as session:
            done = await session.execute(
                update(Conflict)
                .where(col(Conflict.id) == entry, col(Conflict.state) == "open")
                .values(state="dismissed")
                .returning(col(Conflict.id))
            )
            if done.scalar_one_or_none() is None:
                raise typer.BadParameter(f"there is no open conflict {entry}", param_hint="ID")
            _audit(session, "dismiss", str(entry))

    run(work())
    emit(
        {"id": entry, "state": "dismissed"},
        as_json=as_json,
        show=lambda console: console.print(f"conflict {entry}: dismissed"),
    )


@parked_app.callback()
def parked(
    context: typer.Context,
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for a person, with the reason and what to do."""
    if context.invoked_subcommand is None:
        watching.show_parked(limit, after, mapping, as_json)


@parked_app.command("retry")
def retry(
    entry: Annotated[int | None, typer.Argument(metavar="[ID]", help="Id of a parked entry.")] = None,
    park_class: Annotated[str | None, typer.Option("--class", help="All of this class instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try again, now that the cause is gone."""
    if (entry is None) == (park_class is None):
        raise typer.BadParameter("name one ID, or one --class")

    async def work() -> int:
        async with opened_engine(Settings()) as engine:
            return await by_hand.retry(engine, entry, park_class)

    count = run(work())
    if not count:
        raise typer.BadParameter("there is nothing parked like that")
    emit(
        {"retried": count},
        as_json=as_json,
        show=lambda console: console.print(f"{count} will be tried again"),
    )


@parked_app.command("ignore")
def ignore(entry: Annotated[int, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Stop asking about it; it stays as it is."""

    async def work() -> None:
        async with opened_database(Settings()) as database, database.write() as session:
            done = await session.execute(
                update(Parked)
                .where(col(Parked.id) == entry)
                .values(state="ignored")
                .returning(col(Parked.id))
            )
            if done.scalar_one_or_none() is None:
                raise typer.BadParameter(f"there is nothing parked with id {entry}", param_hint="ID")
            _audit(session, "ignore", str(entry))

    run(work())
    emit(
        {"id": entry, "state": "ignored"},
        as_json=as_json,
        show=lambda console: console.print(f"{entry}: ignored"),
    )


def link(
    mapping: Annotated[str, typer.Argument(help="Name of the mapping.")],
    external: Annotated[
        str, typer.Argument(help="Key, URL or id of the external object, like acme/website#12.")
    ],
    task: Annotated[str, typer.Argument(help="Id or URL of the Asana task.")],
    as_json: AsJson = False,
) -> None:
    """Link two existing objects by hand; differences are settled by the mapping's policy."""

    async def work() -> Link:
        async with opened_engine(Settings()) as engine:
            row = await opening.known_mapping(engine.database, mapping)
            assert row is not None
            return await by_hand.link(engine, row.id, lambda r: _is(r, external), lambda r: _is(r, task))

    try:
        made = run(work())
    except by_hand.NotPossible as error:
        raise typer.BadParameter(str(error)) from error
    emit({"id": made.id}, as_json=as_json, show=lambda console: console.print(f"link {made.id} made"))


def _is(record: Record, named: str) -> bool:
    """Whether a person means this object: by key, URL, id, or a URL that ends with the id."""
    wanted = named.strip().rstrip("/").casefold()
    names = {record.key.casefold(), record.url.casefold().rstrip("/"), record.ref.id.casefold()}
    return wanted in names or record.ref.id.casefold() in re.split(r"[/?#]", wanted)


def unlink(
    link_id: Annotated[int, typer.Argument(metavar="LINK", help="Id of a link.")], as_json: AsJson = False
) -> None:
    """End a link; nothing is written at the providers, and neither object is created again."""

    async def work() -> None:
        async with opened_engine(Settings()) as engine:
            await by_hand.unlink(engine, link_id)

    try:
        run(work())
    except by_hand.NotPossible as error:
        raise typer.BadParameter(str(error), param_hint="LINK") from error
    emit(
        {"id": link_id, "state": "unlinked"},
        as_json=as_json,
        show=lambda console: console.print(f"link {link_id}: unlinked"),
    )
