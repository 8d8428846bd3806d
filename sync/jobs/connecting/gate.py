"""Limits of a connection, shared by all workers through Redis, and its silence kept in the database.

Requests in flight are members of a sorted set with a time to live, so a killed worker gives its
places back by itself. When Redis does not answer nothing is sent: limits fail closed.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.errors import RetryLater
from sync.jobs.together import Together, at_once
from sync.metrics import REDIS_REBUILT

_ENTER = """
local held = redis.call('PTTL', KEYS[1])
if held > 0 then return held end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
local room = tonumber(ARGV[2]) - redis.call('ZCARD', KEYS[2])
local entered = math.max(0, math.min(room, #ARGV - 3))
for place = 1, entered do redis.call('ZADD', KEYS[2], ARGV[1] + ARGV[3], ARGV[place + 3]) end
if entered > 0 then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return -entered
"""
"""Answers how long the connection is held in ms, or the negative number of those that may enter."""

_PATIENCE_S = 1.0
"""A shorter silence is waited out; a longer one is the caller's to plan with."""

_FULL_S = 0.01
"""Between two looks for a free place while other workers hold all of them."""


class _Lane:
    """Reads or writes of a connection. Requests of one moment enter, and leave, by one call to Redis.

    ``local`` keeps a process from asking for more places than there are.
    """

    def __init__(self, redis: Redis, key: str, limit: int, hold_key: str, call_s: float) -> None:
        self.local = asyncio.Semaphore(limit)
        self.enter = Together(at_once(self._enter), for_all=(RedisError,), unclaimed=self._give_back)
        self.leave = Together(at_once(self._leave), for_all=(RedisError,))
        self._redis, self._key, self._limit, self._hold_key = redis, key, limit, hold_key
        self._ttl_ms = int((call_s + 5) * 1000)
        self._script = redis.register_script(_ENTER)

    async def _enter(self, tokens: Sequence[str]) -> list[int]:
        """For each: 0 it may enter, -1 all places are taken, else how long the connection is held in ms."""
        now_ms = int(time.time() * 1000)
        answer = int(
            await self._script(
                keys=[self._hold_key, self._key], args=[now_ms, self._limit, self._ttl_ms, *tokens]
            )
        )
        if answer > 0:
            return [answer for _ in tokens]
        return [0 if place < -answer else -1 for place in range(len(tokens))]

    async def _give_back(self, tokens: Sequence[str]) -> None:
        """Nobody waits any more for the places that these entered."""
        with suppress(RedisError):
            await self._leave(tokens)

    async def _leave(self, tokens: Sequence[str]) -> list[None]:
        await self._redis.zrem(self._key, *tokens)
        return [None for _ in tokens]


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
        self._redis = redis
        self._hold_key = f"asana-sync:hold:{name}"
        self._lanes = {
            False: _Lane(redis, f"asana-sync:reads:{name}", reads, self._hold_key, call_s),
            True: _Lane(redis, f"asana-sync:writes:{name}", writes, self._hold_key, call_s),
        }
        self._held = held
        self._silent_until = 0.0

    @asynccontextmanager
    async def slot(self, *, write: bool) -> AsyncIterator[None]:
        """Room for one request; raises RetryLater(limited=True) while the connection is held."""
        lane = self._lanes[write]
        token = secrets.token_hex(8)
        async with lane.local:
            try:
                await self._wait_for_room(lane, token)
            except RedisError as error:
                raise RetryLater(
                    "the shared limits cannot be read: Redis does not answer", after=1
                ) from error
            try:
                yield
            finally:
                with suppress(RedisError):  # the place frees itself when its time to live ends
                    await lane.leave(token)

    async def _wait_for_room(self, lane: _Lane, token: str) -> None:
        while True:
            silent = self._silent_until - time.monotonic()
            if silent > _PATIENCE_S:
                raise RetryLater("the provider's limit is reached", after=silent, limited=True)
            if silent > 0:
                await asyncio.sleep(silent)
            answer = await lane.enter(token)
            if answer == 0:
                return
            if answer > _PATIENCE_S * 1000:
                raise RetryLater("the provider's limit is reached", after=answer / 1000, limited=True)
            await asyncio.sleep(answer / 1000 if answer > 0 else _FULL_S)

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
