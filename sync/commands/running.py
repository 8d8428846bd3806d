"""Commands that run: up, worker, demo, migrate."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from uvicorn.loops.auto import auto_loop_factory

from connectors import discover
from sync.commands.configuring import text_of
from sync.commands.opening import opened_database, run
from sync.commands.output import AsJson, emit, line, say
from sync.commands.working import opened_engine
from sync.configuration import read
from sync.instance import interpreter
from sync.instance.folder import redis_url
from sync.instance.lifeline import die_with_parent
from sync.instance.signals import until_signal
from sync.instance.supervisor import up as supervise
from sync.jobs.configuring.applying import apply
from sync.settings import Settings
from sync.store.migrate import migrate as bring_up_to_date
from sync.store.migrate import revisions

app = typer.Typer()


@app.command()
def up(
    config: Annotated[Path | None, typer.Option(help="Configuration file to apply first.")] = None,
) -> None:
    """Run everything in one process tree on embedded stores; prints one line when ready."""
    settings = Settings()
    text = text_of(config) if config is not None else ""

    async def configure() -> None:
        configuration = read(text, os.environ, discover())
        async with opened_engine(settings) as engine:
            applied = await apply(engine, configuration, consent=True)
        for warning in applied.warnings:
            say(f"warning: {warning}")

    run(settings, supervise(settings, configure=configure if config is not None else None))


@app.command()
def worker() -> None:
    """Run one worker alone: poll, sync, look after subscriptions."""
    from sync.jobs.worker import run_worker

    die_with_parent()
    settings = Settings()

    async def work() -> None:
        await bring_up_to_date(settings)
        interpreter.tuned()
        await run_worker(settings, redis_url(settings))

    run(settings, until_signal(work()), loop_factory=auto_loop_factory())  # uvloop, where there is one


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the story, then stop.")] = False,
) -> None:
    """Simulators, a running instance and a story that shows two-way sync without any account."""
    from sync.demo import demo as play  # simulators are no part of a running product

    settings = Settings()
    raise typer.Exit(run(settings, play(settings, once=once, out=sys.stdout)))


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the tables up to date; safe to repeat."""
    settings = Settings()

    async def work() -> None:
        async with opened_database(settings):
            pass

    run(settings, work())
    newest = revisions()[-1]
    emit({"revision": newest}, as_json=as_json, show=line(f"the tables are up to date (revision {newest})"))
