"""The command version: asked by scripts, so it loads nothing."""

from __future__ import annotations

import typer

from sync import __version__
from sync.commands.output import AsJson, emit, line

app = typer.Typer()


@app.command()
def version(as_json: AsJson = False) -> None:
    """The version."""
    emit({"version": __version__}, as_json=as_json, show=line(__version__))
