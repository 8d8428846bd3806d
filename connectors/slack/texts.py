"""Texts within the limits of Block Kit, and harmless. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from slack_sdk.models.blocks import MarkdownTextObject, Option, PlainTextObject

TROUBLE = "That did not work just now. Nothing was done: try again in a moment."
UNKNOWN = (
    "Slack did not say whether it was posted here. If it stands in the channel, make the task at that "
    "message, from its menu; if it does not, try again."
)
NO_FIELDS = (
    "This project's fields could not be read just now. Choose it again in a moment, or create the "
    "task with its title alone."
)
NOWHERE = "No project is allowed in this channel. An admin can allow one: a mapping joins the two."
OUTDATED = "This form is out of date, and nothing was done. Close it, and begin again at the message."

OPTION = 75
"""Characters of an option's text (https://docs.slack.dev/reference/block-kit/composition-objects/option-object)."""
_OPTION_VALUE = 150


def escaped(text: str) -> str:
    """As mrkdwn that says nothing else: no mention, no link, no channel-wide call.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """One line of at most so many characters, never empty."""
    line = " ".join(text.split()) or "–"
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def plain(text: str, most: int) -> PlainTextObject:
    """Shown as it is: emoji names stay words."""
    return PlainTextObject(text=cut(text, most), emoji=False)


def mrkdwn(text: str) -> MarkdownTextObject:
    """Text that is escaped and cut already; Slack looks for nothing in it by itself."""
    return MarkdownTextObject(text=text, verbatim=True)


def quoted(text: str, most: int) -> str:
    """The text escaped and cut, in one line, after it was cut: an entity is never cut in two."""
    line, room = cut(text, most), most
    while len(escaped(line)) > most:
        room -= max(1, (len(escaped(line)) - most) // 5)
        line = cut(text, room)
    return escaped(line)


def option(text: str, value: str) -> Option | None:
    """None where the value is too long to be told back."""
    return Option(value=value, text=plain(text, OPTION)) if 0 < len(value) <= _OPTION_VALUE else None


def options(named: Mapping[str, str]) -> list[Option]:
    """Value -> text; the first hundred, which is all that Slack takes."""
    found = [made for value, text in named.items() if (made := option(text, value)) is not None]
    return found[:100]
