"""What a person types, as the composer of a simulated Slack sends it: rich text blocks, and text in mrkdwn.

https://docs.slack.dev/messaging/formatting-message-text. A person's ``&``, ``<`` and ``>`` are escaped in
the text, except in what the composer made itself: ``<@U1>``, ``<#C1>``, ``<https://...|label>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connectors.slack.simulated_workspace import Payload

_ENTITY = re.compile(
    r"<(?:(?P<sigil>[@#])(?P<id>[A-Z0-9]+)(?:\|[^>]*)?|(?P<url>(?:https?|mailto):[^|>\s]+)(?:\|(?P<label>[^>]+))?)>"
)
_STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "code"}
_STYLED = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)(.+?)(?<=\S)\1(?![\w*_~`])")
_EMOJI = re.compile(r":([a-z][a-z0-9_+-]*|[+-]1):")
_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_BULLET = re.compile(r"^(?:[-•] |(\d+)\. )(.*)$")


def compose(typed: str) -> Payload:
    """``text`` and ``blocks`` of a message that was typed."""
    elements = list(_elements(typed))
    blocks = [{"type": "rich_text", "block_id": "typed", "elements": elements}] if elements else []
    return {"text": _escaped(typed), "blocks": blocks}


def _escaped(typed: str) -> str:
    kept = 0
    parts = []
    for entity in _ENTITY.finditer(typed):
        parts += [_escape(typed[kept : entity.start()]), entity[0]]
        kept = entity.end()
    return "".join([*parts, _escape(typed[kept:])])


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _elements(typed: str) -> Iterator[Payload]:
    kept = 0
    for fence in _FENCE.finditer(typed):
        yield from _lines(typed[kept : fence.start()])
        yield {
            "type": "rich_text_preformatted",
            "elements": [{"type": "text", "text": fence[1]}],
            "border": 0,
        }
        kept = fence.end()
    yield from _lines(typed[kept:])


def _lines(typed: str) -> Iterator[Payload]:
    """Paragraphs are sections, "> " are quotes, "- " and "1. " are lists."""
    lines = typed.strip("\n").split("\n") if typed.strip("\n") else []
    start = 0
    while start < len(lines):
        kind = _kind(lines[start])
        end = start
        while end < len(lines) and _kind(lines[end]) == kind:
            end += 1
        run = lines[start:end]
        if kind == "quote":
            yield {"type": "rich_text_quote", "elements": _runs("\n".join(line[2:] for line in run))}
        elif kind in ("bullet", "ordered"):
            items = [_BULLET.match(line) for line in run]
            sections = [
                {"type": "rich_text_section", "elements": _runs(item[2])}
                for item in items
                if item is not None
            ]
            yield {"type": "rich_text_list", "style": kind, "indent": 0, "border": 0, "elements": sections}
        else:
            last = "" if end == len(lines) else "\n"
            yield {"type": "rich_text_section", "elements": _runs("\n".join(run) + last)}
        start = end


def _kind(line: str) -> str:
    item = _BULLET.match(line)
    if item is not None:
        return "ordered" if item[1] else "bullet"
    return "quote" if line.startswith("> ") else "section"


def _runs(typed: str, style: dict[str, bool] | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    kept = 0
    for entity in _ENTITY.finditer(typed):
        found += _styled(typed[kept : entity.start()], style or {})
        if entity["sigil"] == "@":
            found.append({"type": "user", "user_id": entity["id"]})
        elif entity["sigil"] == "#":
            found.append({"type": "channel", "channel_id": entity["id"]})
        else:
            label = {"text": entity["label"]} if entity["label"] else {}
            found.append(
                {"type": "link", "url": entity["url"], **label, **({"style": style} if style else {})}
            )
        kept = entity.end()
    return found + _styled(typed[kept:], style or {})


def _styled(typed: str, style: dict[str, bool]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    kept = 0
    for match in _STYLED.finditer(typed):
        found += _plain(typed[kept : match.start()], style)
        found += _plain(match[2], {**style, _STYLES[match[1]]: True})
        kept = match.end()
    return found + _plain(typed[kept:], style)


def _plain(typed: str, style: dict[str, bool]) -> list[dict[str, Any]]:
    styled: dict[str, Any] = {"style": style} if style else {}
    found: list[dict[str, Any]] = []
    kept = 0
    for emoji in _EMOJI.finditer(typed) if "code" not in style else ():
        if typed[kept : emoji.start()]:
            found.append({"type": "text", "text": typed[kept : emoji.start()], **styled})
        found.append({"type": "emoji", "name": emoji[1]})
        kept = emoji.end()
    if typed[kept:]:
        found.append({"type": "text", "text": typed[kept:], **styled})
    return found
