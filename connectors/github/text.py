"""What we add to texts on GitHub and take away again when reading: pure.

* the key, a line ``<!-- asana-sync:KEY -->`` at the end of a body that we made;
* the header of a copied comment, ``**[NAME](URL)**`` and a blank line;
* a zero-width space that makes mentions and closing keywords harmless.

``restored(harmless(text)) == text`` for every text without a zero-width space of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from markdown_it import MarkdownIt

_BREAK = "\u200b"
_KEY_START = "<!-- asana-sync:"
_KEY_START_IN_TEXT = f"<!-- {_BREAK}asana-sync:"
_KEY_LINE = re.compile(r"^<!-- asana-sync:([^\s<>]+) -->[ \t]*$", re.MULTILINE)

# Mentions: GitHub's html-pipeline, MentionFilter (any character but a word's may stand before the @).
# Keywords: docs.github.com, "Linking a pull request to an issue".
_LIVE_PATTERN = r"""
    (?P<url> https?://[^\s<>()\[\]]+ )
  | (?P<mention> (?<![a-z0-9_]) (?: @ | &\#0*64; | &\#x0*40; | &commat; ) ) {gap}
    (?= (?P<who> [a-z0-9][a-z0-9/-]* ) )
  | (?P<closing> (?<![a-z0-9_]) (?: close[sd]? | fix(?:e[sd])? | resolve[sd]? ) (?: \s*:\s* | \s+ ) ) {gap}
    (?= (?P<what> [\[(*_~"']*
        (?: (?:[\w.-]+/[\w.-]+)? \#\d+ | gh-\d+ | https?://[^\s<>()]+/(?:issues|pull)/\d+ ) ) )
"""
_FLAGS = re.VERBOSE | re.IGNORECASE | re.ASCII
_LIVE = re.compile(_LIVE_PATTERN.format(gap=""), _FLAGS)
_BROKEN = re.compile(_LIVE_PATTERN.format(gap=_BREAK), _FLAGS)

_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_HEADER = re.compile(
    r"\*\*\[(?:\\.|[^\\\[\]\n])*\]\((?P<url>(?:\\.|[^\s\\()<>])*)\)\*\*(?:\n+(?P<text>(?s:.*)))?", re.ASCII
)
_markdown = MarkdownIt("commonmark").enable("table")


def with_lf(text: str | None) -> str:
    """GitHub's web editor saves CR LF; nobody means it."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n")


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: half a surrogate pair, which JSON lets through, is replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parted(body: str | None) -> tuple[str, frozenset[str]]:
    """A body's own text and the keys on it.

    People write below the key line, too, so it is looked for on every line.
    """
    text = with_lf(body)
    pieces = _KEY_LINE.split(text)
    keys = frozenset(pieces[1::2])
    if keys:
        text = "\n\n".join(own for piece in pieces[::2] if (own := piece.strip("\n")))
    return restored(text).rstrip(), keys


def with_keys(text: str, keys: Iterable[str]) -> str:
    """A body for GitHub: the text, in which nothing looks like a key, and the key on the last line."""
    own = text.replace(_KEY_START, _KEY_START_IN_TEXT).rstrip()
    lines = "\n".join(f"{_KEY_START}{key} -->" for key in sorted(keys))
    return "\n\n".join(part for part in (own, lines) if part)


def with_header(text: str, author_name: str, source_url: str) -> str:
    """A comment for GitHub: who wrote it, linked to the source, a blank line, the text."""
    name = re.sub(r"([\\\[\]*_`<>~&|!#])", r"\\\1", " ".join(author_name.split())) or "?"
    url = re.sub(r"([\\()])", r"\\\1", re.sub(r"[\s<>]", _percent, source_url))
    return f"**[{harmless(name)}]({url})**\n\n{text}"


def without_header(body: str) -> tuple[str | None, str]:
    """The source URL in our header and the text below it; (None, all of it) where there is no header."""
    found = _HEADER.fullmatch(body)
    if found is None:
        return None, body
    return re.sub(r"\\(.)", r"\1", found["url"]), found["text"] or ""


def harmless(text: str, standing: str = "") -> str:
    """The text with mentions that notify nobody and keywords that close nothing; code is left as it is.

    Args:
        standing: the source that stands on GitHub now. What is live there already stays live: a person
            wrote it, and GitHub notifies nobody a second time.
    """
    text = storable(with_lf(text))
    if not _LIVE.search(text):
        return text
    kept = set[str]()
    if standing:
        outside_code(with_lf(standing), lambda piece: _LIVE.sub(lambda live: _note(live, kept), piece))

    def broken(live: re.Match[str]) -> str:
        return live[0] if live["url"] or _target(live) in kept else live[0] + _BREAK

    return outside_code(text, lambda piece: _LIVE.sub(broken, piece))


def has_live(text: str) -> bool:
    """Whether :func:`harmless` may have something to do."""
    return any(not live["url"] for live in _LIVE.finditer(text))


def restored(text: str) -> str:
    """The text without what :func:`harmless` and :func:`with_keys` put into it."""
    if _BREAK not in text:
        return text
    text = text.replace(_KEY_START_IN_TEXT, _KEY_START)

    def whole(broken: re.Match[str]) -> str:
        return broken[0] if broken["url"] else broken[0].removesuffix(_BREAK)

    return outside_code(text, lambda piece: _BROKEN.sub(whole, piece))


def _note(live: re.Match[str], kept: set[str]) -> str:
    kept.add(_target(live))
    return live[0]


def _target(live: re.Match[str]) -> str:
    """Whom or what it is about, the same for every way of writing it."""
    if live["who"]:
        return f"@{live['who']}".lower()
    return f"{' '.join((live['closing'] or '').split())} {live['what']}".lower()


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with everything changed that is no Markdown code.

    Where the source and the parser's view of it do not fit together it counts as no code.
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
    pieces = []
    at = 0
    while at < len(lines):
        end, spans = prose.get(at, (at + 1, set[str]()))
        end = max(code.get(at, end), at + 1)
        source = "\n".join(lines[at:end])
        pieces.append(source if at in code else "".join(_around_spans(source, spans, change)))
        at = end
    return "\n".join(pieces)


def _around_spans(source: str, spans: set[str], change: Callable[[str], str]) -> Iterator[str]:
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


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
