"""Block Kit as the page draws it: everything that the product sends, and nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.discussions import CommentDraft
from connectors.interactions import Card, Form, Place
from connectors.records import FieldKind, FieldSpec
from connectors.slack import card, composing, modal, replies
from connectors.slack.modal import About
from connectors.slack.simulated_composer import compose
from sync.demo.page.blocks import UnknownBlock, entered, filled
from sync.demo.page.rendering import templates

HOSTILE = '"><img src=x onerror=alert(1)> <javascript:alert(2)|y>'
ABOUT = About(channel="C1", ts="1.000001", place="7", title=HOSTILE, said=HOSTILE)
OPTIONS = {"1": HOSTILE, "2": "Two"}
FIELDS = tuple(
    FieldSpec(name=f"custom:{kind}", kind=kind, label=HOSTILE, options=OPTIONS)
    for kind in (FieldKind.CHOICE, FieldKind.SET, FieldKind.DATE, FieldKind.PERSON)
)
FORM = Form(
    place=Place(id="7", name=HOSTILE),
    sections=OPTIONS,
    fields=(*FIELDS, FieldSpec(name="labels", kind=FieldKind.SET, label="Tags")),
)
MANY = [Place(id=str(number), name=HOSTILE) for number in range(200)]
CARD = Card(id="9", title=HOSTILE, url="https://tool/9", project=HOSTILE, state="closed", assignee=HOSTILE)


def view(made: Any) -> dict[str, Any]:
    return {**made.to_dict(), "id": "V1"}


VIEWS = [
    view(modal.told(HOSTILE, HOSTILE)),
    view(modal.create(ABOUT, [FORM.place], FORM)),
    view(modal.create(ABOUT, MANY, FORM)),
    view(modal.attach(ABOUT, MANY, FORM.place)),
    view(modal.comment(ABOUT)),
]
COPY = CommentDraft(
    text=f"# {HOSTILE}\n\n- a\n\n> b\n\n`c`", author_name=HOSTILE, source_url="https://tool/1"
)
MESSAGES = [
    card.message(CARD, "key"),
    card.listing(HOSTILE, [CARD]),
    composing.content(HOSTILE, f"**{HOSTILE}**", None),
    replies.copy(COPY),
    compose(f"{HOSTILE} <@U1> *bold* :tada:\n```\n{HOSTILE}\n```\n- {HOSTILE}"),
]


def drawn(blocks: Sequence[Any], opens: dict[str, Any] | None = None) -> str:
    draw = templates.env.get_template("slack/blocks.html").module.blocks  # type: ignore[attr-defined]
    return str(draw(SimpleNamespace(names={"U1": HOSTILE}), blocks, "/here", opens or {}))


def drawn_view(shown: Any, errors: dict[str, str] | None = None) -> str:
    draw = templates.env.get_template("slack/blocks.html").module.form  # type: ignore[attr-defined]
    return str(draw(SimpleNamespace(names={}), shown, "/here", errors or {}))


def form_of(drawn: str) -> list[tuple[str, str]]:
    """What a browser would send of it, without changing anything."""
    found: list[tuple[str, str]] = []
    for tag, inside in re.findall(r"<(input|textarea)([^>]*)>", drawn):
        given = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', inside)}
        if tag == "input" and "name" in given and (given.get("type") != "checkbox" or " checked" in inside):
            found.append((given["name"], given.get("value", "")))
    for name, options in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', drawn, re.DOTALL):
        chosen = re.findall(r'value="([^"]*)" selected', options) or [""]
        found.append((html.unescape(name), html.unescape(chosen[0])))
    return found


@pytest.mark.parametrize("shown", VIEWS)
def test_every_view_is_drawn_and_its_text_is_text(shown: dict[str, Any]) -> None:
    drawing = drawn_view(
        shown, {block["block_id"]: HOSTILE for block in shown["blocks"] if "block_id" in block}
    )
    assert "alert(1)" in drawing
    for live in ("<img", "onerror=alert(1)>", 'href="javascript'):
        assert live not in drawing
    for block in shown["blocks"]:
        if block["type"] == "input":
            assert html.escape(block["label"]["text"]).replace("&quot;", "&#34;") in drawing


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_is_drawn_and_its_text_is_text(message: dict[str, Any]) -> None:
    drawing = drawn(message["blocks"])
    assert "alert(1)" in drawing
    for live in ("<img", "onerror=alert(1)>", 'href="javascript'):
        assert live not in drawing


def test_a_button_presses_leads_away_or_opens_what_stands_beside() -> None:
    blocks = card.message(CARD, "key")["blocks"]
    drawing = drawn(blocks)
    assert 'hx-post="/here/actions/card_reopen"' in drawing
    assert '<a class="button" href="https://tool/9" target="_blank" rel="noreferrer">Open</a>' in drawing
    assert "✅" in drawing
    beside = drawn(blocks, {"https://tool/9": ("hub", "9")})
    assert 'hx-get="/panes/hub/objects/9" hx-target="#hub-detail"' in beside
    evil = {"type": "button", "action_id": "a", "text": {"text": "x"}, "url": "javascript:alert(1)"}
    assert "javascript" not in drawn([{"type": "actions", "elements": [evil]}])


@pytest.mark.parametrize(
    "block",
    [
        {"type": "carousel"},
        {"type": "section", "text": {"type": "carousel", "text": "x"}},
        {"type": "actions", "elements": [{"type": "carousel"}]},
        {
            "type": "input",
            "block_id": "b",
            "label": {"text": "x"},
            "element": {"type": "carousel", "action_id": "a"},
        },
    ],
)
def test_what_the_page_does_not_know_is_an_error_that_names_it(block: dict[str, Any]) -> None:
    with pytest.raises(UnknownBlock, match="'carousel'"):
        drawn_view({"id": "V1", "blocks": [block]})


def test_a_form_that_nobody_touched_says_what_the_view_holds() -> None:
    shown = VIEWS[1]
    values = entered(shown, form_of(drawn_view(shown)))
    assert values["title"]["title"] == {"type": "plain_text_input", "value": HOSTILE}
    assert values["place"]["place"]["selected_option"]["value"] == "7"
    assert values["section 7"]["section"]["selected_option"] is None
    assert [each["value"] for each in values["how"]["how"]["selected_options"]] == ["whole_thread", "in_step"]
    many = VIEWS[2]
    assert entered(many, form_of(drawn_view(many)))["place"]["place"]["selected_option"]["value"] == "7"


def test_what_was_entered_is_drawn_again() -> None:
    shown = VIEWS[1]
    option = {"text": {"type": "plain_text", "text": "Bob"}, "value": "5"}
    blocks = {
        block["element"]["action_id"]: block["block_id"] for block in shown["blocks"] if "element" in block
    }
    values = {
        blocks["title"]: {"title": {"type": "plain_text_input", "value": "Other"}},
        blocks["section"]: {"section": {"type": "static_select", "selected_option": {"value": "2"}}},
        blocks["custom:person"]: {"custom:person": {"type": "external_select", "selected_option": option}},
        blocks["custom:date"]: {"custom:date": {"type": "datepicker", "selected_date": "2026-05-01"}},
        blocks["custom:set"]: {
            "custom:set": {"type": "multi_static_select", "selected_options": [{"value": "2"}]}
        },
        blocks["how"]: {"how": {"type": "checkboxes", "selected_options": []}},
    }
    said = entered(shown, form_of(drawn_view(filled(shown, values))))
    assert said["title"]["title"]["value"] == "Other"
    assert said[blocks["section"]]["section"]["selected_option"]["value"] == "2"
    assert said[blocks["custom:person"]]["custom:person"]["selected_option"] == option
    assert said[blocks["custom:date"]]["custom:date"]["selected_date"] == "2026-05-01"
    assert [each["value"] for each in said[blocks["custom:set"]]["custom:set"]["selected_options"]] == ["2"]
    assert said["how"]["how"]["selected_options"] == []


def test_a_form_of_the_view_as_it_was_changes_nothing_else() -> None:
    assert entered(VIEWS[1], [("title/title", "One\r\ntwo"), ("gone/gone", "x")]) == {
        "title": {"title": {"type": "plain_text_input", "value": "One\ntwo"}}
    }
