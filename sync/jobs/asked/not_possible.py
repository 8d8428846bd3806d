"""Why something that a person asked for cannot be done."""

from __future__ import annotations


class NotPossible(Exception):
    """The text says why, and what would be possible."""
