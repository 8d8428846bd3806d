"""The arq worker. arq only wakes: what is to be done stands in the database, and a ticker finds it.

So ``keep_result`` is 0, every job is tried once, and losing the whole queue costs at most one tick.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.exceptions import RedisError

from sync.jobs.capture.interactions import Interactions
from sync.jobs.connecting.sessions import Sessions
from sync.jobs.engine import Engine
from sync.jobs.passing.owner import new_owner
from sync.jobs.passing.passes import sync_mapping
from sync.jobs.queue import connect, dump, waker
from sync.jobs.receiving.intake import Intake
from sync.jobs.receiving.streams import Streams
from sync.jobs.tending import upkeep
from sync.jobs.watching import polling
from sync.jobs.watching.full_pass import full_pass
from sync.settings import Settings
from sync.store import marks
from sync.store.cursors import cursors_due
from sync.store.database import Database
from sync.store.errors import StoreError
from sync.store.publishing import publishing
from sync.store.secrets import Vault

log = structlog.get_logger()

POLL_DELAY_S = 0.05
_TICK_S = 0.25
_UPKEEP_S = 1.0
_CLEAN_S = 3600.0
_PASS_S = 180
_FULL_PASS_S = 1800
_HEARTBEAT_S = 1.0
_SETTLING_S = 2.0
"""After the last answer: to keep it, and to give back what is held."""


async def run_worker(settings: Settings, redis_url: str) -> None:
    """Work until cancelled; then nothing is begun any more, and calls in flight get their answers.

    What they take at most is the deadline of a call; whatever else is still under way then is cancelled.
    """
    database, vault = Database.open(settings), Vault.from_settings(settings)
    redis = await connect(redis_url)
    sessions = Sessions(settings, database, vault, redis)
    engine = Engine(
        settings=settings,
        database=database,
        vault=vault,
        sessions=sessions,
        owner=new_owner(),
        wake=waker(redis),
    )
    loops: list[asyncio.Task[None]] = []
    beating: list[asyncio.Task[None]] = []

    async def hear() -> None:
        async with Intake(engine) as intake, Interactions(engine) as interactions:
            await Streams(engine, intake, interactions).keep()

    async def begin(ctx: dict[Any, Any]) -> None:
        await upkeep.bury_the_dead(engine)
        await upkeep.notice_gaps(engine)
        await upkeep.heartbeat(engine)
        loops.extend(asyncio.create_task(loop) for loop in (_tick(engine, redis), _look_after(engine)))
        beating.append(asyncio.create_task(_beat(engine)))
        loops.append(asyncio.create_task(hear()))

    worker = Worker(
        functions=[
            func(_job(engine, sync_mapping), name="sync_mapping", timeout=_PASS_S, max_tries=1),
            func(_job(engine, polling.poll), name="poll", timeout=_PASS_S, max_tries=1),
            func(_job(engine, full_pass), name="full_pass", timeout=_FULL_PASS_S, max_tries=1),
        ],
        redis_pool=redis,
        on_startup=begin,
        poll_delay=POLL_DELAY_S,
        keep_result=0,
        max_jobs=50,
        handle_signals=False,
        health_check_interval=30,
        job_serializer=dump,
        job_deserializer=json.loads,
        log_results=False,
    )
    try:
        async with publishing(database):
            try:
                await worker.async_run()
            finally:
                engine.ending.set()
                under_way = [*worker.tasks.values(), *loops]
                if under_way:
                    await asyncio.wait(under_way, timeout=sessions.call_s + _SETTLING_S)
                for task in (*loops, *beating):
                    task.cancel()
                await asyncio.gather(*loops, *beating, return_exceptions=True)
                with suppress(OSError, RedisError):
                    await worker.close()
    finally:
        with suppress(StoreError):
            await upkeep.sign_off(engine)
        await sessions.aclose()
        await database.close()


def _job(engine: Engine, work: Callable[[Engine, int], Awaitable[object]]) -> Any:
    """An arq function; a store that does not answer is no reason to lose the worker."""

    async def run(ctx: dict[Any, Any], row_id: int) -> None:
        try:
            await work(engine, row_id)
        except StoreError as error:
            log.warning("pass.done", reason=str(error))
        except Exception as error:  # one bad job must not end the worker: the ticker rings for it again
            log.exception("pass.done", reason=f"unexpected: {error!r}")

    return run


async def _beat(engine: Engine) -> None:
    """Say that this process lives, whatever the providers do meanwhile."""
    while True:
        with suppress(StoreError):
            await upkeep.heartbeat(engine)
        await asyncio.sleep(_HEARTBEAT_S)


async def _tick(engine: Engine, redis: ArqRedis) -> None:
    """Find what is due in the database and ring for it."""
    pause = min(_TICK_S, engine.settings.poll_seconds / 4, engine.settings.rewake_seconds)
    while not engine.ending.is_set():
        try:
            now = engine.now()
            async with engine.database.read() as session:
                mappings = await marks.mappings_due(session, now)
                cursors = await cursors_due(session, now)
            for mapping_id in mappings:
                await engine.wake(mapping_id, 0)
            for cursor_id in cursors:
                await redis.enqueue_job("poll", cursor_id)
            for mapping_id in await upkeep.full_passes_due(engine):
                await redis.enqueue_job("full_pass", mapping_id)
        except (StoreError, OSError, RedisError) as error:
            log.warning("tick", reason=str(error))
        except Exception:  # the ticker must outlive everything: without it nothing is found
            log.exception("tick", reason="unexpected")
        await engine.rest(pause)


async def _look_after(engine: Engine) -> None:
    cleaned = 0.0
    loop = asyncio.get_running_loop()
    while not engine.ending.is_set():
        try:
            await upkeep.ensure_cursors(engine)
            await upkeep.round_of(engine)
            if loop.time() - cleaned > _CLEAN_S:
                await upkeep.clean(engine)
                cleaned = loop.time()
        except (StoreError, OSError, RedisError) as error:
            log.warning("upkeep", reason=str(error))
        except Exception:  # one bad round must not end all later ones
            log.exception("upkeep", reason="unexpected")
        await engine.rest(_UPKEEP_S)
