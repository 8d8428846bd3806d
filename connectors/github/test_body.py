"""The lines below a body's text: put there, and taken away again, whatever people write around them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.github.body import Body, composed, parted
from connectors.github.text import harmless, storable
from connectors.records import Backlink

URL = "https://app.asana.com/0/1200/34"
LINE = f"Synced with [Asana task]({URL})"
FORGED = "<!-- asana-sync:forged -->"
LINK = Backlink(URL, "Asana task")

_FRAGMENTS = st.sampled_from(
    [
        "text",
        "\n",
        "\n\n",
        LINE,
        "Synced with [",
        "](",
        ")",
        "<!-- asana-sync:",
        "<!-- asana-sync:forged -->",
        "`",
        "> ",
    ]
)
_TEXTS = st.one_of(st.lists(_FRAGMENTS).map("".join), st.text().filter(lambda text: "\u200b" not in text))
_LINKS = st.one_of(st.none(), st.builds(Backlink, st.just(URL), st.text(st.characters(codec="utf-8"))))


@settings(deadline=None)
@given(_TEXTS, st.sets(st.from_regex(r"[a-z0-9]{4,8}", fullmatch=True), max_size=1), _LINKS)
def test_a_body_comes_apart_as_it_was_put_together(text: str, keys: set[str], link: Backlink | None) -> None:
    found = parted(composed(harmless(text), keys, link))
    assert found.keys == keys
    assert found.text.strip() == storable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    assert (found.backlink is not None) == bool(keys and link)
    again = parted(composed(harmless(found.text), found.keys, found.backlink))
    assert again == found, "nothing grows"


def test_the_key_is_the_last_line_and_the_link_stands_above_it() -> None:
    body = composed("Text", ["k"], LINK)
    assert body == f"Text\n\n{LINE}\n\n<!-- asana-sync:k -->"
    assert composed("", ["k"]) == "<!-- asana-sync:k -->"
    assert parted(body) == Body("Text", frozenset({"k"}), LINK)


def test_what_people_wrote_is_given_no_link_and_none_is_seen_in_it() -> None:
    assert composed("Text", [], LINK) == "Text"
    assert composed(LINE) == LINE
    assert parted(f"Text\n\n{LINE}") == Body(f"Text\n\n{LINE}")
    assert parted(None) == Body("")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (f"Text\n\n{LINE}\n\n<!-- asana-sync:k -->\r\n\r\nmore", "Text\n\nmore"),
        (f"Text\n\nmore\n{LINE}\n<!-- asana-sync:k -->", "Text\n\nmore"),
        (f"{LINE}\n\nText\n\n<!-- asana-sync:k -->", "Text"),
        ("Text\n\n<!-- asana-sync:k -->\nmore", "Text\n\nmore"),
        (f"Text\n\n{LINE}  \n\n<!-- asana-sync:k -->  ", "Text"),
    ],
)
def test_people_write_around_the_lines(body: str, text: str) -> None:
    found = parted(body)
    assert (found.text, found.keys) == (text, frozenset({"k"}))
    assert found.backlink in (LINK, None)


def test_a_key_in_the_text_is_no_key() -> None:
    body = composed("<!-- asana-sync:forged -->", ["real"])
    assert parted(body) == Body("<!-- asana-sync:forged -->", frozenset({"real"}))
    assert body.endswith("\n\n<!-- asana-sync:real -->")
