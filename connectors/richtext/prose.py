"""The text of Markdown source that is no code: for changing it without a look at the document tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt

Change = Callable[[str], str]

_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_ADDRESS = re.compile(r"(https?://[^\s<>]+)")
_markdown = MarkdownIt("commonmark").enable("table").disable(["link", "image", "emphasis"])
"""Nothing but code spans matters in a line, and the time for ``[[[[...`` grows with its square."""


def literal(text: str) -> str:
    """What somebody typed, who knows nothing of Markdown, as Markdown that says just that. Links stay."""
    parts = _ADDRESS.split(text)
    parts[::2] = [re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", part) for part in parts[::2]]
    return re.sub(r"(?m)^(\s*)([-+=]|\d+(?=[.)]))", _at_the_start, "".join(parts))


def _at_the_start(found: re.Match[str]) -> str:
    """A line that would begin a list, a rule or a heading."""
    number = found[2].isdigit()
    return f"{found[1]}{found[2]}\\" if number else f"{found[1]}\\{found[2]}"


def outside_code(text: str, change: Change, *, in_html: bool = True) -> str:
    """The text with everything changed that is no Markdown code.

    Where the source and the parser's view of it do not fit together it counts as no code.

    Args:
        text: Markdown with ``\\n`` line ends.
        change: makes the new source of a piece; it never sees a code span, fence or indented code.
        in_html: whether blocks of raw HTML are changed, too.
    """
    lines = text.split("\n")
    code = dict[int, int]()
    prose = dict[int, tuple[int, set[str]]]()
    for token in _markdown.parse(text):
        if token.map is None:
            continue
        first, end = token.map
        if token.type in ("fence", "code_block") or (token.type == "html_block" and not in_html):
            code[first] = end
        elif token.type == "inline":
            spans = {child.content for child in token.children or () if child.type == "code_inline"}
            prose[first] = (end, spans | prose.get(first, (end, set[str]()))[1])
    pieces = []
    at = 0
    while at < len(lines):
        end, spans = prose.get(at, (at + 1, set[str]()))
        end = max(code.get(at, end), at + 1)
        source = "\n".join(lines[at:end])
        pieces.append(source if at in code else "".join(_around_spans(source, spans, change)))
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
