"""Commands about the configuration in force and its accounts: apply, diff, export, check."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from sqlalchemy import select
from sqlmodel import col

from connectors import discover
from sync.commands.opening import run
from sync.commands.output import DONE, UNREACHABLE, WAITS, AsJson, emit, plain, say, table
from sync.commands.progress import progress
from sync.commands.working import opened_engine
from sync.configuration import Configuration, ConfigurationInvalid, Problem, read
from sync.jobs.configuring import applying
from sync.jobs.connecting import connections, states
from sync.jobs.engine import Engine
from sync.settings import Settings
from sync.store.tables import Connection

app = typer.Typer()

File = Annotated[Path, typer.Argument(help="Configuration file; - reads stdin.")]


_SHOWN = 5
"""Objects of each kind that are named; --json names a hundred."""


def text_of(file: Path) -> str:
    """The text of a file, or of stdin for ``-``; a usage error where there is none."""
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="FILE") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid(
            [Problem("", f"{file} is no text in UTF-8 (byte {error.start + 1})")]
        ) from None


def configuration_of(file: Path) -> Configuration:
    return read(text_of(file), os.environ, discover())


@app.command()
def apply(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and tell, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go on even if more than 50 writes follow.")] = False,
    other_account: Annotated[
        list[str] | None,
        typer.Option(help="A connection whose new credentials may belong to another account than before."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a configuration the one in force. Everything is checked first; nothing is applied by half."""
    settings, configuration = Settings(), configuration_of(file)
    if unknown := sorted(set(other_account or ()) - configuration.connections.keys()):
        known = ", ".join(configuration.connections)
        raise typer.BadParameter(
            f"there is no connection {unknown[0]!r}; known: {known}", param_hint="--other-account"
        )

    async def work() -> applying.Applied:
        async with opened_engine(settings) as engine:
            with progress(as_json) as bar:
                task = bar.add_task("asking both sides", total=None)

                def tell(phase: str, done: int, total: int | None) -> None:
                    bar.update(task, description=phase, completed=done, total=total)

                return await applying.apply(
                    engine,
                    configuration,
                    dry_run=dry_run,
                    consent=yes,
                    other_accounts=other_account or (),
                    tell=tell,
                )

    try:
        applied = run(settings, work())
    except applying.NeedsConsent as refused:
        _tell(refused.applied, done=False, as_json=as_json)
        say(f"{refused}: look at what would follow, then repeat with --yes")
        raise typer.Exit(WAITS) from None
    _tell(applied, done=not dry_run, as_json=as_json)


@app.command()
def diff(file: File, as_json: AsJson = False) -> None:
    """What ``apply`` would change."""
    apply(file, dry_run=True, yes=False, other_account=None, as_json=as_json)


def _tell(applied: applying.Applied, *, done: bool, as_json: bool) -> None:
    document = {
        "applied": done,
        "changes": applied.changes,
        "warnings": applied.warnings,
        "matched": {name: each.matched for name, each in applied.foreseen.items()},
        "creations": {name: each.creations for name, each in applied.foreseen.items()},
        "updates": {name: each.updates for name, each in applied.foreseen.items()},
        "comments": {name: each.comments for name, each in applied.foreseen.items()},
        "enters": {name: each.enters for name, each in applied.foreseen.items()},
        "leaves": {name: each.leaves for name, each in applied.foreseen.items()},
        "written": {name: each.written for name, each in applied.foreseen.items()},
        "writes": applied.writes,
    }

    def show(console: Console) -> None:
        if not applied.changes:
            console.print("nothing changes")
        for change in applied.changes:
            console.print(plain(f"{'done' if done else 'would change'}: {change}"), soft_wrap=True)
        would = "will" if done else "would"
        for name, each in applied.foreseen.items():
            told = f"{name}: {each.creations} objects {would} be created, {each.updates} updated"
            more = f", {each.comments} comments copied" if each.comments else ""
            more += f", {each.matched} pairs of one title linked" if each.matched else ""
            console.print(plain(told + more), soft_wrap=True)
            _list("enters", each.enters, each.creations, console)
            _list("leaves, and nothing is written to it", each.leaves, each.left, console)
            _list("written", each.written, len(each.written), console)

    for warning in applied.warnings:
        say(f"warning: {warning}")
    emit(document, as_json=as_json, show=show)


