"""Modals and cards at Block Kit's limits, and what was entered in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.interactions import ALONE, DELETED, Card, Form, Place
from connectors.records import SECTION, FieldKind, FieldSpec
from connectors.slack import card, commands, modal
from connectors.slack.modal import About
from connectors.slack.simulated_blocks import check_message, check_options, check_view
from connectors.slack.texts import options, quoted

NASTY = st.sampled_from(
    [
        "x" * 3000,
        "&" * 3000,
        "<!channel>",
        "<@U0ADA000001>",
        "שלום " * 200,
        "\u202eevil",
        "😀" * 900,
        "",
        " ",
        "\n\n",
        "*_~`|",
    ]
)
TEXTS = NASTY | st.text(max_size=200)
LONG = About(channel="C024BE91L", ts="1512085950.000216", place="1", title="t" * 255)


def named(count: int, text: str) -> dict[str, str]:
    return {str(number): f"{text}{number}" for number in range(count)}


def form(text: str, count: int = 100) -> Form:
    kinds = [FieldKind.CHOICE, FieldKind.SET, FieldKind.DATE, FieldKind.PERSON]
    fields = tuple(
        FieldSpec(name=f"custom:{number}", kind=kinds[number % 4], label=text, options=named(count, text))
        for number in range(count)
    )
    labels = FieldSpec(name="labels", kind=FieldKind.SET, label="Tags")
    return Form(place=Place(id="1", name=text), sections=named(count, text), fields=(labels, *fields))


@settings(deadline=None, max_examples=30)
@given(text=TEXTS, count=st.sampled_from([0, 1, 99, 100, 300]))
def test_every_modal_stays_within_the_limits(text: str, count: int) -> None:
    places = [Place(id=str(number), name=text) for number in range(count)]
    about = About(channel="C1", ts="1.000001", place="1", title=text[:255], said=text[:300])
    for view in (
        modal.loading(text),
        modal.told("Create Asana task", text),
        modal.create(about, places or [Place(id="1", name=text)], form(text, count)),
        modal.attach(about, places, Place(id="1", name=text)),
        modal.comment(about),
        modal.there_is(Card(id="2", title=text, url="https://app.asana.com/0/1/2", project="", state="open")),
    ):
        check_view(view.to_dict())
    assert not list(check_options({"options": [each.to_dict() for each in options(named(count, text))]}))


@settings(deadline=None, max_examples=50)
@given(
    title=TEXTS,
    project=TEXTS,
    assignee=TEXTS,
    state=st.sampled_from(["open", "closed", DELETED, ALONE]),
    link=st.booleans(),
)
def test_every_card_stays_within_the_limits_and_calls_nobody(
    title: str, project: str, assignee: str, state: str, link: bool
) -> None:
    url = "https://app.asana.com/0/1/2" if link else f"javascript:{title}"
    shown = Card(
        id="2", title=title, url=url, project=project, state=state, assignee=assignee, due="2026-07-01"
    )
    for message in (card.message(shown, "key"), card.listing(title, [shown] * 60)):
        check_message(message["blocks"])
        said = str(message)
        assert not any(call in said for call in ("<!", "<@", "<#", "<javascript"))
        assert 0 < len(message["text"]) <= 3000


@given(text=TEXTS, most=st.integers(min_value=10, max_value=400))
def test_no_entity_is_cut_in_two(text: str, most: int) -> None:
    said = quoted(text, most)
    assert 0 < len(said) <= most
    assert "&" not in said.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_a_modal_carries_what_it_is_about() -> None:
    view = modal.create(LONG, [Place(id="1", name="Web")], form("x", 3)).to_dict()
    assert About.of(view) == LONG
    assert view["callback_id"] == "create_task"


@pytest.mark.parametrize(("count", "several"), [(100, "multi_static_select"), (124, "multi_external_select")])
def test_what_a_menu_cannot_hold_is_searched(count: int, several: str) -> None:
    chosen = form("x", count)
    blocks = modal.create(LONG, [Place(id="1", name="Web")], chosen).to_dict()["blocks"]
    kinds = {each["block_id"].split()[0]: each["element"]["type"] for each in blocks if "element" in each}
    one = several.removeprefix("multi_")
    assert {kinds[SECTION], kinds["custom:0"], kinds["custom:1"]} == {one, several}
    assert modal.choices(chosen, SECTION) == chosen.sections
    assert len(modal.choices(chosen, "custom:1")) == count
    assert modal.choices(chosen, "gone") == {}


def test_a_form_that_would_be_too_large_brings_no_options_along() -> None:
    wide = Form(
        place=Place(id="1", name="Web"),
        sections=named(100, "\N{GRINNING FACE}" * 70),
        fields=tuple(
            FieldSpec(
                name=f"custom:{at}",
                kind=FieldKind.CHOICE,
                label="Choice",
                options=named(100, "\N{GRINNING FACE}" * 70),
            )
            for at in range(15)
        ),
    )
    view = modal.create(LONG, [Place(id="1", name="Web")], wide).to_dict()
    check_view(view)
    assert len(json.dumps(view)) < 250_000
    inputs = [block for block in view["blocks"] if block.get("block_id", "").startswith("custom")]
    assert {block["element"]["type"] for block in inputs} == {"external_select"}


STATE: dict[str, Any] = {
    "title": {"title": {"type": "plain_text_input", "value": " Fix it "}},
    "place": {"place": {"type": "static_select", "selected_option": {"value": "7"}}},
    "section 7": {"section": {"type": "static_select", "selected_option": None}},
    "assignee 7": {"assignee": {"type": "external_select", "selected_option": {"value": "12"}}},
    "due 7": {"due": {"type": "datepicker", "selected_date": "2026-07-01"}},
    "labels 7": {"labels": {"type": "plain_text_input", "value": "web, bug,,web"}},
    "custom:1 7": {"custom:1": {"type": "multi_static_select", "selected_options": [{"value": "A"}]}},
    "how": {"how": {"type": "checkboxes", "selected_options": [{"value": "in_step"}]}},
}


def test_what_was_entered() -> None:
    entered = modal.entered({"private_metadata": LONG.packed(), "state": {"values": STATE}})
    assert (entered.place, entered.whole_thread, entered.in_step) == ("7", False, True)
    assert entered.fields == {
        "title": " Fix it ",
        "assignee": "12",
        "due": "2026-07-01",
        "labels": ("bug", "web"),
        "custom:1": ("A",),
    }


@pytest.mark.parametrize(
    ("field", "block"),
    [(SECTION, "section 7"), ("due", "due 7"), ("place", "place"), ("", "title"), ("gone", "title")],
)
def test_an_error_stands_at_the_field_that_caused_it(field: str, block: str) -> None:
    entered = modal.entered({"private_metadata": LONG.packed(), "state": {"values": STATE}})
    assert entered.errors(field, "No.") == {block: "No."}


@pytest.mark.parametrize(
    ("typed", "word", "text"),
    [
        ("new Fix the footer", "new", "Fix the footer"),
        ("  NEW   a &lt;b&gt; &amp;amp; ", "new", "a <b> &amp;"),
        ("search foo", "search", "foo"),
        ("link <https://app.asana.com/0/1/2>", "link", "https://app.asana.com/0/1/2"),
        ("link <https://app.asana.com/0/1/2|app.asana.com>", "link", "https://app.asana.com/0/1/2"),
        ("new tell <@U0ADA000001|ada> and <!channel>", "new", "tell ada and channel"),
        ("mine", "mine", ""),
        ("help", "help", ""),
        ("", "help", ""),
        ("new", "help", ""),
        ("mine now", "help", ""),
        ("frobnicate x", "help", ""),
    ],
)
def test_commands(typed: str, word: str, text: str) -> None:
    assert commands.parse(typed) == commands.Command(word, text)
