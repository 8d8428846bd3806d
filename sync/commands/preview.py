"""The command preview: what a mapping would write, before it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from sync.commands.configuring import configuration_of
from sync.commands.opening import known_mapping, run
from sync.commands.output import AsJson, emit, plain, say, table
from sync.commands.progress import progress
from sync.commands.working import opened_engine
from sync.configuration import ConfigurationInvalid
from sync.jobs.asked.preview import Tell, opened_route, preview
from sync.jobs.configuring.in_force import connection_row, in_force
from sync.jobs.configuring.prospect import prospect_of
from sync.jobs.configuring.publicity import kept_private
from sync.jobs.engine import Engine
from sync.settings import HUB, Settings

app = typer.Typer()

_LONGEST = 60
"""Characters of a value in the table; ``--json`` has it whole."""


@app.command(name="preview")
def show(
    mapping: Annotated[str, typer.Argument(help="Name of a mapping.")],
    config: Annotated[
        Path | None, typer.Option("--config", help="As this configuration file has it; nothing is applied.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many writes are listed; all are counted.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What a first sync, or a change, would write. Everything is read, and nothing is written."""
    settings = Settings()

    async def work() -> dict[str, Any]:
        async with opened_engine(settings) as engine:
            with progress(as_json) as bar:
                task = bar.add_task("opening", total=None)

                def tell(phase: str, done: int, total: int | None) -> None:
                    bar.update(task, description=phase, completed=done, total=total)

                if config is not None:
                    return await _of_file(engine, config, mapping, limit, tell)
                row = await known_mapping(engine.database, mapping)
                route = await opened_route(engine, row.id)
                assert route is not None
                found = await preview(engine, route, known_as=row.id, limit=limit, tell=tell)
                return {"mapping": mapping, "version": row.version, "state": row.state, **found.told()}

    document = run(settings, work())
    emit(document, as_json=as_json, show=lambda console: _show(document, console))


async def _of_file(engine: Engine, file: Path, mapping: str, limit: int, tell: Tell) -> dict[str, Any]:
    """As the mapping would be once the file is applied."""
    configuration = configuration_of(file)
    if configuration.problems:
        raise ConfigurationInvalid(configuration.problems)
    present = await in_force(engine)
    rows = {each.name: connection_row(engine, each, present) for each in configuration.connections.values()}
    configuration, _ = await kept_private(engine, configuration, rows, present)
    chosen = {each.name: each for each in configuration.mappings.values()}
    if mapping not in chosen:
        raise typer.BadParameter(
            f"{file} has no mapping {mapping!r}; it has: {', '.join(chosen) or 'none'}", param_hint="MAPPING"
        )
    prospect = prospect_of(engine, configuration, chosen[mapping], rows, present)
    new = [row.name for row in (prospect.hub, prospect.external) if row.id is None]
    if new:
        say(f"who is who on {' and '.join(new)} is not known yet: assignees are left out")
    route = await prospect.route(engine)
    known_as = prospect.known.id if prospect.known is not None else None
    found = await preview(engine, route, known_as=known_as, limit=limit, tell=tell)
    state = prospect.living.state if prospect.living is not None else "draft"
    return {"mapping": mapping, "version": route.mapping.version, "state": state, **found.told()}


def _show(document: dict[str, Any], console: Console) -> None:
    counts = [
        [side, *(counts[op] for op in ("create", "update", "comment_add", "attachment_add"))]
        for side, counts in document["counts"].items()
    ]
    title = f"{document['mapping']}: {document['writes']} writes would follow"
    table(title, ["written to", "new objects", "updates", "comments", "files"], counts)(console)
    rows = [
        [
            f"{item['op']} in {item['side']}",
            item["source"]["key"] or item["source"]["title"],
            _differences(item),
            item["reason"],
        ]
        for item in document["items"]
    ]
    table("writes", ["what", "from", "fields", "why"], rows)(console)
    left_out = document["writes"] - len(document["items"])
    if left_out:
        console.print(f"{left_out} more: --limit {document['writes']}")
    console.print(f"{document['matched']} pairs would be matched, {document['in_step']} are in step")
    _lookalikes("may belong to several: link them by hand", document["ambiguities"], console)
    _lookalikes("would be made twice: the other side has the same title", document["duplicates"], console)
    clashes = [
        [entry["key"], entry["field"], entry["winner"], _short(entry[HUB]), _short(entry["external"])]
        for entry in document["conflicts"]
    ]
    if clashes:
        columns = ["object", "field", "winner", HUB, "external"]
        table("differ, and one value goes to the conflict list", columns, clashes)(console)
    waiting = [[entry["key"], entry["reason"]] for entry in document["waiting"]]
    if waiting:
        table("nothing is decided", ["object", "why"], waiting)(console)
    time = document["time"]
    console.print(plain(f"at least {time['seconds']:g} s ({time['governed_by']})"), soft_wrap=True)


def _differences(item: dict[str, Any]) -> str:
    """The fields of a new object by name; of one that is there a line each, as they are and will be."""
    if item["op"] == "create":
        return ", ".join(item["fields"])
    return "\n".join(
        f"{name}: {_short(values['before'])} → {_short(values['after'])}"
        for name, values in item["fields"].items()
    )


def _lookalikes(title: str, found: list[dict[str, Any]], console: Console) -> None:
    if found:
        rows = [
            [entry["key"] or entry["title"], ", ".join(other["url"] for other in entry["like"])]
            for entry in found
        ]
        table(title, ["object", "like"], rows)(console)


def _short(value: object) -> str:
    text = "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
