"""How text of strangers gets onto the page: always escaped, never as markup of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zlib import crc32

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape
from rich.emoji import Emoji

from connectors.richtext import asana_html, mentions
from connectors.richtext.html_reader import read
from connectors.richtext.markdown_writer import write

TINTS = 7
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BACKLINK = re.compile(r"\s*(?P<line>Synced with <a [^>]*>[^<]*</a>)\s*</body>\Z")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def _raw(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """Tags as text; a comment is not shown, as in the tools themselves."""
    return str(escape(_COMMENT.sub("", tokens[at].content)))


def _outward(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """Links of simulated tools lead nowhere: they open beside the demo, not in its place."""
    if mentions.user_of(str(tokens[at].attrGet("href"))) is not None:
        closing = next(each for each in tokens[at:] if each.type == "link_close")
        tokens[at].tag, tokens[at].attrs = "b", {"class": "mention"}
        closing.tag = "b"
        return self.renderToken(tokens, at, options, env)
    tokens[at].attrSet("target", "_blank")
    tokens[at].attrSet("rel", "noreferrer")
    return self.renderToken(tokens, at, options, env)


def _picture(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """Nothing is loaded from elsewhere."""
    return f"<em>{escape(tokens[at].content or 'picture')}</em>"


def _renderer() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"breaks": True, "html": True}).enable(["table", "strikethrough"])
    for name in ("html_block", "html_inline"):
        made.add_render_rule(name, _raw)
    made.add_render_rule("link_open", _outward)
    made.add_render_rule("image", _picture)
    return made


_MARKDOWN = _renderer()


def markdown(text: str) -> Markup:
    """Markdown as people see it."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - made by the renderer, which escapes all text


def rich(html: str) -> Markup:
    """Asana's rich text as people see it, without the back-link at its end."""
    return markdown(asana_html.to_markdown(_BACKLINK.sub("</body>", html)))


def backlink(html: str) -> Markup:
    """The line at the end that leads to the counterpart. It stands apart: nobody means to write into it."""
    found = _BACKLINK.search(html)
    return markdown(asana_html.to_markdown(f"<body>{found['line']}</body>")) if found else Markup("")


def edited_asana_html(edited: str, before: str) -> str:
    """What an editor in the browser made of rich text, as Asana takes it.

    Args:
        before: the rich text that stands there, whose mentions, images and back-link stay what they are.
    """
    text = asana_html.from_markdown(write(read(edited)), present=before)
    found = _BACKLINK.search(before)
    if found is None:
        return text
    own = text.removeprefix("<body>").removesuffix("</body>")
    return f"<body>{own}{chr(10) * 2 if own else ''}{found['line']}</body>"


def emoji(text: str) -> str:
    """With characters for names between colons; names that nobody knows stay."""
    return Emoji.replace(text)


def initials(name: str | None) -> str:
    return "".join(word[0] for word in re.split(r"[\s_-]+", name or "") if word)[:2].upper()


def tint(name: str) -> int:
    """The same of a few colours for the same name, always."""
    return crc32(name.casefold().encode()) % TINTS


def look(view: Mapping[str, Any]) -> int:
    """Another number when something about it that people see has changed."""
    return crc32(repr(view).encode())


def ago(at: datetime) -> str:
    """In the words of an issue list."""
    seconds = max(0, int((datetime.now(UTC) - at).total_seconds()))
    for size, word in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "now"


def day(on: date) -> str:
    """In the words of a board: today, tomorrow, or a date. Also of a moment, by its day."""
    match (_day(on) - datetime.now(UTC).date()).days:
        case 0:
            return "Today"
        case 1:
            return "Tomorrow"
        case -1:
            return "Yesterday"
    return f"{on:%b} {on.day}"


def overdue(on: date) -> bool:
    return _day(on) < datetime.now(UTC).date()


def _day(on: date) -> date:
    return on.date() if isinstance(on, datetime) else on
