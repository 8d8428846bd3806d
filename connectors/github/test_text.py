"""Round trips of what we put into texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.github.text import (
    harmless,
    has_live,
    neutral,
    storable,
    with_header,
    without_header,
)
from connectors.richtext.mentions import mentioned

ZWSP = "\u200b"

_FRAGMENTS = st.sampled_from(
    [
        "@bob",
        "fixes #12",
        "Closes: acme/site#3",
        "`",
        "``",
        "```\n",
        "~~~\n",
        "\n",
        "\n\n",
        "> ",
        "- ",
        "    ",
        " ",
        "| a | b |\n|---|---|\n| ` | @x` |",
        "&#64;ada",
        "https://x.test/@y",
        "<b>",
        "\\",
        "*",
        "text",
        "\r\n",
    ]
)
_TEXTS = st.one_of(st.lists(_FRAGMENTS).map("".join), st.text().filter(lambda text: ZWSP not in text))


@settings(deadline=None)
@given(_TEXTS)
def test_what_is_made_harmless_reads_as_before(text: str) -> None:
    broken = harmless(text)
    assert neutral(broken) == storable(text.replace("\r\n", "\n").replace("\r", "\n"))
    assert harmless(neutral(broken)) == broken


_MENTIONING = [
    "[@ada](user:ada)",
    "[@b-1](user:b-1)",
    " ",
    "\n",
    "\n\n",
    "\n> ",
    "\n- ",
    "x",
    "@bob",
    "`y`",
    ", ",
    "-",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(_MENTIONING)).map("".join))
def test_mentions_come_back_as_they_were(text: str) -> None:
    assert mentioned(neutral(harmless(text))) <= mentioned(text), "nobody is called who was not"
    once = neutral(harmless(text))
    assert neutral(harmless(once)) == once, "nothing grows"


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        (
            "`a`\n\n| `a` | ` |\n|---|---|\n| `a` | ` @bob |",
            f"`a`\n\n| `a` | ` |\n|---|---|\n| `a` | ` @{ZWSP}bob |",
        ),
        (
            "| a | b | c |\n|---|---|---|\n| `a` | ` | @bob ` |",
            f"| a | b | c |\n|---|---|---|\n| `a` | ` | @{ZWSP}bob ` |",
        ),
        ("`a` and ``b` @bob", f"`a` and ``b` @{ZWSP}bob"),
        ("cc @bob", f"cc @{ZWSP}bob"),
        ("@acme/team, please", f"@{ZWSP}acme/team, please"),
        ("(@bob) _@ada", f"(@{ZWSP}bob) _@ada"),
        ("&#64;bob &#x40;bob &commat;bob", f"&#64;{ZWSP}bob &#x40;{ZWSP}bob &commat;{ZWSP}bob"),
        ("Fixes #12 and closes: acme/site#3", f"Fixes {ZWSP}#12 and closes: {ZWSP}acme/site#3"),
        ("Resolved GH-7", f"Resolved {ZWSP}GH-7"),
        ("close https://github.com/a/b/issues/1", f"close {ZWSP}https://github.com/a/b/issues/1"),
        ("fixes **#12**", f"fixes {ZWSP}**#12**"),
        ("`code` @bob", f"`code` @{ZWSP}bob"),
        ("<div>@bob</div>", f"<div>@{ZWSP}bob</div>"),
        ("| a |\n|---|\n| ` | @bob ` |", f"| a |\n|---|\n| ` | @{ZWSP}bob ` |"),
    ],
)
def test_live_text_is_broken(text: str, broken: str) -> None:
    assert has_live(text)
    assert harmless(text) == broken


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "https://x.test/?q=@bob",
        "`@bob` and ``a ` @bob``",
        "`` `@bob` ``",
        "```\n@bob fixes #1\n```",
        "    @indented",
        "prefix #12",
        "see #12",
        "@ bob",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert harmless(text) == text


def test_what_is_live_already_stays_live() -> None:
    standing = "Fixes #12, cc @bob"
    assert harmless("FIXES #12, cc @bob and @ada", standing) == f"FIXES #12, cc @bob and @{ZWSP}ada"
    assert harmless("cc @bob", harmless(standing)) == f"cc @{ZWSP}bob"
    assert harmless("cc @bob", "`@bob`") == f"cc @{ZWSP}bob"


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("cc @bob", "cc [@bob](user:bob)"),
        ("(@Bob-1), **@ada**.", "([@Bob-1](user:Bob-1)), **[@ada](user:ada)**."),
        ("| a |\n|---|\n| @ada |", "| a |\n|---|\n| [@ada](user:ada) |"),
        ("- @ada\n  > @bob", "- [@ada](user:ada)\n  > [@bob](user:bob)"),
        ("cc @ada @bob", "cc [@ada](user:ada) [@bob](user:bob)"),
    ],
)
def test_a_mention_reads_as_one_and_is_written_as_one(read: str, meant: str) -> None:
    assert neutral(read) == meant
    assert harmless(meant) == read
    assert not has_live(meant)


@pytest.mark.parametrize(
    "text",
    [
        "@acme/team",
        "ada@example.com",
        "@-x @ada- @ada.b @ada_b",
        "`@ada`",
        "```\n@ada\n```",
        "https://x.test/@ada",
        "[ask @ada](https://x.test)",
        "[![by @ada](https://x.test/i.png)](https://x.test)",
        "[@ada][1]\n\n[1]: https://x.test",
        "<div>@ada</div>",
        "<div>\n@ada\n</div>",
    ],
)
def test_what_notifies_nobody_is_no_mention(text: str) -> None:
    assert "(user:ada)" not in neutral(text)


def test_a_mention_never_becomes_one_of_somebody_else() -> None:
    assert harmless("x[@ada](user:ada)-b [@ada](user:ada).c [@a](user:a)[@b](user:b)") == (
        f"x{ZWSP}@ada{ZWSP}-b @ada{ZWSP}.c @a{ZWSP}@b"
    )
    assert (
        harmless("[@Ada](user:a b) [@ada](user:dependabot%5Bbot%5D)") == f"[@{ZWSP}Ada](user:a b) @{ZWSP}ada"
    )
    assert harmless("https://x.test/a[@ada](user:ada)") == "https://x.test/a @ada"
    text = "x[@ada](user:ada)-b [@ada](user:ada).c [@a](user:a)[@b](user:b)"
    assert neutral(harmless(text)) == text


def test_header_is_as_documented() -> None:
    assert (
        with_header("Hi", "Ada Lovelace", "https://a.test/1") == "**[Ada Lovelace](https://a.test/1)**\n\nHi"
    )


@given(st.text(), st.from_regex(r"https://[a-z]+/[\w()\\%&?=#@-]*", fullmatch=True), st.text())
def test_header_and_text_part_again(name: str, url: str, text: str) -> None:
    assert without_header(with_header(f"x{text}", name, url)) == (url, f"x{text}")


def test_no_header() -> None:
    assert without_header("**[A](u)** and more") == (None, "**[A](u)** and more")
    assert without_header("**[A](u)**") == ("u", "")
    assert with_header("t", " ", "https://a b") == "**[?](https://a%20b)**\n\nt"
