"""The command backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sync.commands.output import AsJson, emit, line
from sync.settings import Settings
from sync.store.backup import BackupImpossible, back_up

app = typer.Typer()


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to make; it must not be there yet.")],
    as_json: AsJson = False,
) -> None:
    """Copy the database into a file while everything goes on. The key is not in it: keep that, too."""
    try:
        back_up(Settings(), file)
    except BackupImpossible as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error
    size = file.stat().st_size
    emit({"file": str(file), "bytes": size}, as_json=as_json, show=line(f"{file}: {size} bytes"))
