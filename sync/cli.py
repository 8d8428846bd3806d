"""``asana-sync``: every command, and how errors become exit codes.

0 done · 1 something waits for a person · 2 usage or configuration · 3 store or provider unreachable ·
4 ``--timeout`` reached. stdout carries the result only; everything else goes to stderr.

A command's module is imported when the command is asked for: ``asana-sync version`` needs no database.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "up": "running",
        "web": "serving",
        "worker": "running",
        "demo": "running",
        "apply": "configuring",
        "diff": "configuring",
        "export": "configuring",
        "check": "configuring",
        "authorize": "authorizing",
        "fields": "fields",
        "sync": "syncing",
        "preview": "preview",
        "status": "watching",
        "links": "watching",
        "conflicts": "conflicts",
        "parked": "parked",
        "deliveries": "watching",
        "history": "watching",
        "revert": "revert",
        "audit": "audit",
        "people": "people",
        "link": "deciding",
        "unlink": "deciding",
        "pause": "deciding",
        "resume": "deciding",
        "approve": "deciding",
        "migrate": "running",
        "backup": "backup",
        "connectors": "about",
        "settings": "about",
        "openapi": "about",
        "version": "version",
    }
)
"""Command -> module in :mod:`sync.commands` whose ``app`` holds it, or is it (with commands of its own)."""


class _Commands(TyperGroup):
    """Loads a command when it is asked for (click.palletsprojects.com, "Lazily Loading Subcommands")."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"sync.commands.{COMMANDS[cmd_name]}")
        group = get_group(module.app)
        return group.commands.get(cmd_name, group)


app = typer.Typer(
    name="asana-sync",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _about() -> None:
    """Keeps Asana tasks and the objects of other tools in step, in both directions."""


def main() -> None:
    """The entry point."""
    try:
        app()
    except Exception as error:
        from sync.commands.failures import explain  # what can fail is only imported where something did

        code = explain(error)
        if code is None:
            raise
        sys.exit(code)


if __name__ == "__main__":
    main()
