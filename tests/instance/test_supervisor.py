"""``up`` as a process of its own, around stand-ins for web and worker."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlmodel import select

from sync.instance.folder import AlreadyRunning, InstanceError, NotReady, only_instance, redis_url, running
from sync.instance.ready import web_answers
from sync.instance.supervisor import environment, up
from sync.settings import Settings
from sync.store.database import Database
from sync.store.tables import Connection

STAND_INS = Path(__file__).parent / "stand_ins.py"
COMMANDS = {role: (sys.executable, str(STAND_INS), role) for role in ("web", "worker")}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches processes by pidfd")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return Settings(data_dir=settings.data_dir, port=0)


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    """A ready ``up`` and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, STAND_INS, "up", stdout=PIPE, env={**os.environ, **environment(settings)}
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ended(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(watch, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(watch)
        os.close(watch)


def pid_of(settings: Settings, role: str) -> int:
    return int((settings.data_dir / f"{role}.pid").read_text())


async def valkey_pid(settings: Settings) -> int:
    async with Redis.from_url(redis_url(settings)) as redis:
        return int((await redis.info("server"))["process_id"])


async def test_ready_then_ended_in_order(settings: Settings) -> None:
    async with asyncio.timeout(30), started(settings) as (process, line):
        assert line == {"event": "ready", "url": line["url"], "pid": process.pid}
        assert await web_answers(line["url"])
        record = settings.data_dir / "instance.json"
        assert stat.S_IMODE(record.stat().st_mode) == 0o600
        assert json.loads(record.read_text()) == {**line, "redis": redis_url(settings)}
        found = running(settings.data_dir)
        assert found is not None
        assert (found.url, found.pid) == (line["url"], process.pid)
        valkey = await valkey_pid(settings)

        process.terminate()
        assert await process.wait() == 0
        await ended(valkey)
        assert (settings.data_dir / "ends.log").read_text().split() == ["worker", "web"]
        assert running(settings.data_dir) is None
        assert not record.exists()
        assert not await web_answers(line["url"])


async def test_killed_it_takes_all_children_along_and_starts_again(settings: Settings) -> None:
    async with started(settings) as (process, line):
        pids = [pid_of(settings, "web"), pid_of(settings, "worker"), await valkey_pid(settings)]
        process.kill()
        async with asyncio.timeout(2):
            await asyncio.gather(*map(ended, pids))
    assert not (settings.data_dir / "ends.log").exists()
    assert running(settings.data_dir) is None

    same_port = settings.model_copy(update={"port": int(line["url"].rpartition(":")[2])})
    async with asyncio.timeout(30), started(same_port) as (_, again):
        assert again["url"] == line["url"]


@pytest.mark.parametrize("role", [pytest.param("web", marks=pytest.mark.chaos), "worker"])
async def test_a_child_that_ends_is_started_again_on_the_same_port(settings: Settings, role: str) -> None:
    async with asyncio.timeout(30), started(settings) as (_, line):
        before = pid_of(settings, role)
        os.kill(before, signal.SIGKILL)
        await ended(before)
        while True:
            if pid_of(settings, role) != before:
                break
            await asyncio.sleep(0.02)
        assert await web_answers(line["url"])


@pytest.mark.chaos
async def test_a_queue_that_ends_is_started_again(settings: Settings) -> None:
    async with asyncio.timeout(30), started(settings):
        before = await valkey_pid(settings)
        os.kill(before, signal.SIGKILL)
        await ended(before)
        async with Redis.from_url(redis_url(settings)) as redis:
            while True:
                try:
                    await redis.ping()
                    break
                except RedisConnectionError:
                    await asyncio.sleep(0.02)


async def test_only_one_in_a_folder(settings: Settings) -> None:
    settings.data_dir.mkdir()
    with only_instance(settings.data_dir), pytest.raises(AlreadyRunning, match="another asana-sync up"):
        await up(settings, commands=COMMANDS)
    assert os.listdir(settings.data_dir) == ["up.lock"]


async def test_the_configuration_is_applied_once_tables_and_key_are_there(settings: Settings) -> None:
    async def configure() -> None:
        assert (settings.data_dir / "secret.key").exists()
        database = Database.open(settings)
        async with database.read() as session:
            assert (await session.scalars(select(Connection))).all() == []
        await database.close()
        raise LookupError("the file has mistakes")

    with pytest.raises(LookupError, match="mistakes"):
        await up(settings, configure=configure, commands=COMMANDS)
    assert not (settings.data_dir / "web.pid").exists()


async def test_a_worker_that_never_gets_ready_ends_everything(settings: Settings) -> None:
    out = io.StringIO()
    commands = {**COMMANDS, "worker": (sys.executable, str(STAND_INS), "never_ready")}
    with pytest.raises(NotReady, match="worker was not ready within 5 s"):
        await up(settings, commands=commands, ready_within_s=5, out=out)
    assert out.getvalue() == ""
    await asyncio.gather(*(ended(pid_of(settings, role)) for role in ("web", "never_ready")))
    assert running(settings.data_dir) is None


async def test_a_taken_port_is_named(settings: Settings, unused_tcp_port: int) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", unused_tcp_port)
    async with server:
        with pytest.raises(InstanceError, match=f"port {unused_tcp_port}: Address already in use"):
            await up(settings.model_copy(update={"port": unused_tcp_port}), commands=COMMANDS)


async def test_a_folder_that_cannot_be_made_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstanceError, match="data folder"):
        await up(settings.model_copy(update={"data_dir": tmp_path / "file" / "data"}), commands=COMMANDS)


def test_children_read_the_same_settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Settings(
        data_dir=settings.data_dir, port=0, poll_seconds=0.5, secret_key="word", allow_private_hosts="a,b"
    )
    for name, value in environment(told).items():
        monkeypatch.setenv(name, value)
    assert Settings() == told
