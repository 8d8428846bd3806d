"""A template's text around a hub title: put there when the title comes in, and taken off when it goes out.

The text belongs to the task alone. A person may remove or spoil it: then it is gone until the external
title changes the next time, and the other side never gets it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.records import Record

VARIABLES = ("key", "title", "author", "number")
"""What a template may name; ``number`` is what follows the last ``#`` of the key, or the key."""

_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and after the title."""

    before: str = ""
    after: str = ""

    def around(self, title: str) -> str:
        return f"{self.before}{title}{self.after}" if title else title

    def inner(self, text: str) -> str | None:
        """The title within, whatever spaces there are; None where the text does not stand in this frame."""
        before, after = self.before.strip(), self.after.strip()
        if len(text) < len(before) + len(after):
            return None
        if not text.startswith(before) or not text.endswith(after):
            return None
        return text[len(before) : len(text) - len(after)].strip()


def frame_of(template: str, record: Record) -> Frame:
    """The frame that the external record gives to its task's title."""
    before, _, after = template.partition("{title}")
    known = {
        "key": record.key,
        "author": record.author.name if record.author else "",
        "number": record.key.rpartition("#")[2],
    }
    return Frame(*(_VARIABLE.sub(lambda found: known[found[1]], part) for part in (before, after)))


def flaws(template: str) -> list[str]:
    """What is wrong with a template, a sentence each."""
    named = _VARIABLE.findall(template)
    found = [
        f"there is no {{{name}}}; known: {', '.join(f'{{{known}}}' for known in VARIABLES)}"
        for name in named
        if name not in VARIABLES
    ]
    if named.count("title") != 1:
        found.append("must contain {title} exactly once")
    return found


def settled_frame(framed: str, title: str) -> Frame | None:
    """The frame in which a title was settled: its key may have changed since; None where there was none."""
    if not title or framed == title:
        return None
    before, found, after = framed.rpartition(title)
    return Frame(before, after) if found else None


def without_frame(text: str, frames: tuple[Frame, ...], title: str) -> str:
    """The title that a framed text stands for.

    Args:
        frames: those it may stand in.
        title: what the other side calls it now: a rest of a spoilt frame before or after it is no part of it.
    """
    for frame in frames:
        if (inner := frame.inner(text)) is not None:
            return inner
    before, found, after = text.partition(title) if title else (text, "", "")
    if found and any(_is_rest(before, frame.before) and _is_rest(after, frame.after) for frame in frames):
        return title
    return text


def _is_rest(text: str, whole: str) -> bool:
    """Whether the text is what is left of another one: nothing, or most of its letters in their order."""
    left = iter(whole)
    most = 2 * len(text.strip()) > len(whole.strip())
    return not text.strip() or (most and all(letter in left for letter in text))
