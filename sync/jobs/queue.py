"""The queue: arq over Redis or Valkey. It only wakes; the truth is in the database."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError


def dump(job: dict[str, Any]) -> bytes:
    return json.dumps(job, default=str).encode()


def redis_settings(url: str) -> RedisSettings:
    """A Redis URL as arq wants it; ``unix://`` for the embedded one."""
    if url.startswith("unix://"):
        return RedisSettings(unix_socket_path=url.removeprefix("unix://"))
    return RedisSettings.from_dsn(url)


async def connect(url: str) -> ArqRedis:
    """A pool to enqueue with and to share limits through."""
    return await create_pool(redis_settings(url), job_serializer=dump, job_deserializer=json.loads)


async def connect_if_up(url: str) -> ArqRedis | None:
    """The same, None where nobody answers: what is to be done is found without it, too."""
    try:
        return await connect(url)
    except (OSError, RedisError):
        return None


def waker(redis: ArqRedis) -> Callable[[int, float], Awaitable[None]]:
    """Enqueue a pass. No job id: a fixed one would swallow wake-ups while the job runs."""

    async def wake(mapping_id: int, delay_s: float) -> None:
        with suppress(OSError, RedisError):
            await redis.enqueue_job("sync_mapping", mapping_id, _defer_by=delay_s or None)

    return wake
