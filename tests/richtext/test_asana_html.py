"""Asana's rich text: always acceptable, and stable in both directions."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.richtext.asana_html import from_markdown, same, to_markdown
from connectors.richtext.markdown import same as same_markdown
from tests.richtext.texts import anything, asana, markdown

INLINE_TAGS = frozenset({"strong", "em", "u", "s", "code", "a"})
COMMENT_TAGS = INLINE_TAGS | {"body", "ol", "ul", "li", "blockquote", "pre"}
NOTE_TAGS = COMMENT_TAGS | {"h1", "h2", "hr"}


def assert_acceptable(html: str, *, comment: bool = False) -> None:
    """What Asana demands: XML, known tags, attributes on links only, sensible nesting."""
    root = ET.fromstring(html)
    assert root.tag == "body"
    for element in root.iter():
        assert element.tag in (COMMENT_TAGS if comment else NOTE_TAGS)
        children = {child.tag for child in element.iter() if child is not element}
        if element.tag == "a":
            assert set(element.attrib) <= {"href", "data-asana-dynamic"}
            assert re.match(r"https?://.|mailto:", element.attrib["href"])
            assert "a" not in children
        else:
            assert not element.attrib
        if element.tag in INLINE_TAGS | {"h1", "h2", "pre"}:
            assert children <= INLINE_TAGS
        if element.tag in ("li", "blockquote"):
            assert not children & {"h1", "h2", "hr"}
        if element.tag in ("ul", "ol"):
            assert {child.tag for child in element} == {"li"}
            assert not (element.text or "").strip()


PIECES = """plan well-known a:b Note: e.g. www.x http: a@b.co 1. 12 -a (c) a/b It's "so" yes. no, x;
    ww. ... - & é"""
WORDS = st.lists(st.sampled_from([*PIECES.split(), "a: b", "- a", "", " ", "\n", "\n\n"]), max_size=9)


@given(WORDS, st.sampled_from(["", " "]))
def test_plain_text_takes_a_short_way_to_the_same_place(words: list[str], between: str) -> None:
    text = escape(between.join(words))
    assert to_markdown(f"<body>{text}</body>") == to_markdown(f"<body><span>{text}</span></body>")


def there_and_back(text: str) -> str:
    return to_markdown(from_markdown(text))


def assert_settles(text: str) -> None:
    """One round may lose what the dialect lacks; from then on nothing changes and nothing grows."""
    html = from_markdown(text)
    assert from_markdown(to_markdown(html)) == html


@pytest.mark.no_cover
class TestAcceptable:
    @given(anything | markdown)
    def test_any_text(self, text: str) -> None:
        assert_acceptable(from_markdown(text))
        assert_acceptable(from_markdown(text, comment=True), comment=True)

    def test_commonmark(self, commonmark: list[dict[str, Any]]) -> None:
        for case in commonmark:
            assert_acceptable(from_markdown(case["markdown"]))
            assert_acceptable(from_markdown(case["markdown"], comment=True), comment=True)

    @pytest.mark.parametrize("depth", [5, 500])
    @pytest.mark.parametrize("mark", ["> ", "- ", "1. ", "> - ", "<blockquote>", "<ul><li>", "<b>", "[", "*"])
    def test_deep(self, mark: str, depth: int) -> None:
        html = from_markdown(mark * depth + "core")
        assert_acceptable(html)
        assert "core" in html
        assert "core" in to_markdown(html)


@pytest.mark.no_cover
class TestFixpoint:
    @given(anything | markdown)
    def test_any_text(self, text: str) -> None:
        assert_settles(text)

    @given(asana)
    def test_any_rich_text(self, html: str) -> None:
        once = there_and_back(to_markdown(html))
        assert there_and_back(once) == once
        assert same(to_markdown(html), once)

    def test_commonmark(self, commonmark: list[dict[str, Any]]) -> None:
        assert len(commonmark) == 652
        for case in commonmark:
            assert_settles(case["markdown"])

    def test_sgtm(self, sgtm: list[dict[str, Any]]) -> None:
        for case in sgtm:
            assert_settles(case["input"])

    def test_comments_settle(self) -> None:
        text = "# Head\n\n---\n\ntext"
        html = from_markdown(text, comment=True)
        assert from_markdown(to_markdown(html), comment=True) == html
        assert same(text, to_markdown(html), comment=True)


def test_sgtm(sgtm: list[dict[str, Any]]) -> None:
    assert len(sgtm) == 46
    for case in sgtm:
        html = from_markdown(case["input"])
        bold = html.replace("strong>", "b>")
        assert_acceptable(html)
        assert [part for part in case.get("contains", []) if part not in html and part not in bold] == []
        assert [part for part in case.get("not_contains", []) if part in html] == []
        # White space and bold differ by design, and headings stay headings here.
        expected = {_bare(text) for text in case.get("equals", [])}
        assert not expected or _bare(html[6:-7]) in expected


def _bare(html: str) -> str:
    return re.sub(r"\s+|</?(?:b|strong|h1|h2)>", "", html.replace(" />", "/>"))


@pytest.mark.parametrize(
    "text",
    [
        "plain text, with a line\nbreak and\n\na paragraph",
        "# One\n\n## Two\n\ntext",
        "- a\n  - b\n    1. c\n    2. d\n- e\n\n  second paragraph",
        "1. a\n2. b",
        "- [ ] open\n- [x] done **now**",
        "`code` and ``a ` b``",
        "```\nif a < b & c:\n\n    return '</pre>'\n```",
        "- item\n\n  ```\n  code\n  ```",
        "> quote\n>\n> - list\n>\n> > deeper",
        "[text](https://x.y/a?b=c&d=e_f_g) https://x.y/(z) <me@x.y> [**bold** link](https://x.y)",
        "**bold** *em* ***both*** ~~gone~~ <ins>under</ins> a**b**c **[l](https://x.y)**",
        "before\n\n---\n\nafter",
        r"\*no\* \_em\_ 1\. \# \<b> \`x\` \[a\](b) &amp;lt; \\",
        "1 < 2 & 3 > 2, List\\<String>",
        "שלום \u202eabc\u202c 👩‍👩‍👧 é ﬁ zero\u200bwidth",
    ],
)
def test_survives_whole(text: str) -> None:
    assert same_markdown(there_and_back(text), text)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        ("1. no list\n# no heading\n- no", "1\\. no list\n\\# no heading\n\\- no"),
        ("*a* _b_ `c` [d](e) &lt;b&gt; &amp;amp;", r"\*a\* \_b\_ \`c\` \[d\](e) \<b\> \&amp;"),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"),
        ("<ul>\n<li>a<ol>\n<li>b</li></ol></li>\n</ul>\n", "- a\n  1. b"),
        ('<ul data-x="1"><li class="y">☐ a</li><li>☑ b</li></ul>', "- [ ] a\n- [x] b"),
        ("<strong>a\n\nb </strong>c", "**a**\n\n**b** c"),
        ("<code>a\nb</code>", "`a`\n`b`"),
        ("<pre>x\n  y</pre>after", "```\nx\n  y\n```\n\nafter"),
        ("<h1>T</h1><blockquote>q\nr</blockquote><hr>end", "# T\n\n> q\n> r\n\n---\n\nend"),
        (
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c|d</td></tr></table>",
            "| a | b |\n| --- | --- |\n| c\\|d |  |",
        ),
        ('<section data-new="1"><widget>kept</widget></section>', "kept"),
        (
            "<strong>open <em>wrong</strong>ly</em> & <b",
            "<strong>open <em>wrong</em></strong><em>ly</em> & \\<b",
        ),
        ("a <u>b</u> <s>c</s>", "a <ins>b</ins> ~~c~~"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ("", ""),
    ],
)
def test_reading(html: str, expected: str) -> None:
    assert to_markdown(f"<body>{html}</body>") == expected


MENTION = (
    '<a href="https://app.asana.com/0/56789/list" data-asana-accessible="true" data-asana-dynamic="true" '
    'data-asana-type="user" data-asana-gid="54321">@Tim</a>'
)
WRITTEN_MENTION = '<a data-asana-gid="54321" href="https://app.asana.com/0/profile/54321">@Tim</a>'
IMAGE = (
    '<img data-asana-gid="77" src="https://s3.example/x?Expires=1" alt="\nhttps://s3.example/x" '
    'style="display:block"/>'
)


class TestMentionsAndImages:
    def test_mention_is_one_there_and_back(self) -> None:
        text = to_markdown(f"<body>ask {MENTION}</body>")
        assert text == "ask [@Tim](user:54321)"
        written = from_markdown(text)
        assert written == f"<body>ask {WRITTEN_MENTION}</body>"
        assert to_markdown(written) == text

    @pytest.mark.parametrize(
        "address", ["0/profile/54321", "1/1200000000000001/profile/54321", "0/profile/54321/?focus=true"]
    )
    def test_a_mention_is_known_by_its_profile_alone(self, address: str) -> None:
        """What it reads back with is not documented: perhaps no type, and addresses have two forms."""
        link = f'<a data-asana-gid="54321" href="https://app.asana.com/{address}">@Tim</a>'
        assert to_markdown(f"<body>{link}</body>") == "[@Tim](user:54321)"
        other = link.replace('gid="54321"', 'gid="9"')
        assert "user:" not in to_markdown(f"<body>{other}</body>")

    def test_what_is_not_exactly_a_mention_pings_nobody(self) -> None:
        for text in (
            "[@Tim](https://app.asana.com/0/56789/list)",
            "[a](<user:54321>)",
            "<user:54321>",
            '<a href="user:54321">b</a>',
            "[a][1]\n\n[1]: user:54321",
            "[a](&#117;ser:54321)",
            "`[a](user:54321)`",
            "[a](user:tim)",
            '[a](user:5432" data-asana-gid="1)',
        ):
            assert "<a data-asana-gid" not in from_markdown(text), text

    def test_link_to_an_object_that_stands_there_stays(self) -> None:
        task = (
            '<a data-asana-gid="77" data-asana-type="task" href="https://app.asana.com/0/0/77/f">A task</a>'
        )
        html = f"<body>see {task}</body>"
        text = to_markdown(html) + " and [A task](https://app.asana.com/0/1/list)"
        assert from_markdown(text, present=html) == (
            '<body>see <a data-asana-gid="77" href="https://app.asana.com/0/0/77/f">A task</a> and '
            '<a data-asana-dynamic="false" href="https://app.asana.com/0/1/list">A task</a></body>'
        )

    def test_mention_that_stands_there_stays_where_only_its_name_came_back(self) -> None:
        html = f"<body>ask {MENTION}</body>"
        assert from_markdown("**ask** @Tim, not @Timothy or `@Tim`", present=html) == (
            f"<body><strong>ask</strong> {WRITTEN_MENTION}, not @Timothy or <code>@Tim</code></body>"
        )
        assert "gid" not in from_markdown("ask @Tim")

    def test_users_have_their_own_names_on_each_side(self) -> None:
        read = to_markdown(f"<body>ask {MENTION} or {MENTION}</body>")
        assert same("ask [@tim](user:54321) or @Tim", read)
        assert not same("ask [@tim](user:5) or @Tim", read)
        assert not same("ask [@tim](user:54321) or @Ada", read)

    def test_mention_as_sent(self) -> None:
        assert to_markdown('<body><a data-asana-gid="12"/></body>') == "https://app.asana.com/0/0/12/f"

    def test_image_is_a_link_that_lasts(self) -> None:
        text = to_markdown(f"<body>{IMAGE}</body>")
        assert text == "[image](https://app.asana.com/app/asana/-/get_asset?asset_id=77)"

    def test_image_that_stands_there_stays(self) -> None:
        html = f"<body>see\n{IMAGE}</body>"
        assert (
            from_markdown(to_markdown(html), present=html) == '<body>see\n<img data-asana-gid="77"/></body>'
        )
        assert "<img" not in from_markdown(to_markdown(html), present=html, comment=True)

    def test_own_label_of_an_asana_link_is_kept(self) -> None:
        link = "[my words](https://app.asana.com/0/1/2)"
        assert 'data-asana-dynamic="false"' in from_markdown(link)
        assert there_and_back(link) == link


class TestSame:
    def test_lists_that_the_editor_joined(self) -> None:
        assert same("- a\n\n* b", "- a\n- b")

    def test_address_that_asana_linked(self) -> None:
        assert same("(see:https://x.y)", "(see:<https://x.y>)")

    def test_an_edit_is_not_the_same(self) -> None:
        assert not same("| a |\n|---|\n| 1 |", "a\n2")
        assert not same("text", "text!")


PROSE = (
    "Lorem *ipsum* dolor sit amet, `code` and [a link](https://example.com/x_y): see #12.\n\n- one\n- two\n\n"
)
HURTFUL = [
    "[",
    "![",
    "[a](",
    "**a",
    "`",
    "<a ",
    "<!--",
    "&",
    "a:",
    "https://_(",
    "> ",
    "*_",
    "<ul><li>",
    "\n",
    " ",
]


@pytest.mark.no_cover
@pytest.mark.parametrize("pattern", [PROSE, *HURTFUL])
def test_linear_time(pattern: str) -> None:
    """Not the machine's speed is tested, but that four times the text does not take sixteen times as long."""
    taken = []
    for size in (1_000, 4_000):
        text = pattern * (size // len(pattern))
        start = time.process_time()
        html = from_markdown(text)
        to_markdown(html)
        to_markdown(f"<body>{text}</body>")
        taken.append(time.process_time() - start)
    assert taken[1] < 8 * taken[0] + 0.5
