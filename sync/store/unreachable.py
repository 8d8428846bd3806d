"""Which database errors mean "not now" rather than "wrong statement"."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError

_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""Primary result codes (sqlite.org/rescode.html); the extended ones keep them in their low byte."""

_POSTGRES = ("08", "28", "3D000", "40", "53", "57P", "58")
"""SQLSTATE prefixes (PostgreSQL, appendix A): connection, authorisation, no such database, transaction
rolled back (deadlock), out of resources, shutdown or starting up, system error."""


def is_unreachable(error: DBAPIError) -> bool:
    """Whether the statement itself is not at fault, so that it may go through later."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_POSTGRES)
    return error.connection_invalidated or isinstance(error, InterfaceError)
