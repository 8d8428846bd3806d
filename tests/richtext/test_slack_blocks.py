"""Slack's rich text: what arrives, what nobody can inject, and every declared loss."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.richtext.slack_blocks import LONGEST, from_markdown, same, to_markdown
from connectors.richtext.slack_mrkdwn import mrkdwn_to_markdown

NAMES = {"U0ADA": "Ada Lovelace"}


def arrives(text: str) -> str:
    return to_markdown(from_markdown(text), NAMES)


def elements(text: str) -> list[dict[str, Any]]:
    """All that stands in the text, whatever holds it."""
    return [inner for outer in from_markdown(text) for inner in _leaves(outer)]


def _leaves(element: dict[str, Any]) -> list[dict[str, Any]]:
    return (
        [leaf for inner in element["elements"] for leaf in _leaves(inner)]
        if "elements" in element
        else [element]
    )


@pytest.mark.parametrize(
    "text",
    [
        "One **two** *three* ~~four~~ `five` [six](https://example.com/?a=1&b=2)",
        "One\n\nTwo\nThree",
        "- one\n- two\n  - deeper\n    1. first\n- three",
        "3. three\n4. four",
        "- [ ] open\n- [x] done",
        "> quoted\n> again\n\nafter",
        "before\n\n```\na < b && c\n\n  d\n```\n\nafter",
        "[@Ada Lovelace](user:U0ADA) knows",
        "* not a list, \\*not bold\\*",
    ],
)
def test_what_slack_has_arrives_whole(text: str) -> None:
    assert same(text, arrives(text))
    assert arrives(arrives(text)) == arrives(text)
    assert from_markdown(arrives(text)) == from_markdown(text)


@pytest.mark.parametrize(
    "text", ["<!channel>", "@channel @here", "<@U0ADA>", "<!subteam^S1>", "[x](user:U0ADA\\)"]
)
def test_no_text_calls_anybody(text: str) -> None:
    assert {each["type"] for each in elements(text)} <= {"text", "link"}


def test_only_a_mention_calls() -> None:
    assert {"type": "user", "user_id": "U0ADA"} in elements("[@Ada](user:U0ADA)")
    assert {each["type"] for each in elements("`[@Ada](user:U0ADA)`")} == {"text"}
    assert {each["type"] for each in elements("[@Ada](user:nobody)")} == {"text"}


def test_emoji_are_names_between_colons_and_times_are_not() -> None:
    assert {"type": "emoji", "name": "shipit"} in elements("now :shipit:")
    assert {each["type"] for each in elements("12:30:45 std::vector::iterator `:a:`")} == {"text"}
    party = {"type": "emoji", "name": "tada", "unicode": "1f389"}
    assert to_markdown([{"type": "rich_text_section", "elements": [party]}], {}) == "🎉"


def test_heading_becomes_bold_line() -> None:
    assert arrives("## Two") == "**Two**"


def test_table_becomes_rows() -> None:
    assert arrives("| a | b |\n|---|---|\n| 1 | 2 |") == "a | b\n1 | 2"


def test_image_becomes_link() -> None:
    assert arrives("![Logo](https://x.y/l.png)") == "[Logo](https://x.y/l.png)"


def test_rule_becomes_dashes() -> None:
    assert arrives("a\n\n---\n\nb") == "a\n\n———\n\nb"


def test_language_and_underline_are_lost() -> None:
    assert arrives("```py\nx\n```") == "```\nx\n```"
    assert arrives("<ins>x</ins>") == "x"


def test_blocks_in_a_quote_or_an_item_become_their_text() -> None:
    assert arrives("> ```\n> x\n> ```") == "> `x`"
    assert same("- a\n\n  > b", arrives("- a\n\n  > b"))


def test_other_addresses_become_text() -> None:
    assert arrives("[x](javascript:alert(1)) [y](/relative)") == "[x](javascript:alert(1)) y"


def test_text_beyond_the_limit_ends_with_an_ellipsis() -> None:
    long = "word " * 5000
    cut = arrives(long)
    assert len(cut) <= LONGEST
    assert cut.endswith("…")
    assert same(long, cut)
    assert arrives(cut) == cut


def test_what_older_apps_write_is_read() -> None:
    written = (
        "*bold* _it_ ~no~ `a*b*` <@U0ADA> <https://a.b|x> &lt;!channel&gt; <!here>\n&gt; quoted\n```co<de```"
    )
    assert mrkdwn_to_markdown(written, NAMES) == (
        "**bold** *it* ~~no~~ `a*b*` [@Ada Lovelace](user:U0ADA) [x](https://a.b) \\<!channel> @here\n\n"
        "> quoted\n\n```\nco<de\n```"
    )
