"""Limits of a connection, shared by all workers through Redis, and its silence kept in the database.

Requests in flight are members of a sorted set with a time to live, so a killed worker gives its
places back by itself. When Redis does not answer nothing is sent: limits fail closed.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.errors import RetryLater
from sync.metrics import REDIS_REBUILT

_ENTER = """
local held = redis.call('PTTL', KEYS[1])
if held > 0 then return held end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return -1 end
redis.call('ZADD', KEYS[2], ARGV[1] + ARGV[4], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 0
"""

_PATIENCE_S = 1.0
"""A shorter silence is waited out; a longer one is the caller's to plan with."""

_FULL_S = 0.01
"""Between two looks for a free place while other workers hold all of them."""


class SharedGate:
    """The gate of one connection.

    Args:
        redis: where all workers meet.
        name: unique for the connection.
        reads, writes: requests in flight, over all workers.
        call_s: after this a place is given back even if nobody returned it.
        held: told (seconds) when the provider asks for silence, so that it survives Redis.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        *,
        reads: int,
        writes: int,
        call_s: float,
        held: Callable[[float], Awaitable[None]],
    ) -> None:
        self._enter = redis.register_script(_ENTER)
        self._redis = redis
        self._hold_key = f"asana-sync:hold:{name}"
        self._lanes = {
            False: (f"asana-sync:reads:{name}", reads),
            True: (f"asana-sync:writes:{name}", writes),
        }
        self._local = {False: asyncio.Semaphore(reads), True: asyncio.Semaphore(writes)}
        self._ttl_ms = int((call_s + 5) * 1000)
        self._held = held
        self._silent_until = 0.0

    @asynccontextmanager
    async def slot(self, *, write: bool) -> AsyncIterator[None]:
        """Room for one request; raises RetryLater(limited=True) while the connection is held."""
        lane, limit = self._lanes[write]
        token = secrets.token_hex(8)
        async with self._local[write]:
            try:
                await self._wait_for_room(lane, limit, token)
            except RedisError as error:
                raise RetryLater(
                    "the shared limits cannot be read: Redis does not answer", after=1
                ) from error
            try:
                yield
            finally:
                await self._leave(lane, token)

    async def _wait_for_room(self, lane: str, limit: int, token: str) -> None:
        while True:
            silent = self._silent_until - time.monotonic()
            if silent > _PATIENCE_S:
                raise RetryLater("the provider's limit is reached", after=silent, limited=True)
            if silent > 0:
                await asyncio.sleep(silent)
            now_ms = int(time.time() * 1000)
            answer = int(
                await self._enter(keys=[self._hold_key, lane], args=[now_ms, token, limit, self._ttl_ms])
            )
            if answer == 0:
                return
            if answer > _PATIENCE_S * 1000:
                raise RetryLater("the provider's limit is reached", after=answer / 1000, limited=True)
            await asyncio.sleep(answer / 1000 if answer > 0 else _FULL_S)

    async def _leave(self, lane: str, token: str) -> None:
        try:
            await self._redis.zrem(lane, token)
        except RedisError:
            return  # the place frees itself when its time to live ends

    async def hold(self, seconds: float) -> None:
        """Nobody sends for that long, whatever worker; a longer silence is never shortened."""
        # known in this process at once, and even if Redis is emptied
        self._silent_until = max(self._silent_until, time.monotonic() + seconds)
        wanted_ms = max(1, int(seconds * 1000))
        try:
            if await self._redis.pttl(self._hold_key) < wanted_ms:
                await self._redis.set(self._hold_key, "1", px=wanted_ms)
        except RedisError as error:
            raise RetryLater("the shared limits cannot be written: Redis does not answer", after=1) from error
        finally:
            await self._held(seconds)


async def restore_hold(redis: Redis, name: str, seconds: float) -> None:
    """Bring back a silence that only the database remembers (Redis was emptied)."""
    px = max(1, int(seconds * 1000))
    if seconds > 0 and await redis.set(f"asana-sync:hold:{name}", "1", px=px, nx=True):
        REDIS_REBUILT.inc()
