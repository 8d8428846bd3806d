"""Every declared loss of Asana's rich text, one test each; the list is in connectors/richtext/README.md."""

from __future__ import annotations

import pytest

from connectors.richtext.asana_html import from_markdown, to_markdown


def arrives(text: str) -> str:
    return to_markdown(from_markdown(text))


def test_code_language_is_lost() -> None:
    assert arrives("```py\nx\n```") == "```\nx\n```"


def test_blank_lines_around_code_are_lost() -> None:
    assert arrives("```\n\nx\n\n```") == "```\nx\n```"


def test_table_becomes_rows() -> None:
    assert from_markdown("| a | b |\n|:--|--:|\n| `1` | [2](https://x.y) |") == (
        '<body>a | b\n<code>1</code> | <a href="https://x.y">2</a></body>'
    )


def test_image_becomes_link() -> None:
    assert arrives("![Logo](https://x.y/l.png 'title')") == "[Logo](https://x.y/l.png)"
    assert arrives("![](https://x.y/l.png)") == "[image](https://x.y/l.png)"
    assert arrives("![Logo](l.png)") == "Logo"


def test_badge_becomes_link_to_its_page() -> None:
    assert arrives("[![build](https://x.y/b.svg)](https://x.y/ci)") == "[build](https://x.y/ci)"


def test_deep_headings_become_bold_lines() -> None:
    assert arrives("### Three\n\n###### *Six*") == "**Three**\n\n***Six***"


def test_headings_in_lists_and_quotes_become_bold_lines() -> None:
    assert arrives("- # a\n\n> ## b") == "- **a**\n\n> **b**"


def test_headings_in_comments_become_bold_lines() -> None:
    assert from_markdown("# a", comment=True) == "<body><strong>a</strong></body>"


def test_rules_in_comments_lists_and_quotes_become_dashes() -> None:
    assert from_markdown("a\n\n---", comment=True) == "<body>a\n\n———</body>"
    assert arrives("> a\n>\n> ---") == "> a\n>\n> ———"


@pytest.mark.parametrize(
    "address", ["README.md", "#part", "/x", "tel:123", "ftp://x.y", "https://", "http://["]
)
def test_links_that_asana_refuses_lose_their_address(address: str) -> None:
    assert arrives(f"[text]({address})") == "text"


def test_link_titles_are_lost() -> None:
    assert arrives("[a](https://x.y 'title')") == "[a](https://x.y)"


def test_html_comments_and_definitions_are_lost() -> None:
    assert arrives("a <!-- b --> c\n\n<!-- d -->\n\n[e]: https://x.y") == "a  c"


def test_raw_html_keeps_its_text_only() -> None:
    source = "<details><summary>More</summary>\n\nH<sub>2</sub>O <span style='x'>red</span>\n\n</details>"
    assert arrives(source) == "More\n\nH2O red"


def test_tags_that_are_no_html_become_text() -> None:
    assert arrives("List<String>") == "List\\<String>"


def test_number_of_the_first_item_is_lost() -> None:
    assert arrives("3. a\n4. b") == "1. a\n2. b"


def test_boxes_at_the_start_of_an_item_become_tasks() -> None:
    assert arrives("- ☑ a") == "- [x] a"


def test_task_without_a_paragraph_becomes_text() -> None:
    assert arrives("- [ ] > q") == "- \\[ ]\n\n  > q"


def test_spaces_at_the_beginning_of_lines_are_lost() -> None:
    assert to_markdown("<body>  a  b\n\tc</body>") == arrives("  a  b\n\tc") == "a  b\nc"


def test_spaces_at_the_ends_of_lines_are_lost() -> None:
    assert to_markdown("<body>  a  \n\u00a0 b</body>") == "a\nb"


def test_more_than_one_blank_line_is_lost() -> None:
    assert to_markdown("<body>a\n\n\n\nb</body>") == "a\n\nb"


def test_emptiness_is_lost() -> None:
    assert arrives("# \n\n> \n\n```\n```\n\na") == "a"
    assert to_markdown("<body><strong> </strong><pre></pre><blockquote/>a</body>") == "a"


def test_link_without_text_shows_its_address() -> None:
    assert arrives("[](https://x.y) [](README.md)") == "https://x.y README.md"


def test_characters_that_xml_forbids_are_lost() -> None:
    assert arrives("a\x00b\x1b[0m\ufffe") == "ab[0m"


def test_deep_nesting_is_flattened() -> None:
    assert from_markdown("> " * 30 + "a").count("<blockquote>") == 10


def test_merged_cells_and_lists_in_cells_become_lines() -> None:
    html = "<body><table><tr><td>a<ul><li>b</li><li>c</li></ul></td></tr></table></body>"
    assert to_markdown(html) == "| a b c |\n| --- |"


def test_mentions_become_links_unless_they_stand_there() -> None:
    mention = '<a data-asana-gid="5" href="https://app.asana.com/0/5/list">@Ada</a>'
    assert "data-asana-gid" not in from_markdown(to_markdown(f"<body>{mention}</body>"))
