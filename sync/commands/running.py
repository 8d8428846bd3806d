"""Commands that run: up, web, worker, demo, sync, migrate."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from connectors import discover
from sync.commands import opening
from sync.commands.opening import DONE, TIMEOUT, WAITS, emit, opened_database, opened_engine, run, say
from sync.configuration import load
from sync.instance.folder import redis_url, running
from sync.instance.lifeline import die_with_parent
from sync.instance.listening import inherited, listen, url_of
from sync.instance.supervisor import up as supervise
from sync.jobs.applying import apply
from sync.jobs.engine import Engine
from sync.jobs.once import work_until_quiet
from sync.jobs.worker import run_worker
from sync.settings import Settings
from sync.web.app import make_app

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def up(
    config: Annotated[Path | None, typer.Option(help="Configuration file to apply first.")] = None,
) -> None:
    """Run everything in one process tree on embedded stores; prints one line when ready."""
    settings = Settings()
    text = config.read_text(encoding="utf-8") if config else None

    async def configure() -> None:
        assert text is not None
        configuration = load(text, os.environ, discover())
        async with opened_engine(settings) as engine:
            applied = await apply(engine, configuration, consent=True)
        for warning in applied.warnings:
            say(f"warning: {warning}")

    run(supervise(settings, configure=configure if text is not None else None))


def web() -> None:
    """Run the web side alone: webhook intake, API, status page."""
    die_with_parent()
    settings = Settings()
    started = datetime.now(UTC)

    async def engines() -> AsyncIterator[Engine]:
        async with opened_engine(settings) as engine:
            yield engine

    async def serve() -> None:
        listening = inherited() or await listen(settings.host, settings.port)
        app = make_app(engines, url=url_of(listening), pid=os.getpid(), started=started)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                timeout_keep_alive=10,
                h11_max_incomplete_event_size=64 * 1024,
                timeout_graceful_shutdown=5,
                server_header=False,
            )
        )
        await server.serve(sockets=[listening])

    run(serve())


def worker() -> None:
    """Run one worker alone: poll, sync, look after subscriptions."""
    die_with_parent()
    settings = Settings()
    run(run_worker(settings, redis_url(settings)))


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the story, then stop.")] = False,
) -> None:
    """Simulators, a running instance and a story that shows two-way sync without any account."""
    from sync.demo import demo as play  # simulators are no part of a running product

    raise typer.Exit(run(play(Settings(), once=once, out=sys.stdout)))


def sync(
    mapping: Annotated[str | None, typer.Argument(help="One mapping; all of them if left out.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Poll both sides and work until quiet.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Compare everything, too.")] = False,
    wait: Annotated[
        float | None, typer.Option("--timeout", min=0, help="Give up after so many seconds (exit 4).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sync now, in the foreground. Exit 1 if something waits for a person, 4 at the timeout."""
    if not once:
        raise typer.BadParameter(
            "add --once: continuous sync is what 'asana-sync up' does", param_hint="sync"
        )
    settings = Settings()

    async def work() -> tuple[dict[str, Any], int]:
        async with opened_engine(settings) as engine:
            await opening.known_mapping(engine.database, mapping)
            with _progress(as_json) as progress:
                task = progress.add_task("starting", total=None)

                def show(seen: dict[str, Any]) -> None:
                    progress.update(task, description=_doing(seen))

                try:
                    async with asyncio.timeout(wait):
                        seen = await work_until_quiet(engine, mapping, full=full, progress=show)
                except TimeoutError:
                    return await opening.standing(engine.database, settings), TIMEOUT
        return seen, _exit_code(seen)

    seen, code = run(work())
    rows = [
        [
            entry["name"],
            entry["state"],
            entry["links"]["active"],
            entry["pending"],
            entry["conflicts_open"],
            entry["parked_open"],
            entry["reason"],
        ]
        for entry in seen["mappings"]
    ]
    columns = ["mapping", "state", "links", "pending", "conflicts", "parked", "reason"]
    emit(seen, as_json=as_json, show=opening.table("sync", columns, rows))
    raise typer.Exit(code)


def _progress(quietly: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quietly or not sys.stderr.isatty(),
    )


def _doing(seen: dict[str, Any]) -> str:
    pending = sum(entry["pending"] for entry in seen["mappings"])
    writes = sum(sum(entry["writes_total"].values()) for entry in seen["mappings"])
    return f"{pending} objects to look at, {writes} writes done"


def _exit_code(seen: dict[str, Any]) -> int:
    """1 where a person has to do something."""
    waits = any(
        entry["parked_open"] or entry["approval"] or entry["state"] in ("stopped", "paused")
        for entry in seen["mappings"]
    )
    dead = any(entry["state"] in ("needs_reauth", "paused") for entry in seen["connections"])
    return WAITS if waits or dead or seen["paused"] else DONE


def migrate() -> None:
    """Bring the tables up to date; safe to repeat."""
    settings = Settings()

    async def work() -> None:
        async with opened_database(settings):
            say("the tables are up to date")

    run(work())


def is_running(settings: Settings) -> bool:
    """Whether an ``up`` works in this data folder."""
    return running(settings.data_dir) is not None
