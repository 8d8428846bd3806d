"""Which fields can be paired, in which direction, and what is said about those that cannot."""

from __future__ import annotations

from itertools import product

import pytest

from connectors.records import FieldKind, FieldSpec, Value
from sync.reconcile import carry
from sync.reconcile.compatibility import WRITTEN_INTO, unfit
from sync.reconcile.model import Mode, Side
from sync.reconcile.words import words_of
from tests.reconcile.world import EXTERNAL, HUB, rule, translation

VALUES: dict[FieldKind, tuple[Value, type | tuple[type, ...]]] = {
    FieldKind.TEXT: ("text", str),
    FieldKind.MARKDOWN: ("# text", str),
    FieldKind.STATE: ("closed", str),
    FieldKind.CHOICE: ("1", str),
    FieldKind.SET: (("Closed",), tuple),
    FieldKind.NUMBER: (2.5, float),
    FieldKind.DATE: ("2026-01-31", str),
    FieldKind.PERSON: ("ada", str),
    FieldKind.PEOPLE: (("ada", "bob"), tuple),
    FieldKind.OBJECT: ("1", str),
    FieldKind.OBJECTS: (("1", "2"), tuple),
}
"""A value of each kind, and what its values are made of."""


def spec(kind: FieldKind, *, writable: bool = True) -> FieldSpec:
    options = {"1": "Closed"} if kind is FieldKind.CHOICE else {}
    return FieldSpec(name=kind, kind=kind, label=kind.title(), writable=writable, options=options)


@pytest.mark.parametrize(("kind", "into"), list(product(FieldKind, FieldKind)))
def test_what_may_be_written_into_what_can_be_carried(kind: FieldKind, into: FieldKind) -> None:
    source, target = spec(kind), spec(into)
    if into not in WRITTEN_INTO[kind]:
        assert unfit(source, target, [EXTERNAL])
        return
    assert unfit(source, target, [EXTERNAL]) == []
    one = rule((kind, into), words=words_of({}, source, target))
    told = translation(linked={"1": "x1"})
    carried = carry(one, EXTERNAL, VALUES[kind][0], current=None, seen=None, translation=told)
    assert isinstance(carried, VALUES[into][1])


@pytest.mark.parametrize(
    ("hub", "external", "into", "sentence"),
    [
        (
            FieldKind.CHOICE,
            FieldKind.TEXT,
            list(Side),
            "Text (text) cannot be written into Choice (choice); the other way it can: direction: from_asana",
        ),
        (
            FieldKind.MARKDOWN,
            FieldKind.STATE,
            [HUB],
            "State (state) cannot be written into Markdown (markdown); it goes into state, choice, text",
        ),
    ],
)
def test_what_would_be_possible_is_said(
    hub: FieldKind, external: FieldKind, into: list[Side], sentence: str
) -> None:
    assert unfit(spec(hub), spec(external), into) == [sentence]


def test_a_rule_must_be_able_to_write() -> None:
    locked = spec(FieldKind.DATE, writable=False)
    (sentence,) = unfit(spec(FieldKind.DATE), locked, [EXTERNAL])
    assert sentence == "Date (date) can only be read; give the rule the other direction"
    assert unfit(spec(FieldKind.DATE), locked, list(Side)) == []


def test_append_adds_to_collections() -> None:
    text, labels = spec(FieldKind.TEXT), spec(FieldKind.SET)
    (sentence,) = unfit(text, text, list(Side), mode=Mode.APPEND)
    assert sentence.startswith("append adds to sets and lists of people")
    assert unfit(labels, labels, list(Side), mode=Mode.APPEND) == []


def test_values_are_for_words_and_templates_for_text() -> None:
    number, choice, text = spec(FieldKind.NUMBER), spec(FieldKind.CHOICE), spec(FieldKind.TEXT)
    assert unfit(number, number, [HUB], values=True) == [
        "values pair words, and Number (number) and Number (number) are not made of words"
    ]
    assert unfit(choice, choice, [HUB], values=True) == []
    assert unfit(choice, choice, [HUB], template=True) == [
        "a template is for two text fields, such as the titles"
    ]
    assert unfit(text, text, [HUB], template=True) == []
