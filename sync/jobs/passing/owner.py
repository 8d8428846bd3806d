"""Who holds a lease: a name no other process has ever had, from which its neighbours can tell that it died.

A killed worker's lease ends by itself after ``LEASE_SECONDS``. A process in the same process namespace
need not wait that long: it can ask the system whether the holder still lives.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from functools import cache
from pathlib import Path


@cache
def _neighbourhood() -> str:
    """Equal for processes that can see each other's process ids, and only for those.

    The boot id alone is shared by all containers of a machine, so the process namespace is added
    (Linux: proc(5), pid_namespaces(7)). Elsewhere the host's name has to do.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        seen = f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        seen = socket.gethostname()
    return hashlib.sha256(seen.encode()).hexdigest()[:12]


def new_owner() -> str:
    """The name of this process: neighbourhood, process id, and something random."""
    return f"{_neighbourhood()}-{os.getpid()}-{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Whether that process certainly has ended; False where that cannot be known from here."""
    place, _, rest = owner.partition("-")
    pid = rest.partition("-")[0]
    if place != _neighbourhood() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
