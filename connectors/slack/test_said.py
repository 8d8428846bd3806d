"""What messages say that are made in other ways than by typing: forwarded, or sent by apps."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.slack.said import text_of
from connectors.slack.translate import title_of


def rich(text: str) -> dict[str, Any]:
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [words]}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


FORWARDED: dict[str, Any] = {
    "is_share": True,
    "is_msg_unfurl": True,
    "from_url": "https://acme.slack.com/archives/C1/p1512085950000216",
    "fallback": "[November 30th] ada: The *footer* is broken",
    "text": "The *footer* is broken",
}
UNFOLDED = [{"team": "T1", "channel": "C1", "ts": "1.2", "message": {"blocks": [rich("It is broken")]}}]
ALERT = [
    {"type": "header", "text": plain("Disk &amp; memory")},
    {
        "type": "section",
        "text": mrkdwn("*web-1* is full"),
        "fields": [mrkdwn("*Since:* 9:00"), plain("2 &gt; 1")],
    },
    {"type": "divider"},
    {
        "type": "context",
        "elements": [{"type": "image", "alt_text": "a face"}, mrkdwn("by _Eye_")],
    },
    {"type": "markdown", "text": "## Steps\n- [look](https://a.b)"},
    {"type": "actions", "elements": [{"type": "button", "text": plain("Silence")}]},
]
ALERTED = (
    "Disk & memory\n\n**web-1** is full\n\n**Since:** 9:00\n\n2 > 1\n\nby *Eye*\n\n"
    "## Steps\n- [look](https://a.b)"
)
FIELDS = [
    {"title": "Status", "value": "_Open_", "short": True},
    {"title": "", "value": "No title", "short": False},
]


@pytest.mark.parametrize(
    ("message", "text", "title"),
    [
        ({"attachments": [FORWARDED]}, "The **footer** is broken", "The footer is broken"),
        ({"attachments": [{**FORWARDED, "message_blocks": UNFOLDED}]}, "It is broken", "It is broken"),
        (
            {"text": "Look", "blocks": [rich("Look")], "attachments": [FORWARDED]},
            "Look\n\nThe **footer** is broken",
            "Look",
        ),
        (
            {"text": "<https://a.b>", "attachments": [{"from_url": "https://a.b", "title": "A page"}]},
            "https://a.b",
            "https://a.b",
        ),
        (
            {"attachments": [{"fallback": "[no preview available]", "blocks": ALERT}]},
            ALERTED,
            "Disk & memory",
        ),
        ({"attachments": [{"fallback": "[no preview available]", "blocks": []}]}, "", "(no text)"),
        ({"attachments": [{"fallback": "Disk full"}]}, "Disk full", "Disk full"),
        ({"blocks": ALERT}, ALERTED, "Disk & memory"),
        ({"text": "Disk & memory: web-1", "blocks": ALERT}, ALERTED, "Disk & memory"),
        ({"text": "A button", "blocks": ALERT[-1:]}, "A button", "A button"),
        (
            {"attachments": [{"title": "<https://a.b/1|WEB-1>", "text": "Footer", "fields": FIELDS}]},
            "[WEB-1](https://a.b/1)\nFooter\n**Status:** *Open*\nNo title",
            "WEB-1",
        ),
        ({"text": "Disk full", "attachments": [{"text": "Disk full"}]}, "Disk full", "Disk full"),
    ],
)
def test_a_message_brings_whatever_it_shows(message: dict[str, Any], text: str, title: str) -> None:
    assert text_of({"text": "", **message}, {}) == text
    assert title_of(message, text) == title
