"""Bare addresses in text, as GitHub links them (https://github.github.com/gfm/#autolinks-extension-).

By hand because mdit-py-plugins' ``gfm_autolink`` searches the whole paragraph again at every colon:
minutes for 100 kB of ``a:a:a:``. The patterns here look at every character a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from markdown_it.common.normalize_url import normalizeLink, validateLink
from markdown_it.rules_inline import StateInline

_HEAD = r"(?<![^\s*_~(])(?P<head>https?://|www\.)(?P<host>[\w-][\w.-]{0,252})"
_URL = re.compile(_HEAD, re.IGNORECASE)
_END = re.compile(r"[\s<]|\Z")
_EMAIL = re.compile(
    r"(?<![\w.+@/-])[a-z0-9._+-]{1,64}@[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+(?<![_-])(?![\w@-])",
    re.IGNORECASE | re.ASCII,
)
_EITHER = re.compile(f"{_URL.pattern}|{_EMAIL.pattern}", re.IGNORECASE)
_ENTITY = re.compile(r"&#?\w{1,32};")
_TRAILING = "?!.,:*_~'\""


def split(text: str, before: str = "") -> Iterator[tuple[str, str]]:
    """Cut text into (piece, address): the address is empty for a piece that is no link.

    ``before`` is the character in front of the text: it may forbid a link.
    """
    whole = before + text
    done = position = len(before)
    while match := _EITHER.search(whole, position):
        end = _url_end(match, len(whole)) if match["head"] else match.end()
        position = end or match.end()
        if end is None:
            continue
        if match.start() > done:
            yield whole[done : match.start()], ""
        label = whole[match.start() : end]
        yield label, _address(label)
        done = end
    if done < len(whole):
        yield whole[done:], ""


def normalised(address: str) -> str:
    """An address as Markdown reads it: percent-encoded, scheme in small letters, host in ASCII.

    Empty for an address that no Markdown link may have (``javascript:``).
    """
    encoded = normalizeLink(address.strip())
    lower = re.sub(r"\A[A-Za-z][A-Za-z0-9+.-]*:", lambda scheme: scheme.group().lower(), encoded)
    return lower if validateLink(lower) else ""


def _address(label: str) -> str:
    """Where a bare address leads: ``www.`` and e-mail addresses are completed."""
    if re.match(r"https?://", label, re.IGNORECASE):
        return normalised(label)
    return normalised(f"http://{label}" if re.match(r"www\.", label, re.IGNORECASE) else f"mailto:{label}")


def swallow(state: StateInline, silent: bool) -> bool:
    """Rule of the Markdown parser: what looks like markup inside a bare URL is part of the URL."""
    if silent or state.linkLevel:
        return False
    start = state.pos
    if state.src[start] == ":":
        before = state.src[max(0, start - 5) : start].lower()
        start -= 5 if before == "https" else 4
    match = _URL.match(state.src, max(0, start), state.posMax)
    end = _url_end(match, state.posMax) if match else None
    if end is None or end <= state.pos:
        return False
    state.append_pending(_ENTITY.sub(lambda entity: unescape(entity.group()), state.src[state.pos : end]))
    state.pos = end
    return True


def _url_end(match: re.Match[str], limit: int) -> int | None:
    """Where the link ends, without the punctuation of the sentence around it; None if it is no link.

    The host is judged before the rest is looked at, so that no text is looked at again and again.
    """
    segments = match["host"].rstrip(".-_").split(".")
    if any("_" in segment for segment in segments[-2:]) or not all(segments):
        return None
    text, start = match.string, match.start()
    found = _END.search(text, match.end(), limit)
    end = found.start() if found else limit
    opened, closed = text.count("(", start, end), text.count(")", start, end)
    while end > match.start("host"):
        last = text[end - 1]
        if last == ")" and closed > opened:
            closed -= 1
            end -= 1
        elif (
            last == ";"
            and (entity := text.rfind("&", start, end)) >= 0
            and text[entity + 1 : end - 1].isalnum()
        ):
            end = entity
        elif last in _TRAILING:
            end -= 1
        else:
            return end
    return None
