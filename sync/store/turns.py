"""Whose turn it is to write, where several processes share one SQLite file.

Who finds SQLite's write lock taken sleeps and tries again, ever longer (sqlite.org/c3ref/busy_timeout). A
process that writes all the time takes the lock again before the others wake: beside a first sync webhook
calls waited for seconds. Here who waits for the lock stands in a door, and nobody passes: the next
transaction is his.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_AGAIN_S = 0.001


class Door:
    """A file, locked by whoever waits for the database's write lock and by nobody longer."""

    def __init__(self, path: str, *, patience_s: float = 1.0, write_lock_s: float = 10.0) -> None:
        """
        Args:
            patience_s: how long to wait at the door. It is a courtesy, never a condition: a process may
                have been stopped in it.
            write_lock_s: how long to wait in it.
        """
        self._path = path
        self._patience_s = patience_s
        self._write_lock_s = write_lock_s

    def through(self, begin: Callable[[], T]) -> T:
        """What ``begin`` returns, which takes the write lock or fails at once. Blocks its thread.

        Raises:
            OSError: the door's file cannot be made.
            sqlite3.OperationalError: the lock was taken all the time, or anything else is wrong.
        """
        file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            self._enter(file)
            return self._wait(begin)
        finally:
            os.close(file)

    def _enter(self, file: int) -> None:
        until = time.monotonic() + self._patience_s
        while time.monotonic() < until:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOOK_AGAIN_S)
        return None

    def _wait(self, begin: Callable[[], T]) -> T:
        until = time.monotonic() + self._write_lock_s
        while True:
            try:
                return begin()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(_LOOK_AGAIN_S)
