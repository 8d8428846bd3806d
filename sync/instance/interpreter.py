"""Python's interpreter, set for processes that run for months and that somebody always waits for."""

from __future__ import annotations

import gc
import sys

_OBJECTS_BETWEEN_LOOKS = 10_000
_HAND_OVER_S = 0.0005


def tuned() -> None:
    """Once all is loaded.

    Modules and tables stay as long as the process. The collector that looks through them again and again
    costs a worker a tenth of its time, and stops a web process for a tenth of a second each time.

    SQLite's thread gives the interpreter away at each row, and waits for it with the write lock held:
    Python's 5 ms a row, beside a busy event loop, are what webhook calls would wait for.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    sys.setswitchinterval(_HAND_OVER_S)
