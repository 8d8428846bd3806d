"""``up``: the whole product on one machine.

folder -> lock -> key -> tables -> configuration -> port -> queue -> web and worker -> ready -> wait.
Leaving goes the same way back: the worker ends first, then web, then the queue. Nothing here is
needed to recover from SIGKILL: the lock is the system's, children end with their parent, and every
left-over is replaced by the next start.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TextIO

from pydantic import SecretStr

from sync.instance.folder import (
    Instance,
    forget,
    only_instance,
    prepare_folder,
    recorded,
    redis_url,
)
from sync.instance.listening import LISTEN_FD, listen, url_of
from sync.instance.program import Program, kept_running
from sync.instance.ready import until, web_answers, worker_lives
from sync.instance.signals import until_signal
from sync.instance.valkey import running_valkey
from sync.settings import Settings
from sync.store.database import Database
from sync.store.migrate import migrate
from sync.store.secrets import Vault

COMMANDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {role: (sys.executable, "-m", "sync.cli", role) for role in ("web", "worker")}
)

_SETTLING_S = 5.0
"""For a worker to keep the last answers and give back what it holds."""


async def up(
    settings: Settings,
    *,
    configure: Callable[[], Awaitable[None]] | None = None,
    commands: Mapping[str, Sequence[str]] = COMMANDS,
    ready_within_s: float = 60.0,
    out: TextIO | None = None,
) -> None:
    """Run until SIGTERM or SIGINT; returns when everything has ended.

    Args:
        configure: applies the configuration file, once key and tables are there.
        commands: how the web and the worker process are started.
        out: where the line that tells "ready" goes; stdout by default.

    Raises:
        InstanceError: it cannot start; AlreadyRunning and NotReady are kinds of it.
        StoreError: the database or the key is unusable.
    """
    await until_signal(_run(settings, configure, commands, ready_within_s, out or sys.stdout))


async def _run(
    settings: Settings,
    configure: Callable[[], Awaitable[None]] | None,
    commands: Mapping[str, Sequence[str]],
    ready_within_s: float,
    out: TextIO,
) -> None:
    prepare_folder(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(only_instance(settings.data_dir))
        forget(settings.data_dir)
        Vault.from_settings(settings, create=True)
        await migrate(settings)
        if configure is not None:
            await configure()
        listening = stack.enter_context(await listen(settings.host, settings.port))
        if settings.embedded_redis:
            await stack.enter_async_context(running_valkey(settings.data_dir))
        env = environment(settings)
        descriptor = listening.fileno()
        started = datetime.now(UTC)
        await stack.enter_async_context(
            kept_running(
                Program("web", commands["web"], {**env, LISTEN_FD: str(descriptor)}, descriptors=[descriptor])
            )
        )
        # it ends when its calls in flight are answered
        grace_s = settings.http_timeout_seconds + _SETTLING_S
        await stack.enter_async_context(
            kept_running(Program("worker", commands["worker"], env, grace_s=grace_s))
        )
        url = url_of(listening)
        await _all_ready(settings, url, started, ready_within_s)
        instance = Instance(url=url, pid=os.getpid(), redis=redis_url(settings))
        stack.enter_context(recorded(settings.data_dir, instance))
        out.write(json.dumps({"event": "ready", "url": instance.url, "pid": instance.pid}) + "\n")
        out.flush()
        await asyncio.Event().wait()


def environment(settings: Settings) -> dict[str, str]:
    """The variables from which a child reads these same settings."""
    return {
        f"ASANA_SYNC_{name.upper()}": value.get_secret_value()
        if isinstance(value := getattr(settings, name), SecretStr)
        else str(value)
        for name in sorted(settings.model_fields_set)
    }


async def _all_ready(settings: Settings, url: str, since: datetime, within_s: float) -> None:
    late = f"was not ready within {within_s:g} s: see the log lines above"
    await until(partial(web_answers, url), within_s=within_s, otherwise=f"the web process {late}")
    database = Database.open(settings)
    try:
        await until(partial(worker_lives, database, since), within_s=within_s, otherwise=f"the worker {late}")
    finally:
        await database.close()
