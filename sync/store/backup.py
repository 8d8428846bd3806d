"""A copy of the database in one file, consistent, while everything goes on.

The key that the credentials are encrypted with is no part of it (``secret.key``, ``SECRET_KEY``).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from sqlalchemy import make_url

from sync.settings import Settings
from sync.store.errors import StoreUnreachable


class BackupImpossible(Exception):
    """The text says why and what to do."""


def back_up(settings: Settings, file: Path) -> None:
    """Write the copy; nobody else may read it.

    Raises:
        BackupImpossible: there is such a file already, it cannot be written, or ``pg_dump`` is missing.
        StoreUnreachable: the database does not answer.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BackupImpossible(f"{file} cannot be made: {error.strerror}") from error
    with ExitStack() as undo:
        undo.callback(file.unlink, missing_ok=True)
        if settings.sqlalchemy_url.startswith("sqlite"):
            _copy(settings, file)
        else:
            _dump(settings, file)
        undo.pop_all()


def _copy(settings: Settings, file: Path) -> None:
    source = Path(str(make_url(settings.sqlalchemy_url).database))
    if not source.exists():
        raise StoreUnreachable(f"there is no database {source}")
    try:
        with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(file)) as copy:
            opened.backup(copy)
            _ask_for_comparison(copy)
    except sqlite3.Error as error:
        raise StoreUnreachable(f"the database cannot be copied: {error}") from error


def _ask_for_comparison(copy: sqlite3.Connection) -> None:
    """Whoever starts with the copy compares everything before anything new is made.

    What was made since is found by its key, and not made a second time.
    """
    with suppress(sqlite3.OperationalError), copy:  # an older program's tables, or none at all
        copy.execute("UPDATE mapping SET full_pass_due = 1")


def _dump(settings: Settings, file: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupImpossible("pg_dump is needed for that: install PostgreSQL's client programs")
    url = make_url(settings.sqlalchemy_url).set(drivername="postgresql")
    password = {"PGPASSWORD": url.password} if url.password else {}  # others may read a process list
    named = url.set(password=None).render_as_string()
    done = subprocess.run(  # noqa: S603 -- a program of this machine, and no shell
        [program, "--format=custom", f"--file={file}", f"--dbname={named}"],
        env={**os.environ, **password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StoreUnreachable(f"pg_dump: {done.stderr.strip()}")
