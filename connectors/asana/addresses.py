"""Which task an address names: /0/PROJECT/TASK, and the newer .../task/TASK of ``permalink_url``. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

_TASK = "task"
_OLD = "0"


def task_in(text: str) -> str | None:
    """The task's gid; None where the text is no address, or that of something else."""
    try:
        address = urlsplit(text.strip())
    except ValueError:
        return None
    if address.scheme not in ("http", "https"):
        return None
    parts = [part for part in address.path.split("/") if part]
    if _TASK in parts[:-1]:
        gid = parts[parts.index(_TASK) + 1]
    elif len(parts) >= 3 and parts[0] == _OLD:
        gid = parts[2]
    else:
        return None
    return gid if gid.isascii() and gid.isdecimal() else None
