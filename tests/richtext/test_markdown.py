"""What Markdown means, its canonical form, its blocks, and the writer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from connectors.richtext.document import Code, Heading, Item, List, Paragraph, Quote, Rule, Run, Table
from connectors.richtext.markdown import blocks, canonical, same, tokens
from connectors.richtext.markdown_writer import write
from tests.richtext.texts import anything, documents, markdown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("* a\n* b", "- a\n- b"),
        ("- a\n\n- b", "- a\n- b"),
        ("_a_ __b__", "*a* **b**"),
        ("***a***", "**_a_**"),
        ("Title\n=====", "# Title"),
        ("Title\n---", "## Title ##"),
        ("a  \nb", "a\nb"),
        ("a\\\nb", "a\nb"),
        (r"1\. a\*b", "1&#46; a&ast;b"),
        ("    code", "```\ncode\n```"),
        ("~~~py\nx\n~~~", "```py\nx\n```"),
        ("[a][r]\n\n[r]: https://x.y 'title'", "[a](https://x.y)"),
        ("<https://x.y>", "https://x.y"),
        ("see www.x.y.", "see [www.x.y](http://www.x.y)."),
        ("<b>a</b> <del>c</del><br>d", "**a** ~~c~~\nd"),
        ("a <!-- hidden -->b", "a b"),
        ("***", "---"),
        ("|a|b|\n|-|-|\n|1|2|", "| a | b |\n| :-- | --- |\n| 1 | 2 |"),
        ("a\r\nb", "a\nb"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_other_spelling_same_meaning(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a\nb", "a b"),
        ("a\n\nb", "a\nb"),
        ("- a", "1. a"),
        ("1. a", "2. a"),
        ("- [ ] a", "- [x] a"),
        ("# a", "## a"),
        ("**a**", "*a*"),
        ("```py\nx\n```", "```js\nx\n```"),
        ("[a](https://x.y)", "[a](https://x.z)"),
        ("a  b", "a b"),
    ],
)
def test_other_meaning(one: str, other: str) -> None:
    assert not same(one, other)


def test_tree_of_everything() -> None:
    text = "# T\n\n> q\n\n- [x] d\n\n```py\nc\n```\n\n---\n\n|h|\n|-|\n|**b**|"
    bold = Run("b", frozenset({"strong"}))
    assert tokens(text) == (
        Heading(1, (Run("T"),)),
        Quote((Paragraph((Run("q"),)),)),
        List((Item((Paragraph((Run("d"),)),), checked=True),)),
        Code("c", "py"),
        Rule(),
        Table((((Run("h"),),), ((bold,),))),
    )


def test_address_with_markup_inside_is_one_link() -> None:
    assert tokens("https://x.y/_a_/*b*?c=1&amp;d=2)") == (
        Paragraph((Run("https://x.y/_a_/*b*?c=1&d=2", href="https://x.y/_a_/*b*?c=1&d=2"), Run(")"))),
    )


@pytest.mark.parametrize("text", ["http://a_b", "xhttp://a.b", "http://", "www.", "a@b", "`https://x.y`"])
def test_no_link(text: str) -> None:
    assert not any(run.href for block in tokens(text) for run in block.runs)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["> " * 300 + "deep", "- " * 300 + "deep", "> - " * 300 + "deep"])
def test_too_deep_is_flattened_and_keeps_its_text(text: str) -> None:
    tree = tokens(text)
    assert "deep" in repr(tree)
    assert tokens(write(tree)) == tree


class TestCanonical:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("\n \n a\r\nb \t\n\n\n", " a\nb"),
            ("a   \nb  \n\nc", "a  \nb\n\nc"),
            ("```\nx  \n  \n```\n", "```\nx  \n  \n```"),
            ("    x  ", "    x  "),
            ("e\u0301\x00\x1b", "\u00e9"),
            ("", ""),
        ],
    )
    def test_form(self, text: str, expected: str) -> None:
        assert canonical(text) == expected

    @given(markdown | anything)
    def test_means_the_same_and_is_stable(self, text: str) -> None:
        assert same(canonical(text), text)
        assert canonical(canonical(text)) == canonical(text)

    def test_commonmark(self, commonmark: list[dict[str, Any]]) -> None:
        changed = [
            case["number"] for case in commonmark if not same(canonical(case["markdown"]), case["markdown"])
        ]
        assert not changed


class TestBlocks:
    def test_kinds(self) -> None:
        sources = (
            "# h",
            "p\nq",
            "- a\n\n  b\n- c",
            "```\nx\n\ny\n```",
            "> q",
            "|a|\n|-|",
            "<div>\nx\n</div>",
            "---",
        )
        assert blocks("\n\n".join(sources)) == sources

    def test_definitions_and_comments_are_blocks(self) -> None:
        assert blocks("[a]\n\n<!-- c -->\n[a]: /u\n\n    code") == (
            "[a]",
            "<!-- c -->",
            "[a]: /u",
            "    code",
        )

    @given(documents)
    def test_joined_means_the_same(self, sources: list[str]) -> None:
        text = "\n\n".join(sources)
        assert same("\n\n".join(blocks(text)), text)

    def test_commonmark(self, commonmark: list[dict[str, Any]]) -> None:
        texts = [case["markdown"] for case in commonmark]
        assert not [text for text in texts if not same("\n\n".join(blocks(text)), text)]


@pytest.mark.no_cover
class TestWriter:
    @given(markdown | anything)
    def test_reads_back_as_written(self, text: str) -> None:
        tree = tokens(text)
        assert tokens(write(tree)) == tree

    def test_commonmark(self, commonmark: list[dict[str, Any]]) -> None:
        trees = [tokens(case["markdown"]) for case in commonmark]
        assert not [tree for tree in trees if tokens(write(tree)) != tree]

    @pytest.mark.parametrize(
        "text",
        [
            "Costs 3 * 4 = 12, a_b and 50% [WIP] #12 @ada",
            "# Title\n\nText with **bold**, *em*, ~~no~~, `code` and [link](https://x.y).\n\nhttps://x.y/a_b",
            "- a\n  - b\n    1. c\n- [ ] d",
            "> quote\n\n---\n\n```py\nx = 1\n```",
            "> [!NOTE]\n> careful",
            "| a | b |\n| --- | --- |\n| 1 | 2 |",
        ],
    )
    def test_what_people_write_stays_as_it_is(self, text: str) -> None:
        assert write(tokens(text)) == text
