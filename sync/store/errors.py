"""Errors of the store that a caller can act on."""

from __future__ import annotations


class StoreError(Exception):
    """Base; the text is one sentence for a person, without secrets."""


class StoreUnreachable(StoreError):
    """The database does not answer, is full, locked by somebody else, or refuses us: try again later."""


class StoreNewer(StoreError):
    """The tables were made by a newer version of this program."""


class SecretKeyError(StoreError):
    """The encryption key is missing, malformed, readable by others, or another one than sealed with."""
