"""The messages that we post for objects: title, text and link in blocks of their own, with a key. Pure."""

from __future__ import annotations

from typing import Any

from connectors.errors import Park
from connectors.records import Backlink, Fields, Key, Value
from connectors.richtext import markdown, slack_blocks
from connectors.richtext.slack_mrkdwn import escape
from connectors.slack.blocks import LINK_BLOCK, NOTES_BLOCK, TITLE_BLOCK, rich, section
from connectors.slack.people import Payload

OBJECT_EVENT = "asana_sync_object"
"""Event type of the metadata of what we create (https://docs.slack.dev/messaging/message-metadata)."""

LONGEST_TITLE = 500
_LONGEST_FALLBACK = 3000


def new_message(fields: Fields, key: Key) -> dict[str, Any]:
    """The message of a new object, with its key.

    Raises:
        Park: there is no title.
    """
    link = Backlink(key.url, key.label) if key.backlink else None
    payload = {"token": key.token, "url": key.url}
    return {
        **content(fields.get("title"), fields.get("notes"), link),
        "metadata": {"event_type": OBJECT_EVENT, "event_payload": payload},
    }


def changed(message: Payload, now: Fields, fields: Fields, link: Backlink | None) -> dict[str, Any]:
    """Our message, which says ``now``, with these fields and all else as it is."""
    written = content(fields.get("title", now["title"]), fields.get("notes", now["notes"]), link)
    metadata = message.get("metadata")
    return {**written, "metadata": metadata} if metadata else written


def content(title: Value, notes: Value, link: Backlink | None) -> dict[str, Any]:
    """Text and blocks of our message."""
    heading = sent_title(str(title or ""))
    if not heading:
        raise Park("a message needs a first line", field="title")
    bold = {"type": "text", "text": heading, "style": {"bold": True}}
    blocks = [rich(TITLE_BLOCK, [section(bold)])]
    if text := slack_blocks.from_markdown(str(notes or "")):
        blocks.append(rich(NOTES_BLOCK, text))
    if link is not None:
        label = short(link.label or link.url, 200)
        blocks.append(rich(LINK_BLOCK, [section({"type": "link", "url": link.url, "text": label})]))
    return {"text": escape(heading)[:_LONGEST_FALLBACK], "blocks": blocks}


def sent_title(title: str) -> str:
    """A title as it is written: one line, not too long."""
    return short(" ".join(markdown.clean(title).split()), LONGEST_TITLE)


def short(text: str, most: int) -> str:
    """Cut to so many characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
