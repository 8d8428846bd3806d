"""The command web: one web process, alone or as a child of up."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import typer
import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from sync.commands.opening import run
from sync.commands.working import opened_engine
from sync.instance import interpreter
from sync.instance.folder import Instance
from sync.instance.lifeline import die_with_parent
from sync.instance.listening import inherited, listen, url_of
from sync.jobs.engine import Engine
from sync.settings import Settings
from sync.web.app import make_app

app = typer.Typer()


@app.command()
def web() -> None:
    """Run the web side alone: webhook intake, API, status page."""
    die_with_parent()
    settings = Settings()

    async def engines() -> AsyncIterator[Engine]:
        async with opened_engine(settings) as engine:
            interpreter.tuned()
            yield engine

    async def serve() -> None:
        listening = inherited() or await listen(settings.host, settings.port)
        here = Instance(url=url_of(listening), pid=os.getpid(), redis=settings.redis_url)
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(engines, here=here),
                log_config=None,
                access_log=False,
                timeout_keep_alive=10,
                h11_max_incomplete_event_size=64 * 1024,
                timeout_graceful_shutdown=5,
                server_header=False,
            )
        )
        await server.serve(sockets=[listening])

    run(settings, serve(), loop_factory=auto_loop_factory())  # uvloop, where there is one
