"""A task's notes: the text, and the line that leads to the counterpart.

The line is the key of a task that we made: Asana hides data on a task for OAuth apps alone. It stands
last; where a person writes on below it, right behind it or before it, it is still no part of the text::

    <body>Login fails on Safari.

    Synced with <a href="https://github.com/acme/website/issues/12">acme/website#12</a></body>
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape

_START = r"(?:\A|\n|</(?:ul|ol|h1|h2|pre|blockquote)>|<hr ?/?>)"
_END = r"[ \t]*(?=\Z|\n|<(?:ul|ol|h1|h2|pre|blockquote|hr)\b)"
_LINK = r"<a\b(?P<attributes>[^>]*)>(?P<label>[^<\n]*)</a>"

_LINKED = re.compile(rf"(?P<start>{_START})[ \t]*Synced with {_LINK}{_END}")
_TYPED_BEHIND = re.compile(rf"(?P<start>{_START})[ \t]*Synced with {_LINK}[ \t]*")
_TYPED_BEFORE = re.compile(rf"(?P<start>)[ \t]*\bSynced with {_LINK}[ \t]*")
_PLAIN = re.compile(
    rf"(?P<start>{_START})[ \t]*Synced with (?P<words>[^<\n]*)(?:{_LINK}|(?P<url>https?://[^\s<]+))\Z"
)
_HREF = re.compile(r"""(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Backlink:
    """The line's link."""

    url: str
    label: str

    def html(self) -> str:
        return f"Synced with {link(self.url, self.label)}"

    def plain(self) -> str:
        return f"Synced with {one_line(self.label)} {self.url}"


def split(html: str, *, ours: bool = False) -> tuple[str, Backlink | None]:
    """(html_notes without the line, the line); the last line of that form counts.

    Args:
        ours: our own account made the task, so it has such a line, and what goes on behind the link, or
            stands before it, was typed there. Elsewhere such a line is somebody's sentence.
    """
    text = inner(html)
    found: re.Match[str] | None = None
    for form in (_LINKED, _TYPED_BEHIND, _TYPED_BEFORE) if ours else (_LINKED,):
        *_, found = (None, *form.finditer(text))
        if found is not None:
            break
    backlink = None if found is None else Backlink(href(found["attributes"]), unescape(found["label"]))
    if found is None:
        found = _PLAIN.search(text)
        backlink = None if found is None else _plain_backlink(found)
    if found is None or backlink is None or not backlink.url:
        return html, None
    before = (text[: found.start()] + found["start"]).rstrip()
    after = text[found.end() :].lstrip()
    return "<body>" + "\n\n".join(part for part in (before, after) if part) + "</body>", backlink


def compose(html: str, backlink: Backlink | None) -> str:
    """html_notes with the line last; ``html`` is rooted in ``<body>``."""
    text = inner(html)
    parts = [text] if text.strip() else []
    if backlink is not None:
        parts.append(backlink.html())
    return "<body>" + "\n\n".join(parts) + "</body>"


def inner(html: str) -> str:
    """What stands inside the root element."""
    return html.strip().removeprefix("<body>").removesuffix("</body>").rstrip()


def link(url: str, label: str) -> str:
    """A link in Asana's HTML; characters that XML forbids are dropped."""
    return f'<a href="{escape(_NOT_XML.sub("", url))}">{escape(one_line(label))}</a>'


def href(attributes: str) -> str:
    """The address out of a start tag's attributes, empty where there is none."""
    found = _HREF.search(attributes)
    return unescape(found[1] if found[1] is not None else found[2]) if found else ""


def one_line(text: str) -> str:
    return " ".join(_NOT_XML.sub("", text).split())


def _plain_backlink(found: re.Match[str]) -> Backlink | None:
    """The line as it was sent without markup: Asana may have made a link of the address."""
    if found["url"] is not None:
        return Backlink(unescape(found["url"]), unescape(found["words"]).strip())
    url = href(found["attributes"])
    shown = unescape(found["label"]).strip()
    return Backlink(url, unescape(found["words"]).strip()) if shown == url else None
