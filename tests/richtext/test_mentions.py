"""Mentions on their way from one side to the other: only of people whom somebody mapped."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.richtext import asana_html
from connectors.richtext.mentions import Mention, mentioned, translated, unlabelled

_PIECES = st.sampled_from(
    [
        "[@Ada](user:ada)",
        "[`](user:zoe)",
        "[\\`](user:zoe)",
        "[x](user:1200)",
        "[",
        "](user:1200)",
        "(user:1200)",
        "`",
        "```\n",
        "\n",
        "    ",
        "<user:1200>",
        "<a title='",
        "'>",
        "text",
        "\\",
    ]
)


def test_known_people_get_their_id_there_and_others_become_text() -> None:
    text = "[@Ada](user:ada), [@Zoë *x*](user:zoe) and `[@Ada](user:ada)`"
    assert translated(text, {"Ada": "1200"}) == "[@Ada](user:1200), @Zoë *x* and `[@Ada](user:ada)`"
    assert translated(text, {}) == "@Ada, @Zoë *x* and `[@Ada](user:ada)`"
    assert mentioned(text) == {"ada", "zoe"}


def test_ids_may_hold_anything() -> None:
    strange = "a b)](user:x)"
    assert translated(str(Mention("ada", "@a")), {"ada": strange}) == str(Mention(strange, "@a"))
    assert mentioned(str(Mention(strange, "@a"))) == {strange}


def test_each_side_has_its_own_label() -> None:
    assert unlabelled("[@Ada](user:1) [@ada](user:1)") == "[@](user:1) [@](user:1)"


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=12).map("".join))
def test_a_stranger_cannot_mention_whom_nobody_mapped(text: str) -> None:
    """However the text is cut: Asana's writer makes mentions of the ids that were put in, of no others."""
    carried = translated(text, {"ada": "77"})
    assert mentioned(carried) <= {"77"}
    assert 'data-asana-gid="1200"' not in asana_html.from_markdown(carried)
