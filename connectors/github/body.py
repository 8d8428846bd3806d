"""The body of an issue: its text, and below it the lines that make it ours: pure.

The last line is the hidden key; above it, where the mapping shows back-links, a line leads to the
counterpart::

    Login fails on Safari.

    Synced with [Asana task](https://app.asana.com/0/1200/34)

    <!-- asana-sync:KEY -->

Only bodies with a key have such a line: what people wrote is never given one, and a line of theirs that
reads like it is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from connectors.github.text import BREAK, neutral, with_lf
from connectors.records import Backlink

_KEY_START = "<!-- asana-sync:"
_KEY_LINE = re.compile(r"^<!-- asana-sync:([^\s<>]+) -->[ \t]*$", re.MULTILINE)
_LINK_START = "Synced with ["
_LINK_LINE = re.compile(
    r"^Synced with \[(?P<label>(?:\\.|[^\\\[\]\n])*)\]\((?P<url>(?:\\.|[^\s\\()<>])+)\)[ \t]*$", re.MULTILINE
)
_IN_TEXT = {
    _KEY_START: f"<!-- {BREAK}asana-sync:",
    _LINK_START: f"Synced{BREAK} with [",
}
"""What begins a line of ours -> how it stands in a text of people's."""


class Body(NamedTuple):
    """A body taken apart. ``text`` is neutral Markdown."""

    text: str
    keys: frozenset[str] = frozenset()
    backlink: Backlink | None = None


def parted(body: str | None) -> Body:
    """A body's own text, the keys on it and its back-link.

    People write below the last lines, too, so they are looked for everywhere.
    """
    text, backlink = with_lf(body), None
    pieces = _KEY_LINE.split(text)
    keys = frozenset(pieces[1::2])
    if keys:
        *_, line = (None, *_LINK_LINE.finditer(text))
        if line is not None:
            backlink = Backlink(_plain(line["url"]), _plain(line["label"]))
            pieces = _KEY_LINE.split(f"{text[: line.start()].rstrip()}\n\n{text[line.end() :].lstrip()}")
        text = "\n\n".join(own for piece in pieces[::2] if (own := piece.strip("\n")))
    for ours, theirs in _IN_TEXT.items():
        text = text.replace(theirs, ours)
    return Body(neutral(text).rstrip(), keys, backlink)


def composed(text: str, keys: Iterable[str] = (), backlink: Backlink | None = None) -> str:
    """A body for GitHub, the key on its last line. ``text`` as :func:`.text.harmless` made it.

    Without a key there is no back-link: it is not our issue.
    """
    keys = sorted(keys)
    text = text.replace(_KEY_START, _IN_TEXT[_KEY_START])
    if keys:
        text = text.replace(_LINK_START, _IN_TEXT[_LINK_START])
    line = _link_line(backlink) if keys and backlink is not None else ""
    return "\n\n".join(part for part in (text.rstrip(), line, "\n".join(map(_key_line, keys))) if part)


def _key_line(key: str) -> str:
    return f"{_KEY_START}{key} -->"


def _link_line(backlink: Backlink) -> str:
    label = re.sub(r"([\\\[\]*_`<>~&|!#@])", r"\\\1", " ".join(backlink.label.split()))
    url = re.sub(r"([\\()])", r"\\\1", re.sub(r"[\s<>]", "", backlink.url))
    return f"Synced with [{label}]({url})"


def _plain(escaped: str) -> str:
    return re.sub(r"\\(.)", r"\1", escaped)
