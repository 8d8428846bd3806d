"""What we add to texts on GitHub and take away again when reading: pure.

* the header of a copied comment, ``**[NAME](URL)**`` and a blank line;
* a zero-width space that makes mentions and closing keywords harmless.

A mention that GitHub acts on reads as one of :mod:`connectors.richtext.mentions`, and only such a one is
written so that GitHub acts on it. ``neutral(harmless(text)) == text`` for every text without a zero-width
space of its own.
"""

from __future__ import annotations

import re

from connectors.richtext import mentions
from connectors.richtext.mentions import Mention
from connectors.richtext.prose import outside_code

BREAK = "\u200b"

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
_BROKEN = re.compile(_LIVE_PATTERN.format(gap=BREAK), _FLAGS)
_LOGIN = r"[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){0,38}+"
_GOES_ON = r"[\w/-]|[.*_~]+\w"
"""What follows a login that GitHub does not take for one."""
_MENTION = re.compile(
    rf"""
    (?P<other> https?://[^\s<>()\[\]]+ | \[ (?: \\. | [^\\\[\]] | \[ (?: \\. | [^\\\[\]] )*+ \] )*+ \] )
  | (?: (?<=[a-z0-9_]) {BREAK} | (?<![a-z0-9_]) )
    @ (?P<login> {_LOGIN} )
    (?: {BREAK}(?={_GOES_ON}) | (?!{_GOES_ON}) )
    """,
    _FLAGS,
)
_HEADER = re.compile(
    r"\*\*\[(?:\\.|[^\\\[\]\n])*\]\((?P<url>(?:\\.|[^\s\\()<>])*)\)\*\*(?:\n+(?P<text>(?s:.*)))?", re.ASCII
)


def with_lf(text: str | None) -> str:
    """GitHub's web editor saves CR LF; nobody means it."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n")


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: half a surrogate pair, which JSON lets through, is replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
    """The text as GitHub is given it: it notifies nobody but whom it mentions, and closes nothing.

    Code is left as it is.

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
        return live[0] if live["url"] or _target(live) in kept else live[0] + BREAK

    def quiet(piece: str) -> str:
        return _LIVE.sub(broken, piece)

    def spoken(mention: Mention) -> str:
        if not re.fullmatch(_LOGIN, mention.user, _FLAGS):
            return quiet(mention.label)
        last = re.split(r"[\s<>()\[\]]", mention.before)[-1]
        before = BREAK if re.search(r"[a-z0-9_]\Z", last, _FLAGS) else ""
        if re.search("https?://", last, _FLAGS):
            before = " "  # anything else would be a part of the address
        after = BREAK if re.match(_GOES_ON, mention.after, _FLAGS) else ""
        return f"{before}@{mention.user}{after}"

    return mentions.rewritten(text, spoken, quiet)


def has_live(text: str) -> bool:
    """Whether what stands on GitHub matters to :func:`harmless`."""
    unnamed = mentions.rewritten(text, lambda _mention: "")
    return any(not live["url"] for live in _LIVE.finditer(unnamed))


def neutral(text: str) -> str:
    """The neutral Markdown of what stands on GitHub; undoes :func:`harmless`."""
    if "@" in text:
        text = outside_code(text, lambda piece: _MENTION.sub(_mention, piece), in_html=False)
    if BREAK not in text:
        return text
    return outside_code(text, lambda piece: _BROKEN.sub(_whole, piece))


def said(text: str) -> str:
    """The text with mentions as they read on GitHub, whoever is meant."""
    return mentions.rewritten(text, lambda mention: f"@{mention.user}")


def _mention(live: re.Match[str]) -> str:
    return live[0] if live["other"] else str(Mention(live["login"], f"@{live['login']}"))


def _whole(broken: re.Match[str]) -> str:
    return broken[0] if broken["url"] else broken[0].removesuffix(BREAK)


def _note(live: re.Match[str], kept: set[str]) -> str:
    kept.add(_target(live))
    return live[0]


def _target(live: re.Match[str]) -> str:
    """Whom or what it is about, the same for every way of writing it."""
    if live["who"]:
        return f"@{live['who']}".lower()
    return f"{' '.join((live['closing'] or '').split())} {live['what']}".lower()


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
