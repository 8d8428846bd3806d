"""Turns for new objects and comments: a provider's limit of creations is planned for, not run into.

Whoever is to create something is told when its turn is. Turns are given so that no window holds more
than the limit allows, in the order in which they were asked for, over all workers. Who comes before its
turn is told again; who comes long after it, when others would be too many, gets a new one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.errors import RetryLater

Windows = tuple[tuple[int, float], ...]
"""At most so many in any so many seconds."""

_WORDS = {"creates_per_minute": 60.0, "creates_per_hour": 3600.0}

_TAKE = """
local all, taken, now, token, mine = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[2], ARGV[3]
local oldest = 0
for at = 4, #ARGV, 2 do oldest = math.max(oldest, tonumber(ARGV[at + 1])) end
for _, key in ipairs(KEYS) do redis.call('ZREMRANGEBYSCORE', key, '-inf', now - oldest) end

local function free(key, from)
  local first = from
  for at = 4, #ARGV, 2 do
    local nth = redis.call('ZREVRANGE', key, ARGV[at] - 1, ARGV[at] - 1, 'WITHSCORES')[2]
    if nth then first = math.max(first, tonumber(nth) + tonumber(ARGV[at + 1])) end
  end
  return first
end

local turn = tonumber(redis.call('ZSCORE', all, token) or false)
if turn and turn > now then return turn - now end
if turn then redis.call('ZREM', all, token) end
turn = turn or free(all, now)
if turn <= now and free(taken, now) <= now then
  redis.call('ZADD', all, now, mine)
  redis.call('ZADD', taken, now, mine)
  turn = now
else
  turn = math.max(turn, free(all, now))
  redis.call('ZADD', all, turn, token)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, turn - now + oldest) end
return turn - now
"""
"""Times in ms. ``all``: every turn that was given; ``taken``: those that were used, when they were."""


class Turns(Protocol):
    """Turns of one connection."""

    async def take(self, token: str) -> float:
        """0: create now. Else the seconds until the turn of this token: come again then."""


class NoTurns:
    """A provider without such a limit."""

    async def take(self, token: str) -> float:
        return 0.0


@dataclass(slots=True)
class LocalTurns:
    """For one process. ``clock``: seconds that never go back."""

    windows: Windows
    clock: Callable[[], float] = time.monotonic
    _all: dict[str, float] = field(default_factory=dict)
    _taken: dict[str, float] = field(default_factory=dict)

    async def take(self, token: str) -> float:
        now = self.clock()
        oldest = now - max(seconds for _, seconds in self.windows)
        for turns in (self._all, self._taken):
            for old in [name for name, at in turns.items() if at <= oldest]:
                del turns[old]
        given = self._all.get(token)
        if given is not None and given > now:
            return given - now
        self._all.pop(token, None)
        turn = self._free(self._all, now) if given is None else given
        if turn <= now and self._free(self._taken, now) <= now:
            mine = secrets.token_hex(8)
            self._all[mine] = self._taken[mine] = now
            return 0.0
        self._all[token] = max(turn, self._free(self._all, now))
        return self._all[token] - now

    def _free(self, turns: Mapping[str, float], now: float) -> float:
        """When one more finds room."""
        newest = sorted(turns.values(), reverse=True)
        return max([now, *(newest[n - 1] + seconds for n, seconds in self.windows if len(newest) >= n)])


class SharedTurns:
    """For all workers of a connection, through Redis. Nothing is created while that does not answer."""

    def __init__(
        self, redis: Redis, name: str, windows: Windows, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._script = redis.register_script(_TAKE)
        self._keys = [f"asana-sync:turns:{name}", f"asana-sync:turns-taken:{name}"]
        self._windows = [number for n, seconds in windows for number in (n, int(seconds * 1000))]

    async def take(self, token: str) -> float:
        args: list[str | int] = [int(self._clock() * 1000), token, secrets.token_hex(8), *self._windows]
        try:
            return int(await self._script(keys=self._keys, args=args)) / 1000
        except RedisError as error:
            raise RetryLater("the shared limits cannot be read: Redis does not answer", after=1) from error


def turns(limits: Mapping[str, float], name: str, redis: Redis | None) -> Turns:
    """The turns of a connection, by what its connector says of limits."""
    windows = tuple((int(limits[word]), seconds) for word, seconds in _WORDS.items() if word in limits)
    if not windows:
        return NoTurns()
    return LocalTurns(windows) if redis is None else SharedTurns(redis, name, windows)


async def await_turn(turns: Turns, token: str, title: str) -> None:
    """
    Raises:
        RetryLater: it is not the turn of this creation yet; ``after`` says when it is.
    """
    wait = await turns.take(token)
    if wait > 0:
        raise RetryLater(
            f"{title} takes only so many new objects and comments a minute and an hour: waits for its turn",
            after=wait,
            limited=True,
        )
