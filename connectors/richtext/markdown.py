"""GitHub-flavoured Markdown, the neutral text: what it means, and how it is cut into blocks.

Markdown is read as GitHub shows it in issues and comments: rendered to HTML, where a soft line break is
a line break, and the HTML read by its own rules, so raw HTML means what it means there.
"""

from __future__ import annotations

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from connectors.richtext import autolink
from connectors.richtext.document import DEPTH, Document
from connectors.richtext.html_reader import read

_UNUSABLE = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Not allowed in XML 1.0 (https://www.w3.org/TR/xml/#charsets), and shown by nobody."""
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_OWN_LINES = frozenset({"fence", "code_block", "html_block"})
_BLOCK_LEVELS = 2 * DEPTH + 1
"""A list takes two levels, one for itself and one for its item."""
_INLINE_LEVELS = 6
"""Brackets nested deeper are text; the time for ``[[[[...`` grows with this number."""


def canonical(text: str) -> str:
    """The same Markdown in its one form: NFC, ``\\n``, no blank lines around it, no idle white space.

    White space at the end of a line goes, unless it is in code or raw HTML; of a hard line break two
    spaces stay. Characters that XML forbids go.
    """
    text = _without_blank_edges(clean(text))
    if not _TRAILING.search(text):
        return text
    lines = text.split("\n")
    code = _lines_of(_PARSER.parse(text), _OWN_LINES)
    trimmed = "\n".join(
        line if number in code else _trimmed(line, lines[number + 1 : number + 2])
        for number, line in enumerate(lines)
    )
    # White space counts in a code span that goes on in the next line.
    return trimmed if same(trimmed, text) else text


def clean(text: str) -> str:
    """NFC and ``\\n``, without characters that no provider takes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNUSABLE.sub("", text))


def blocks(text: str) -> tuple[str, ...]:
    """The source of each top-level block: paragraph, heading, list, fence, table, quote, raw HTML, rule.

    Link definitions, which show nothing, are blocks too: all source is in some block. Joined by blank
    lines the blocks mean what the text meant.
    """
    lines = clean(text).split("\n")
    found: list[str] = []
    done = 0
    for start, end in (*_top_level(_PARSER.parse("\n".join(lines))), (len(lines), len(lines))):
        for first, last in ((done, start), (start, end)):
            source = _without_blank_edges("\n".join(lines[first:last]))
            if source.strip():
                found.append(source)
        done = end
    return tuple(found)


def tokens(text: str) -> Document:
    """What the text means, for comparison: see :mod:`.document`.

    Bullets, ``*`` or ``_``, kinds of heading, escapes, hard or soft line breaks, blank lines between
    list items, titles of links and HTML comments make no difference.
    """
    return read(_PARSER.render(clean(text)))


def same(a: str, b: str) -> bool:
    """Whether two texts mean the same."""
    return a == b or tokens(a) == tokens(b)


def _without_blank_edges(text: str) -> str:
    lines = text.split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip(" \t")]
    return "\n".join(lines[filled[0] : filled[-1] + 1]) if filled else ""


def _trimmed(line: str, following: list[str]) -> str:
    """The line without white space at its end, but for a hard line break."""
    hard = line.endswith("  ") and line.strip() and following and following[0].strip()
    return line.rstrip(" \t") + ("  " if hard else "")


def _top_level(parsed: list[Token]) -> list[tuple[int, int]]:
    return [
        (token.map[0], token.map[1])
        for token in parsed
        if not token.level and token.nesting >= 0 and token.map
    ]


def _lines_of(parsed: list[Token], types: frozenset[str]) -> set[int]:
    return {line for token in parsed if token.type in types and token.map for line in range(*token.map)}


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: deeper than the parser goes, source is text, where markdown-it would drop it."""
    if silent or state.level < _BLOCK_LEVELS:
        return False
    state.line = end
    for nesting in (1, 0, -1):
        token = state.push(
            ("paragraph_open", "inline", "paragraph_close")[1 - nesting], "p" if nesting else "", nesting
        )
        token.map = [start, end]
        if not nesting:
            token.content = state.getLines(start, end, state.blkIndent, False).strip()
            token.children = []
    return True


def _inline(state: StateCore) -> None:
    """Core rule: as markdown-it's own, with the tighter limit of ``_INLINE``."""
    for token in state.tokens:
        if token.type == "inline":
            token.children = []
            _INLINE.inline.parse(token.content, _INLINE, state.env, token.children)


def _configured(max_nesting: int) -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark",
        {
            "html": True,
            "breaks": True,
            "tasklists": True,
            "strikethrough_single_tilde": True,
            "maxNesting": max_nesting,
        },
    ).enable(["table", "strikethrough"])
    parser.inline.add_terminator_char("w")
    parser.inline.ruler.after("text", "bare_url", autolink.swallow)
    return parser


_INLINE = _configured(_INLINE_LEVELS)
_PARSER = _configured(_BLOCK_LEVELS + 3)
_PARSER.core.ruler.at("inline", _inline)
_PARSER.block.ruler.before("table", "too_deep", _too_deep)
