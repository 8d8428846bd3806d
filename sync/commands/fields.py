"""The command that tells which fields can be paired: what to write into the rules of a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlmodel import col

from connectors.records import FieldSpec
from sync.commands.opening import run
from sync.commands.output import AsJson, emit, table
from sync.commands.working import opened_engine
from sync.reconcile.compatibility import WRITTEN_INTO
from sync.settings import Settings
from sync.store.tables import Connection

app = typer.Typer()


@app.command()
def fields(
    connection: Annotated[str, typer.Argument(help="Name of a connection in force.")],
    container: Annotated[str, typer.Argument(help="A project, repository, ... of it.")],
    as_json: AsJson = False,
) -> None:
    """The fields of a container's objects, with their options: for the rules and filters of a mapping."""
    settings = Settings()

    async def work() -> Sequence[FieldSpec]:
        async with opened_engine(settings) as engine:
            async with engine.database.read() as store:
                query = select(Connection).where(col(Connection.removed_at).is_(None))
                rows = {row.name: row for row in (await store.execute(query)).scalars()}
            if connection not in rows:
                known = ", ".join(rows) or "none"
                raise typer.BadParameter(f"there is no connection {connection!r}; known: {known}")
            return await (await engine.sessions.get(rows[connection])).fields(container)

    items = [_item(spec) for spec in run(settings, work())]
    shown = [
        [
            item["name"],
            item["label"],
            item["kind"],
            "" if item["writable"] else "read only",
            ", ".join(f"{option['name']} ({option['id']})" for option in item["options"]),
        ]
        for item in items
    ]
    columns = ["field", "called", "kind", "remarks", "options"]
    emit(
        {"items": items, "next": None}, as_json=as_json, show=table(f"fields of {container}", columns, shown)
    )


def _item(spec: FieldSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "label": spec.label,
        "kind": spec.kind.value,
        "writable": spec.writable,
        "times": spec.times,
        "options": [{"id": id, "name": name} for id, name in spec.options.items()],
        "pairs_with": [kind.value for kind in WRITTEN_INTO[spec.kind]],
    }
