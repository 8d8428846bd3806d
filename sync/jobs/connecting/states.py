"""What state a connection is in, and whether its provider may be asked now."""

from __future__ import annotations

from datetime import datetime

from sync.store.tables import Connection

OK = "ok"
NEEDS_REAUTH = "needs_reauth"
UNREACHABLE = "unreachable"


def is_blocked(connection: Connection, now: datetime) -> bool:
    """Whether the provider asked for silence."""
    return connection.blocked_until is not None and connection.blocked_until > now


def rests(connection: Connection, now: datetime) -> bool:
    """Whether nothing may be asked there: paused, removed, without credentials, or told to be silent."""
    return (
        connection.paused
        or connection.removed_at is not None
        or connection.state == NEEDS_REAUTH
        or is_blocked(connection, now)
    )
