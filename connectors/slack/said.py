"""What a message says, as Markdown: its blocks, else its text, and what is attached to it. Pure.

https://docs.slack.dev/reference/methods/chat.postMessage: beside blocks ``text`` is shown in notifications
alone, so it is read only where the blocks say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from connectors.richtext import markdown, slack_blocks
from connectors.richtext.slack_blocks import Names
from connectors.richtext.slack_mrkdwn import mrkdwn_to_markdown, unescape
from connectors.slack.blocks import elements, section
from connectors.slack.people import Payload

_NO_FALLBACK = "[no preview available]"
"""What Slack itself puts into an attachment that has blocks."""


def text_of(message: Payload, names: Names) -> str:
    """Markdown of a message and of what is attached to it; nothing is said twice.

    Args:
        names: of users, by id.
    """
    own = _of_blocks(message.get("blocks"), names) or mrkdwn_to_markdown(_str(message, "text"), names)
    attached = [
        _of_attachment(each, names) for each in message.get("attachments") or () if not _is_preview(each)
    ]
    return _joined(dict.fromkeys([own, *attached]))


def _is_preview(attachment: Payload) -> bool:
    """A preview of a link says nothing new; what was forwarded has an address as well."""
    return bool(attachment.get("from_url")) and not attachment.get("is_share")


def _of_attachment(attachment: Payload, names: Names) -> str:
    """Its blocks, else what older apps write (https://api.slack.com/reference/messaging/attachments)."""
    forwarded = (each.get("message") or {} for each in attachment.get("message_blocks") or ())
    blocks = chain.from_iterable(each.get("blocks") or () for each in (attachment, *forwarded))
    if said := _of_blocks(blocks, names):
        return said
    lines = [_str(attachment, name) for name in ("pretext", "title", "text")]
    lines += map(_of_field, attachment.get("fields") or ())
    shown = "\n".join(filter(None, lines)) or _str(attachment, "fallback")
    return "" if shown == _NO_FALLBACK else mrkdwn_to_markdown(shown, names)


def _of_field(field: Payload) -> str:
    """One line of mrkdwn."""
    title, value = _str(field, "title").strip(), _str(field, "value")
    return f"*{title}:* {value}" if title and value else title or value


def _of_blocks(blocks: Iterable[Payload] | None, names: Names) -> str:
    return _joined(_of_block(block, names) for block in blocks or ())


def _of_block(block: Payload, names: Names) -> str:
    """All its text, whatever it is called: a header's, a section's with its fields, a context's elements."""
    if block.get("type") == "rich_text":
        return slack_blocks.to_markdown(elements(block), names)
    if block.get("type") == "markdown":
        return markdown.clean(_str(block, "text")).strip()
    texts = (block.get("text"), *(block.get("fields") or ()), *(block.get("elements") or ()))
    return _joined(_of_text(each, names) for each in texts if isinstance(each, Mapping))


def _of_text(text: Payload, names: Names) -> str:
    """A text object; nothing of a button or a picture. Plain text is escaped as well where Slack tells it."""
    if text.get("type") == "mrkdwn":
        return mrkdwn_to_markdown(_str(text, "text"), names)
    if text.get("type") == "plain_text":
        plain = section({"type": "text", "text": unescape(_str(text, "text"))})
        return slack_blocks.to_markdown([plain], names)
    return ""


def _str(payload: Payload, name: str) -> str:
    return str(payload.get(name) or "")


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(filter(None, parts))
