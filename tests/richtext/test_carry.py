"""The block-wise lens: what an edit left alone keeps its source."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connectors.richtext import asana_html
from connectors.richtext.carry import carry_over
from connectors.richtext.markdown import blocks, same, tokens
from tests.richtext.texts import anything, documents, markdown


def through(text: str) -> str:
    return asana_html.to_markdown(asana_html.from_markdown(text))


SOURCE = """# Plan

<!-- keep me -->

Some _text_ with [a link][r].

| a | b |
|:--|--:|
| 1 | 2 |

* one
* two

```py
x = 1
```

![shot](https://x.y/s.png "title")

[r]: https://x.y
"""
SHOWN = through(SOURCE)


def test_no_change_keeps_the_source() -> None:
    assert carry_over(SOURCE, SHOWN, SHOWN, through) == SOURCE


@pytest.mark.parametrize(
    ("was", "becomes", "source_was", "source_becomes"),
    [
        ("# Plan", "# The plan", "# Plan", "# The plan"),
        ("*text*", "*words*", "Some _text_ with [a link][r].", "Some *words* with [a link](https://x.y)."),
        ("1 | 2", "1 | 3", "| a | b |\n|:--|--:|\n| 1 | 2 |", "a | b\n1 | 3"),
        ("- two", "- two\n- three", "* one\n* two", "- one\n- two\n- three"),
        ("x = 1", "x = 2", "```py\nx = 1\n```", "```\nx = 2\n```"),
    ],
)
def test_edit_of_one_block_leaves_the_others(
    was: str, becomes: str, source_was: str, source_becomes: str
) -> None:
    assert was in SHOWN
    result = carry_over(SOURCE, SHOWN, SHOWN.replace(was, becomes), through)
    assert result == SOURCE.replace(source_was, source_becomes).strip()


def test_block_put_in() -> None:
    result = carry_over(SOURCE, SHOWN, SHOWN.replace("- one", "new\n\n- one"), through)
    assert result == SOURCE.replace("* one", "new\n\n* one").strip()


def test_block_taken_out() -> None:
    result = carry_over(SOURCE, SHOWN, SHOWN.replace("a | b\n1 | 2\n\n", ""), through)
    assert result == SOURCE.replace("| a | b |\n|:--|--:|\n| 1 | 2 |\n\n", "").strip()


def test_everything_taken_out_leaves_what_never_showed() -> None:
    assert carry_over(SOURCE, SHOWN, "", through) == "<!-- keep me -->\n\n[r]: https://x.y"


def test_repeated_blocks() -> None:
    source = "_same_\n\n__b__\n\n*same*\n\n__b__\n\n_same_"
    shown = through(source)
    assert carry_over(source, shown, shown.replace("**b**", "c", 1), through) == source.replace(
        "__b__", "c", 1
    )
    assert carry_over(source, shown, shown + "\n\nend", through) == source + "\n\nend"


def test_one_own_block_shown_as_several() -> None:
    source = "<details>\n<summary>s</summary>\n<p>t</p>\n</details>\n\nend"
    shown = through(source)
    assert shown == "s\n\nt\n\nend"
    assert carry_over(source, shown, shown.replace("end", "end!"), through) == source.replace("end", "end!")
    assert carry_over(source, shown, shown.replace("t\n", "u\n"), through) == "s\n\nu\n\nend"


def test_other_direction_keeps_rows_beside_an_edited_table() -> None:
    """Own side is Asana's text, the other is GitHub's."""
    edited = SOURCE.replace("Some", "Any")
    assert carry_over(SHOWN, SOURCE, edited, through).startswith(
        "# Plan\n\nAny _text_ with [a link][r].\n\na | b\n1 | 2\n"
    )


def test_lists_do_not_run_together() -> None:
    result = carry_over("* a", "- a", "- a\n\n1. x\n\n* b", through)
    assert tokens(result) == tokens("- a\n\n1. x\n\n* b")
    result = carry_over("* a", "- a", "- a\n\n* b", through)
    assert tokens(result) == tokens("- a\n\n* b")


def test_source_that_reaches_beyond_its_block_swallows_nothing() -> None:
    assert tokens(carry_over("```\ncode", "```\ncode\n```", "```\ncode\n```\n\nnew", through)) == tokens(
        "```\ncode\n```\n\nnew"
    )


@pytest.mark.no_cover
@settings(max_examples=25)
@given(documents)
def test_no_change_at_all(sources: list[str]) -> None:
    source = "\n\n".join(sources)
    assert carry_over(source, through(source), through(source), through) == source


@pytest.mark.no_cover
@settings(max_examples=25)
@given(documents, st.data())
def test_lone_edit(sources: list[str], data: st.DataObject) -> None:
    """One shown block gets new text: it is there, and all source outside its counterpart is as it was."""
    source = "\n\n".join(sources)
    shown = list(blocks(through(source)))
    assume(shown)
    place = data.draw(st.integers(0, len(shown) - 1))
    shown[place] = "Brand new."
    result = carry_over(source, through(source), "\n\n".join(shown), through)
    assert "Brand new." in blocks(result)
    left = list(blocks(result))
    for block in blocks(source):
        if block in left:
            left.remove(block)
    assert len(left) <= 2


@pytest.mark.no_cover
@settings(max_examples=25)
@given(documents, st.data())
def test_block_in_and_out_again(sources: list[str], data: st.DataObject) -> None:
    source = "\n\n".join(sources)
    before = through(source)
    shown = list(blocks(before))
    shown.insert(data.draw(st.integers(0, len(shown))), "Brand new.")
    wider = carry_over(source, before, "\n\n".join(shown), through)
    assert "Brand new." in blocks(wider)
    narrower = carry_over(wider, through(wider), before, through)
    assert same(narrower, source) or same(through(narrower), before)


@pytest.mark.no_cover
@settings(max_examples=25)
@given(documents | markdown.map(lambda text: [text]), markdown | anything | documents.map("\n\n".join))
def test_nothing_new_is_lost(sources: list[str], text: str) -> None:
    """What was carried over is shown on the other side just as it was written there."""
    source = "\n\n".join(sources)
    new = through(text)
    assert through(carry_over(source, through(source), new, through)) == new
