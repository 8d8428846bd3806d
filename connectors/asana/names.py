"""Names that people give: of tags, options, people. When two of them are one. Pure."""

from __future__ import annotations

import unicodedata

from connectors.asana import notes
from connectors.records import Value


def fold(name: str) -> str:
    """The same for all spellings that Asana's users take for one name."""
    return unicodedata.normalize("NFC", notes.one_line(name)).casefold()


def elements(value: Value) -> tuple[str, ...]:
    """The elements of a set or people field; none where it is unknown."""
    return value if isinstance(value, tuple) else ()


def same_elements(sent: Value, read: Value) -> bool:
    """Whether both hold the same names, in any order and case."""
    return {fold(name) for name in elements(sent)} == {fold(name) for name in elements(read)}
