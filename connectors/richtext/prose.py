"""The text of Markdown source that is no code: for changing it without a look at the document tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt

Change = Callable[[str], str]

_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_markdown = MarkdownIt("commonmark").enable("table")


def _always(_before: str, _after: str) -> bool:
    return True


def outside_code(text: str, change: Change, *, holds: Callable[[str, str], bool] = _always) -> str:
    """The text with everything changed that is no Markdown code.

    Where the source and the parser's view of it do not fit together it counts as no code.

    Args:
        text: Markdown with ``\\n`` line ends.
        change: makes the new source of a piece; it never sees a code span, fence or indented code.
        holds: asked with the source of each block before and after; where False, the block stays.
    """
    lines = text.split("\n")
    code = dict[int, int]()
    prose = dict[int, tuple[int, set[str]]]()
    for token in _markdown.parse(text):
        if token.map is None:
            continue
        first, end = token.map
        if token.type in ("fence", "code_block"):
            code[first] = end
        elif token.type == "inline":
            spans = {child.content for child in token.children or () if child.type == "code_inline"}
            prose[first] = (end, spans | prose.get(first, (end, set[str]()))[1])
        elif token.type == "html_block":
            prose[first] = (end, set[str]())
    pieces = []
    at = 0
    while at < len(lines):
        end, spans = prose.get(at, (at + 1, set[str]()))
        end = max(code.get(at, end), at + 1)
        source = "\n".join(lines[at:end])
        if at not in code:
            changed = "".join(_around_spans(source, spans, change))
            source = changed if changed == source or holds(source, changed) else source
        pieces.append(source)
        at = end
    return "\n".join(pieces)


def _around_spans(source: str, spans: set[str], change: Change) -> Iterator[str]:
    at = 0
    for found in _CODE_SPAN.finditer(source) if spans else ():
        inner = found[2].replace("\n", " ")
        if inner.startswith(" ") and inner.endswith(" ") and inner.strip():
            inner = inner[1:-1]
        if inner in spans:
            yield change(source[at : found.start()])
            yield found[0]
            at = found.end()
    yield change(source[at:])
