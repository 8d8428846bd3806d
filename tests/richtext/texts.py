"""Strategies: any text, text full of Markdown's own characters, Asana's rich text, whole documents."""

from __future__ import annotations

from html import escape

from hypothesis import strategies as st

MARKUP = [
    *"*_~`[]()<>&#+-=|!:;.\\\"' \n\t1ax@",
    *("**", "~~", "```", "\n\n", "> ", "- ", "1. ", "# ", "    ", "](", "http://a.b", "www.x.y", "a@b.co"),
    *(
        "<b>",
        "</b>",
        "<ins>",
        "<br>",
        "<!--",
        "-->",
        "<ul><li>",
        "</p>",
        "&lt;",
        "&nbsp;",
        "- [ ] ",
        "☐ ",
        "———",
    ),
    *("| a | b |\n|---|---|\n", "é", "e\u0301", "\u00a0", "\u200b", "\U0001f600", "\u202e", "\u2028", "\x85"),
    *("\x00", "\x0b", "\x1b", "\r\n", "\ufffe", "<String>", "<?x?>", "<![CDATA[", "[x]: /u\n", "![i](s)"),
]

anything = st.text(max_size=80)
markdown = st.lists(st.sampled_from(MARKUP), max_size=25).map("".join)
words = st.lists(
    st.sampled_from(["plan", "*", "a_b", "1.", "#", "<x>", "https://x.y/z", "&", "é", "`"]), min_size=1
)
_inline = st.one_of(
    st.sampled_from(MARKUP).map(lambda text: escape(text.replace("\x00", ""))),
    words.map(" ".join).map(escape),
)


def _wrapped(inner: st.SearchStrategy[str], tags: list[str]) -> st.SearchStrategy[str]:
    return st.builds("<{0}>{1}</{0}>".format, st.sampled_from(tags), inner)


_marked = st.recursive(
    _inline,
    lambda inner: st.one_of(
        _wrapped(st.lists(inner, max_size=3).map("".join), ["strong", "em", "u", "s", "code"]),
        st.builds('<a href="{}">{}</a>'.format, st.sampled_from(["https://x.y/z", "https://x.y/(a)"]), inner),
    ),
    max_leaves=6,
)
_text = st.lists(_marked, max_size=4).map("".join)
_nested = st.recursive(
    _text,
    lambda inner: st.one_of(
        _wrapped(_wrapped(inner, ["li"]), ["ul", "ol"]),
        _wrapped(st.lists(_wrapped(inner, ["li"]), max_size=3).map("".join), ["ul", "ol"]),
        _wrapped(inner, ["blockquote"]),
        _wrapped(_inline, ["pre"]),
    ),
    max_leaves=5,
)
asana = (
    st.lists(
        st.one_of(_nested, _wrapped(_text, ["h1", "h2"]), st.sampled_from(["\n", "\n\n", "<hr/>"])),
        max_size=6,
    )
    .map("".join)
    .map("<body>{}</body>".format)
)

_BLOCKS = [
    "# Title",
    "A *word* and `code`.",
    "_under_ stars",
    "two\nlines",
    "* one\n* two",
    "- one\n- two",
    "1. first\n2. second",
    "- [ ] open\n- [x] done",
    "> quoted\n>\n> more",
    "```py\nx = 1\n\ny = 2\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "<!-- note -->",
    "<details>\n<summary>more</summary>\ninside\n</details>",
    "![shot](https://x.y/s.png)",
    "see [docs](README.md) and [site][ref]",
    "[ref]: https://x.y",
    "### Deep",
    "---",
]
documents = st.lists(st.sampled_from(_BLOCKS), min_size=1, max_size=6)
