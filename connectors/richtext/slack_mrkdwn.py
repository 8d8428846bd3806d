"""Slack's mrkdwn text to Markdown: what older apps write, and what ``text`` holds beside blocks.

https://docs.slack.dev/messaging/formatting-message-text. It is read only: we write blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.richtext.markdown import clean
from connectors.richtext.slack_blocks import Element, Names, to_markdown

_ENTITY = re.compile(r"<([^<>\n]{1,3200})>")
_STYLED = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)([^\n]{1,2000}?)(?<=\S)\1(?![\w*_~`])")
_STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "code"}
_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def mrkdwn_to_markdown(text: str, names: Names) -> str:
    """Markdown of a mrkdwn text. Nothing in it is refused."""
    return to_markdown(list(_elements(clean(text))), names)


def unescape(text: str) -> str:
    for escaped, character in _ESCAPES:
        text = text.replace(escaped, character)
    return text


def escape(text: str) -> str:
    """Text that means itself: without mentions, links or pings."""
    for escaped, character in reversed(_ESCAPES):
        text = text.replace(character, escaped)
    return text


def _elements(text: str) -> Iterator[Element]:
    at = 0
    for fence in _FENCE.finditer(text):
        yield from _lines(text[at : fence.start()])
        yield {
            "type": "rich_text_preformatted",
            "elements": [{"type": "text", "text": unescape(fence[1])}],
        }
        at = fence.end()
    yield from _lines(text[at:])


def _lines(text: str) -> Iterator[Element]:
    """Lines that begin with ``>`` are a quote."""
    quoted: bool | None = None
    run: list[str] = []
    for line in text.split("\n"):
        is_quote = line.startswith("&gt;")
        if run and is_quote != quoted:
            yield _block(run, bool(quoted))
            run = []
        quoted = is_quote
        run.append(line.removeprefix("&gt;").removeprefix(" ") if is_quote else line)
    yield _block(run, bool(quoted))


def _block(lines: list[str], quoted: bool) -> Element:
    kind = "rich_text_quote" if quoted else "rich_text_section"
    return {"type": kind, "elements": list(_inline("\n".join(lines), {}))}


def _inline(text: str, style: dict[str, bool]) -> Iterator[Element]:
    at = 0
    for styled in _STYLED.finditer(text):
        yield from _plain(text[at : styled.start()], style)
        name = _STYLES[styled[1]]
        inner = {**style, name: True}
        if name == "code":
            yield {"type": "text", "text": unescape(styled[2]), "style": inner}
        else:
            yield from _plain(styled[2], inner)
        at = styled.end()
    yield from _plain(text[at:], style)


def _plain(text: str, style: dict[str, bool]) -> Iterator[Element]:
    at = 0
    for entity in _ENTITY.finditer(text):
        if entity.start() > at:
            yield _text(text[at : entity.start()], style)
        yield _entity(entity[1], style)
        at = entity.end()
    if text[at:]:
        yield _text(text[at:], style)


def _text(text: str, style: dict[str, bool]) -> Element:
    return {"type": "text", "text": unescape(text), "style": style}


def _entity(inside: str, style: dict[str, bool]) -> Element:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:], "style": style}
    if target.startswith("#"):
        if label:
            return _text(f"#{label}", style)
        return {"type": "channel", "channel_id": target[1:], "style": style}
    if target.startswith("!"):
        return _text(label or f"@{target[1:].partition('^')[0]}", style)
    link: Element = {"type": "link", "url": unescape(target), "style": style}
    return {**link, "text": unescape(label)} if label else link
