"""Blocks of rich text that are found again by ids of our own. Pure.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.slack.people import Payload

TITLE_BLOCK, NOTES_BLOCK, LINK_BLOCK = "asana-sync-title", "asana-sync-notes", "asana-sync-link"


def rich(id: str, elements: Sequence[Payload]) -> dict[str, Any]:
    """A block of rich text that is found again by its id."""
    return {"type": "rich_text", "block_id": id, "elements": list(elements)}


def section(*elements: Payload) -> dict[str, Any]:
    """Running text of a block."""
    return {"type": "rich_text_section", "elements": list(elements)}


def blocks(message: Payload) -> dict[str, Payload]:
    """Those of a message, by their ids."""
    return {str(block.get("block_id")): block for block in message.get("blocks") or ()}


def block(message: Payload, id: str) -> Payload | None:
    """Our block of that id."""
    return blocks(message).get(id)


def elements(block: Payload) -> list[dict[str, Any]]:
    """What a block holds."""
    return list(block.get("elements") or ())


def literal(block: Payload) -> str:
    """The text of a block that has one line and no style that matters."""
    return "".join(
        str(element.get("text", ""))
        for section in block.get("elements", ())
        for element in section.get("elements", ())
    )
