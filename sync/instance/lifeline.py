"""A child of ``up`` never outlives it, not even where ``up`` is killed with SIGKILL.

On Linux the kernel sees to it (prctl PR_SET_PDEATHSIG; the setting survives exec, not fork), elsewhere
a thread watches for a new parent. A program that is not ours is started through this file: ``python
lifeline.py COMMAND ...`` ties the process to its parent, then becomes the command. Only the standard
library is imported: this runs before everything else.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "ASANA_SYNC_PARENT_PID"
"""Set by ``up`` for its children; without it a process stands alone and outlives whoever started it."""

_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.5


def die_with_parent() -> bool:
    """End by SIGKILL when ``up`` ends; call it first thing in a child. Tells whether we are one."""
    parent = int(os.environ.pop(PARENT, "0"))
    if not parent:
        return False
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="lifeline").start()
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
    return True


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    die_with_parent()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  (no shell is the point)
