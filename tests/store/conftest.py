"""A real PostgreSQL where this machine has one."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a server without a database name: the one the environment names, else one started here."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    initdb, postgres = shutil.which("initdb", path=path), shutil.which("postgres", path=path)
    if initdb is None or postgres is None:
        pytest.skip("NO PostgreSQL HERE: install postgresql or set TEST_POSTGRES_URL to test both databases")
    user = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        if user:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        subprocess.run(
            [initdb, "-D", data, "-U", "tester", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [postgres, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user,
            cwd=folder,
        )
        try:
            asyncio.run(until_it_accepts(port))
            yield f"postgresql://tester@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


async def until_it_accepts(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await (await asyncpg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres")).close()
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)
            else:
                return


@pytest.fixture
async def postgres_url(postgres_server: str) -> str:
    """URL of an empty database of its own."""
    name = f"t{uuid.uuid4().hex}"
    connection = await asyncpg.connect(f"{postgres_server}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{postgres_server}/{name}"
