"""The embedded queue, started for real."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from redis.asyncio import Redis

from sync.instance.folder import InstanceError, redis_url, socket_path
from sync.instance.valkey import find_binary, running_valkey
from sync.settings import Settings


async def test_keeps_what_it_was_told_over_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        async with running_valkey(tmp_path) as socket, Redis.from_url(f"unix://{socket}") as redis:
            assert await redis.incr("starts") == expected
    assert not socket_path(tmp_path).exists()


async def test_the_socket_is_private(tmp_path: Path) -> None:
    async with running_valkey(tmp_path) as socket:
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700


async def test_a_stale_socket_is_no_obstacle(tmp_path: Path) -> None:
    socket_path(tmp_path).write_bytes(b"")
    async with running_valkey(tmp_path) as socket, Redis.from_url(f"unix://{socket}") as redis:
        assert await redis.ping()


async def test_a_server_that_was_left_over_is_replaced(tmp_path: Path) -> None:
    async with running_valkey(tmp_path) as socket, Redis.from_url(f"unix://{socket}") as redis:
        before = (await redis.info("server"))["process_id"]
        async with running_valkey(tmp_path):
            assert (await redis.info("server"))["process_id"] != before


async def test_a_deep_folder_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    async with running_valkey(deep) as socket, Redis.from_url(f"unix://{socket}") as redis:
        assert await redis.ping()
        assert len(os.fsencode(socket)) < 104
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert redis_url(Settings(data_dir=deep, redis_url="")) == f"unix://{socket}"
    assert not socket.parent.exists()


async def test_a_short_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    short = socket_path(deep).parent
    short.mkdir(mode=0o755)
    try:
        with pytest.raises(InstanceError, match="shorter path"):
            async with running_valkey(deep):
                pass
    finally:
        short.rmdir()


def test_the_given_queue_goes_before_the_embedded_one(settings: Settings) -> None:
    assert redis_url(settings) == f"unix://{settings.data_dir}/valkey.sock"
    given = settings.model_copy(update={"redis_url": "redis://queue:6379/1"})
    assert redis_url(given) == "redis://queue:6379/1"


def test_the_server_comes_with_the_wheel() -> None:
    assert os.access(find_binary(), os.X_OK)
