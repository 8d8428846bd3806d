"""Random schedules: processes are killed, stopped, told to end, stores crash and are emptied, people go on.

``SCHEDULES=50`` plays as many of them, ``SCHEDULES=7:8`` those from seed 7 on; ``EVENTS`` says how long.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import asyncpg
import pytest
from redis.asyncio import Redis

from sync.instance.folder import socket_path
from tests import stores
from tests.e2e.machines import Machines, machines
from tests.e2e.schedules import People, broken, play
from tests.e2e.test_many_machines import touched
from tests.e2e.town import FAST, Town, assert_no_overlap, town

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

_TO, _, _UNTIL = os.environ.get("SCHEDULES", "10").partition(":")
EVENTS = int(os.environ.get("EVENTS", "40"))
"""Of people and of trouble together."""
SEEDS = range(int(_TO), int(_UNTIL)) if _UNTIL else range(int(_TO))
STOPPED_S = float(FAST["LEASE_SECONDS"]) + 2
PATIENCE_S = 180.0
SECRET = "canary-hook-7d15"
MOST = {"deletes_percent": 100, "creates_per_hour": 10000}

Trouble = Mapping[str, Callable[[], Awaitable[object]]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def one_machine(folder: Path, random: Random) -> AsyncIterator[tuple[Town, Trouble]]:
    """``up`` on SQLite and its own queue."""
    port = str(free_port())
    async with town(folder, PORT=port, PUBLIC_URL=f"http://127.0.0.1:{port}") as made:
        made.found("main", limits=MOST)
        await made.up()

        async def stop() -> None:
            for pid in (await made.workers())[:1]:
                with suppress(ProcessLookupError):  # it may have been killed a moment ago
                    os.kill(pid, signal.SIGSTOP)
                    await asyncio.sleep(random.choice((1, STOPPED_S)))
                    os.kill(pid, signal.SIGCONT)

        async def again(by: signal.Signals) -> None:
            await made.down(by)
            await asyncio.sleep(random.uniform(0, 2))
            await made.up()

        async def flush() -> None:
            async with Redis(unix_socket_path=str(socket_path(made.folder / "data"))) as redis:
                await redis.flushall()

        yield (
            made,
            {
                "workers are killed": made.kill_workers,
                "a worker is stopped": stop,
                "up is killed": lambda: again(signal.SIGKILL),
                "up is told to end": lambda: again(signal.SIGTERM),
                "the queue is emptied": flush,
            },
        )


@asynccontextmanager
async def several_machines(folder: Path, random: Random) -> AsyncIterator[tuple[Town, Trouble]]:
    """Two web and two worker processes on a PostgreSQL of their own and a queue over TCP."""
    port = free_port()
    with stores.valkey_server() as redis_url, stores.crashing_postgres() as (server, crash):
        url = await stores.new_database(server)
        async with machines(folder, url, redis_url, PUBLIC_URL=f"http://127.0.0.1:{port}") as made:
            made.town.connections[1]["credentials"]["webhook_secret"] = SECRET
            made.town.found("main", limits=MOST)
            for role in ("worker", "worker", "web"):
                await made.start(role)
            await made.start("web", port)
            await made.town.done("apply", str(made.town.file))

            async def again(role: str, by: signal.Signals) -> None:
                chosen = random.choice(made.of(role))
                await made.stop(chosen, by)
                await made.start(role, _port(chosen.url))

            async def stop() -> None:
                chosen = random.choice(made.of("worker"))
                chosen.send(signal.SIGSTOP)
                await asyncio.sleep(random.choice((1, STOPPED_S)))
                chosen.send(signal.SIGCONT)

            async def flush() -> None:
                async with Redis.from_url(redis_url) as redis:
                    await redis.flushall()

            yield (
                made.town,
                {
                    "a worker is killed": lambda: again("worker", signal.SIGKILL),
                    "a worker is told to end": lambda: again("worker", signal.SIGTERM),
                    "a worker is stopped": stop,
                    "a web process is killed": lambda: again("web", signal.SIGKILL),
                    "the queue is emptied": flush,
                    "the database crashes": lambda: asyncio.to_thread(crash),
                },
            )
            await _nothing_escaped(made, url, redis_url)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2]) if url else 0


async def _nothing_escaped(made: Machines, database_url: str, redis_url: str) -> None:
    """No secret stands in the database, the queue, a log, or what is exported (invariant 27)."""
    secrets = [SECRET, *(str(entry["credentials"]["token"]) for entry in made.town.connections)]
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [
            str(row[0])
            for (table,) in tables
            for row in await connection.fetch(f'SELECT t::text FROM "{table}" t')
        ]
        raw = await connection.fetch("SELECT convert_from(body, 'LATIN1') FROM delivery")
    finally:
        await connection.close()
    async with Redis.from_url(redis_url) as redis:
        queue = [str(await redis.dump(key)) async for key in redis.scan_iter()]
    logs = [path.read_text(errors="replace") for path in made.town.folder.rglob("log")]
    exported = (await made.town.cli("export")).out
    texts = {"database": rows, "deliveries": [str(row[0]) for row in raw], "queue": queue, "logs": logs}
    for where, told in {**texts, "export": [exported]}.items():
        assert told or where in ("queue", "deliveries"), where  # these may be empty in a short schedule
        assert not [text[:200] for text in told for secret in secrets if secret in text], where


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_schedule(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    stage = several_machines if seed % 2 else one_machine
    async with stage(tmp_path, random) as (made, trouble):
        people = People(made, made.places["main"], random)
        met = await play(people, trouble, random, events=EVENTS)
        await made.quiet(PATIENCE_S)
        assert await broken(people) == []
        for simulator in (made.asana, made.github):
            assert_no_overlap(simulator.journal, touched)
        before = len(made.asana.journal.writes()), len(made.github.journal.writes())
        await made.quiet()
        after = len(made.asana.journal.writes()), len(made.github.journal.writes())
        assert after == before, "5: at rest nothing is written"
        trouble_met = ", ".join(f"{name} ({times})" for name, times in sorted(met.items()))
        print(
            f"seed {seed}: {people.made} objects, {sum(before)} writes, 0 broken; {trouble_met}", flush=True
        )
