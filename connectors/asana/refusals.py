"""Which field Asana means when it refuses a task. Pure."""

from __future__ import annotations

import re

from connectors.asana.custom_fields import PREFIX
from connectors.records import Fields

_FIELD_OF = {
    "name": "title",
    "html_notes": "notes",
    "notes": "notes",
    "completed": "state",
    "assignee": "assignee",
    "followers": "followers",
    "tag": "labels",
    "tags": "labels",
    "section": "section",
    "memberships": "section",
    "due_on": "due",
    "due_at": "due",
    "start_on": "start",
    "start_at": "start",
}
"""Asana's parameter -> our field, for messages like "assignee: Not a user in Organization: 12"."""
_TELLING = frozenset(
    {"html_notes", "completed", "assignee", "followers", "tags", "due_on", "due_at", "start_on", "start_at"}
)
"""Parameters that are no everyday words: they name the field wherever they stand in a message."""


def field_named(message: str) -> str | None:
    """The one field a message names; None where it names none or several."""
    lower = message.lower()
    if re.search(r"\bxml|\bhtml\b|rich text", lower):
        return "notes"
    named = {_FIELD_OF[word] for word in re.findall(r"(?:^|; )\W*(\w+):", lower) if word in _FIELD_OF}
    named = named or {_FIELD_OF[word] for word in re.findall(r"\w+", lower) if word in _TELLING}
    return named.pop() if len(named) == 1 else None


def custom_named(message: str, fields: Fields) -> str | None:
    """The custom field that a refusal names by its gid; None where it names none or several."""
    named = [name for name in fields if name.startswith(PREFIX) and name.removeprefix(PREFIX) in message]
    return named[0] if len(named) == 1 else None
