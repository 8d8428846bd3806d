"""The data folder of one installation: who runs in it, and where its parts are.

``up.lock`` is held by the running ``up``; the system lets go of it however that process ends.
``instance.json`` says where the running one answers; it may be left over from one that was killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sync.settings import Settings

_SOCKET_PATH_BYTES = 103
"""Longest path of a unix socket that Linux (107) and macOS (103) both take, without the final NUL."""

_LOCK_TRIES, _LOCK_PAUSE_SECONDS = 5, 0.05
"""A command that looks whether ``up`` is running holds the lock for a moment."""


class InstanceError(Exception):
    """``up`` cannot start; the text says why and what to do."""


class AlreadyRunning(InstanceError):
    """Another ``up`` works in this folder."""


class NotReady(InstanceError):
    """A part of it did not come up in time."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A running ``up``. ``redis`` is the URL of the queue."""

    url: str
    pid: int
    redis: str


def prepare_folder(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InstanceError(f"the data folder {data_dir} cannot be made: {error.strerror}") from error


@contextmanager
def only_instance(data_dir: Path) -> Iterator[None]:
    """Be the only ``up`` in this folder; raises AlreadyRunning where another one is."""
    with (data_dir / "up.lock").open("w") as lock:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_LOCK_PAUSE_SECONDS)
        else:
            raise AlreadyRunning(f"another asana-sync up is running in {data_dir.resolve()}")
        yield


def running(data_dir: Path) -> Instance | None:
    """The ``up`` that is ready in this folder, None where there is none."""
    try:
        with (data_dir / "up.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _recorded(data_dir)
    except (FileNotFoundError, PermissionError):
        pass
    return None


def _recorded(data_dir: Path) -> Instance | None:
    try:
        said = json.loads((data_dir / "instance.json").read_text())
    except FileNotFoundError:
        return None
    return Instance(url=said["url"], pid=said["pid"], redis=said["redis"])


@contextmanager
def recorded(data_dir: Path, instance: Instance) -> Iterator[None]:
    """Have ``instance.json`` (0600) stand in the folder, whole at any moment."""
    path, draft = data_dir / "instance.json", data_dir / ".instance.json"
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"event": "ready", **asdict(instance)}, file)
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def forget(data_dir: Path) -> None:
    """Drop what a killed ``up`` left in ``instance.json``."""
    (data_dir / "instance.json").unlink(missing_ok=True)


def redis_url(settings: Settings) -> str:
    """Where the queue is: the given URL, else the embedded server's socket."""
    return settings.redis_url or f"unix://{socket_path(settings.data_dir)}"


def socket_path(data_dir: Path) -> Path:
    """The embedded server's socket: the same for every process that knows the data folder.

    Deep folders have names longer than a socket may have; those get a private folder with a short one.
    """
    path = data_dir.resolve() / "valkey.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    # Not tempfile.gettempdir(): TMPDIR may differ between the shells that run our commands.
    return Path(f"/tmp/asana-sync-{os.getuid()}-{digest}/valkey.sock")  # noqa: S108