def _list(what: str, named: list[dict[str, Any]], number: int, console: Console) -> None:
    """The first few by name."""
    for entry in named[:_SHOWN]:
        fields = ", ".join(str(part["field"]) for part in entry.get("fields", ()))
        words = [f"  {what}:", entry["key"] or entry["url"], entry["title"], f"({fields})" if fields else ""]
        console.print(plain(" ".join(str(word) for word in words if word)), soft_wrap=True)
    if number > _SHOWN:
        console.print(f"  {what}: {number - _SHOWN} more, see --json or asana-sync preview --config FILE")


@app.command()
def export(as_json: AsJson = False) -> None:
    """The configuration in force, as a file; credentials are named, never shown."""
    settings = Settings()

    async def work() -> dict[str, Any]:
        async with opened_engine(settings) as engine:
            return await applying.exported(engine)

    document = run(settings, work())
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    emit(document, as_json=as_json, show=lambda console: console.out(text, highlight=False, end=""))


@app.command()
def check(
    connection: Annotated[str | None, typer.Argument(help="One connection; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Credentials, permissions in each mapped container, clocks. Exit 3: unreachable, 1: one needs you."""
    settings = Settings()

    async def work() -> list[dict[str, Any]]:
        async with opened_engine(settings) as engine:
            async with engine.database.read() as session:
                query = select(Connection).where(col(Connection.removed_at).is_(None))
                rows = list((await session.execute(query.order_by(col(Connection.id)))).scalars())
            chosen = [row for row in rows if connection in (None, row.name)]
            if connection is not None and not chosen:
                known = ", ".join(row.name for row in rows) or "none"
                raise typer.BadParameter(f"there is no connection {connection!r}; known: {known}")
            mapped = await connections.containers(engine)
            return [await _check(engine, row, sorted(mapped.get(row.id, ()))) for row in chosen]

    found = run(settings, work())
    emit({"items": found, "next": None}, as_json=as_json, show=lambda console: _show(found, console))
    found_states = {row["state"] for row in found}
    if states.UNREACHABLE in found_states:
        raise typer.Exit(UNREACHABLE)
    raise typer.Exit(WAITS if found_states - {states.OK} or any(_missing(row) for row in found) else DONE)


def _missing(row: dict[str, Any]) -> list[tuple[str, str]]:
    """(container, or empty for all of them; what is missing and what that costs)."""
    everywhere = [("", sentence) for sentence in row["missing"]]
    return everywhere + [(each["id"], sentence) for each in row["containers"] for sentence in each["missing"]]


def _show(found: list[dict[str, Any]], console: Console) -> None:
    rows = [
        [row["name"], row["state"], row["account"]["name"], row["clock_offset_s"], row["reason"]]
        for row in found
    ]
    table("connections", ["connection", "state", "account", "clock offset (s)", "remarks"], rows)(console)
    missing = [[row["name"], container, sentence] for row in found for container, sentence in _missing(row)]
    if missing:
        table("missing", ["connection", "container", "what, and what goes without it"], missing)(console)


async def _check(engine: Engine, row: Connection, containers: list[str]) -> dict[str, Any]:
    """Ask now, and keep what is learnt: a running instance goes on where the credentials work again."""
    account = await connections.check(engine, row)
    async with engine.database.read() as session:
        stored = await session.get(Connection, row.id)
    assert stored is not None
    state = stored.state if account is None or stored.state != states.OK else states.OK
    if account is None and state == states.OK:  # it asked for silence
        state = states.UNREACHABLE
    return {
        "name": row.name,
        "connector": row.connector,
        "site": row.site,
        "state": state,
        "account": {"id": stored.account_id or None, "name": stored.account_name or None},
        "missing": stored.missing if account is not None else [],
        "containers": [
            {"id": container, "missing": await connections.lacks(engine, row, container)}
            for container in (containers if account is not None else ())
        ],
        "clock_offset_s": round(account.clock_offset_s, 3) if account is not None else None,
        "reason": stored.reason,
    }
