"""Commands about the configuration and the accounts: apply, diff, export, check, connectors, settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import select
from sqlmodel import col

from connectors import discover
from connectors.errors import ConnectorError, PauseConnection
from sync import __version__
from sync.commands.opening import DONE, UNREACHABLE, USAGE, WAITS, emit, opened_engine, run, say, table
from sync.commands.running import AsJson
from sync.configuration import Configuration, load
from sync.jobs import applying
from sync.jobs.connections import NEEDS_REAUTH, OK, note
from sync.jobs.engine import Engine
from sync.settings import Settings
from sync.store.tables import Connection


def _read(file: Path) -> Configuration:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}", param_hint="FILE") from error
    return load(text, os.environ, discover())


def apply(
    file: Annotated[Path, typer.Argument(help="Configuration file; - reads stdin.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and tell, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go on even if more than 50 writes follow.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a configuration the one in force. Everything is checked first; nothing is applied by half."""
    configuration = _read(file)

    async def work() -> applying.Applied:
        async with opened_engine(Settings()) as engine:
            return await applying.apply(engine, configuration, dry_run=dry_run, consent=yes)

    try:
        applied = run(work())
    except applying.NeedsConsent as refused:
        for name, count in refused.applied.creations.items():
            say(f"{name}: {count} objects would be created")
        say("That is more than 50 writes: look at them, then repeat with --yes.")
        raise typer.Exit(USAGE) from None
    _tell(applied, dry_run=dry_run, as_json=as_json)


def diff(
    file: Annotated[Path, typer.Argument(help="Configuration file; - reads stdin.")], as_json: AsJson = False
) -> None:
    """What ``apply`` would change."""
    apply(file, dry_run=True, yes=False, as_json=as_json)


def _tell(applied: applying.Applied, *, dry_run: bool, as_json: bool) -> None:
    document = {
        "applied": not dry_run,
        "changes": applied.changes,
        "warnings": applied.warnings,
        "creations": applied.creations,
    }

    def show(console: Console) -> None:
        for change in applied.changes or ["nothing changes"]:
            console.print(
                f"{'would change' if dry_run and applied.changes else 'done'}: {change}", highlight=False
            )

    for warning in applied.warnings:
        say(f"warning: {warning}")
    emit(document, as_json=as_json, show=show)


def export(as_json: AsJson = False) -> None:
    """The configuration in force, as a file; credentials are named, never shown."""

    async def work() -> dict[str, Any]:
        async with opened_engine(Settings()) as engine:
            return await applying.exported(engine)

    document = run(work())
    emit(
        document,
        as_json=as_json,
        show=lambda console: print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), end=""),  # noqa: T201
    )


def check(
    connection: Annotated[str | None, typer.Argument(help="One connection; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Credentials, scopes, reachability, clock offset. Exit 3: unreachable, 1: one needs you."""

    async def work() -> list[dict[str, Any]]:
        async with opened_engine(Settings()) as engine:
            async with engine.database.read() as session:
                query = select(Connection).where(col(Connection.removed_at).is_(None))
                rows = list((await session.execute(query)).scalars())
            chosen = [row for row in rows if connection in (None, row.name)]
            if connection is not None and not chosen:
                known = ", ".join(row.name for row in rows) or "none"
                raise typer.BadParameter(f"there is no connection {connection!r}; known: {known}")
            return [await _check(engine, row) for row in chosen]

    found = run(work())
    rows = [
        [
            row["name"],
            row["state"],
            row["account"],
            row["clock_offset_s"],
            "; ".join(row["missing"]) or row["reason"],
        ]
        for row in found
    ]
    columns = ["connection", "state", "account", "clock offset (s)", "remarks"]
    emit({"items": found}, as_json=as_json, show=table("connections", columns, rows))
    states = {row["state"] for row in found}
    if "unreachable" in states:
        raise typer.Exit(UNREACHABLE)
    raise typer.Exit(WAITS if states - {OK} or any(row["missing"] for row in found) else DONE)


async def _check(engine: Engine, row: Connection) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "name": row.name,
        "connector": row.connector,
        "site": row.site,
        "state": OK,
        "account": None,
        "missing": [],
        "clock_offset_s": None,
        "reason": "",
    }
    try:
        account = await (await engine.sessions.get(row)).check()
    except PauseConnection as error:
        await note(engine, row.id, NEEDS_REAUTH, error.reason)
        return {**answer, "state": NEEDS_REAUTH, "reason": error.reason}
    except ConnectorError as error:
        return {**answer, "state": "unreachable", "reason": error.reason}
    if row.account_id and account.id != row.account_id:
        reason = f"the credentials belong to {account.name}, not to {row.account_name}"
        return {**answer, "state": NEEDS_REAUTH, "reason": reason}
    return {
        **answer,
        "account": account.name,
        "missing": list(account.missing),
        "clock_offset_s": round(account.clock_offset_s, 3),
    }


def connectors(as_json: AsJson = False) -> None:
    """The connectors there are, with their settings and credentials."""
    items: list[dict[str, Any]] = [
        {
            "name": connector.name,
            "title": connector.title,
            "settings": _fields(connector.settings),
            "credentials": _fields(connector.credentials),
            "kinds": list(connector.capabilities.kinds),
            "webhooks": connector.capabilities.webhooks,
        }
        for connector in discover().values()
    ]
    rows = [
        [
            item["name"],
            item["title"],
            ", ".join(str(field["name"]) for field in item["settings"]),
            ", ".join(str(field["name"]) for field in item["credentials"]),
        ]
        for item in items
    ]
    emit(
        {"items": items},
        as_json=as_json,
        show=table("connectors", ["name", "title", "settings", "credentials"], rows),
    )


def _fields(model: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": info.title or name,
            "help": info.description or "",
            "required": info.is_required(),
            "secret": "Secret" in str(info.annotation),
        }
        for name, info in model.model_fields.items()
    ]


def settings(as_json: AsJson = False) -> None:
    """The environment variables, what they mean, and what is in force."""
    current = Settings()
    items = []
    for name, info in Settings.model_fields.items():
        value = getattr(current, name)
        secret = isinstance(value, SecretStr)
        items.append(
            {
                "variable": f"ASANA_SYNC_{name.upper()}",
                "value": ("***" if value.get_secret_value() else "")
                if secret
                else str(value if value is not None else ""),
                "set": name in current.model_fields_set,
                "help": info.description,
            }
        )
    rows = [[item["variable"], item["value"], item["help"]] for item in items]
    emit({"items": items}, as_json=as_json, show=table("settings", ["variable", "value", "meaning"], rows))


def version(as_json: AsJson = False) -> None:
    """The version."""
    emit({"version": __version__}, as_json=as_json, show=lambda console: console.print(__version__))
