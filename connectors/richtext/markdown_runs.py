"""Running text to Markdown.

Whether a character is markup depends on its neighbours, so text is not escaped by guess: it is written
plainly and read again; only what would come out as something else is escaped, and where the marks still
do not hold (``**"a"**b``), HTML tags stand in for them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from connectors.richtext import autolink
from connectors.richtext.document import Block, Run, Runs, fold, plain
from connectors.richtext.markdown import tokens

_HARMLESS_LINE = r"[^\W\d_](?:[^\W_]|[ ,;?()'\"/]|(?<=\w)-(?=\w)|:(?=[ ]|$)|(?<!w)\.(?=\s|\Z))*+"
_HARMLESS = re.compile(rf"{_HARMLESS_LINE}\Z")
"""Text that is itself in any Markdown."""
_HARMLESS_TEXT = re.compile(rf"{_HARMLESS_LINE}(?<! )(?:\n\n?{_HARMLESS_LINE}(?<! ))*+\Z", re.MULTILINE)
"""The same, over several lines."""
_MARKER = re.compile(r"(?:[-+*]|#{1,6}|[0-9]{1,9}[.)])(?:\s|\Z)|[>|]")
"""Text that is certainly taken for a list, a heading, a quote or a table."""
_TAG_LIKE = re.compile(r"<(?=[A-Za-z/!?])")
_SPECIAL = re.compile(r"[\\`*_\[\]<>~]|&(?=#?\w+;)|!(?=\[|\Z)|#+\Z")
_LINE_START = re.compile(r"^([0-9]{0,9})([#>+\-=|:.)])", re.MULTILINE)
_BACKTICKS = re.compile(r"`+")

_MARKDOWN_MARKS = {"strong": ("**", "**"), "em": ("*", "*"), "s": ("~~", "~~"), "u": ("<ins>", "</ins>")}
"""GitHub drops ``<u>`` and underlines ``<ins>``: docs.github.com, "Basic writing and formatting syntax"."""
_HTML_MARKS = {
    "strong": ("<strong>", "</strong>"),
    "em": ("<em>", "</em>"),
    "s": ("<del>", "</del>"),
    "u": ("<ins>", "</ins>"),
}


def means_itself(text: str) -> bool:
    """Whether that is its own Markdown for certain: words in lines, as most people write. It may be False
    for others, too."""
    return not text or _HARMLESS_TEXT.match(text) is not None


def guessed(runs: Runs, prefix: str, expected: Block) -> str:
    """Running text behind a prefix as it is mostly right; ``expected`` is what it shall be read as."""
    text = plain(runs)
    return prefix + _Way(escape=not prefix and _MARKER.match(text) is not None).write(runs)


def plainest(runs: Runs, prefix: str, expected: Block) -> str:
    """Running text behind a prefix, in the plainest way that is read as expected."""
    if not any(run.marks or run.href or run.src for run in runs) and _HARMLESS.match(plain(runs)):
        return prefix + plain(runs)
    written = ""
    for way in (_Way(), _Way(escape=True), _Way(escape=True, html=True)):
        written = prefix + way.write(runs)
        if tokens(written) == (expected,):
            break
    return written


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to write runs: with escapes or without, with HTML tags for marks or Markdown's own."""

    escape: bool = False
    html: bool = False

    def write(self, runs: Sequence[Run]) -> str:
        return fold(runs, self._leaf, self._wrap)

    def _leaf(self, run: Run) -> str:
        if run.src:
            return f"![{_escaped(run.text)}]({_destination(run.src)})"
        if "code" in run.marks:
            return _code_span(run.text)
        return _escaped(run.text) if self.escape else _TAG_LIKE.sub(r"\\<", run.text)

    def _wrap(self, layer: str, runs: Sequence[Run], inner: str) -> str:
        if layer == "href":
            href = runs[0].href
            bare = not self.escape and inner == plain(runs) and list(autolink.split(inner)) == [(inner, href)]
            return inner if bare else f"[{inner}]({_destination(href)})"
        opening, closing = (_HTML_MARKS if self.html else _MARKDOWN_MARKS)[layer]
        return f"{opening}{inner}{closing}"


def _escaped(text: str) -> str:
    return _LINE_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\g<0>", text))


def _destination(address: str) -> str:
    return re.sub(r"[()]", r"\\\g<0>", re.sub(r"&(?=#?\w+;)", "&amp;", address))


def _code_span(text: str) -> str:
    rows = {len(row) for row in _BACKTICKS.findall(text)}
    row = "`" * next(length for length in count(1) if length not in rows)
    spaced = text[0] == text[-1] == " " and text.strip()
    pad = " " if spaced or text.startswith("`") or text.endswith("`") else ""
    return f"{row}{pad}{text}{pad}{row}"
