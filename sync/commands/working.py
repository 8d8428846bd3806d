"""The engine for commands that do work themselves, beside a running instance or without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sync.commands.opening import opened_database
from sync.instance.folder import prepare_folder, redis_url, running
from sync.jobs.connecting.sessions import Sessions
from sync.jobs.engine import Engine, no_wake
from sync.jobs.passing.owner import new_owner
from sync.jobs.queue import connect_if_up, waker
from sync.settings import Settings
from sync.store.publishing import publishing
from sync.store.secrets import Vault


@asynccontextmanager
async def opened_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Everything a job needs. Limits are shared through Redis where it answers, else kept in this process."""
    if not settings.secret_key.get_secret_value() and settings.secret_key_file is None:
        prepare_folder(settings.data_dir)
    vault = Vault.from_settings(settings, create=True)
    async with opened_database(settings) as database:
        queued = not settings.embedded_redis or running(settings.data_dir) is not None
        redis = await connect_if_up(redis_url(settings)) if queued else None
        sessions = Sessions(settings, database, vault, redis)
        engine = Engine(
            settings=settings,
            database=database,
            vault=vault,
            sessions=sessions,
            owner=new_owner(),
            wake=waker(redis) if redis is not None else no_wake,
        )
        try:
            async with publishing(database):
                yield engine
        finally:
            await sessions.aclose()
            if redis is not None:
                await redis.aclose()
