"""Carrying one value across, without a merge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.records import SECTION, FieldKind, Value
from sync.reconcile import carry
from sync.reconcile.model import Mode, Pair, Side
from tests.reconcile.world import EXTERNAL, HUB, rule, translation

STATES = {"open": "todo", "closed": "done"}


@pytest.mark.parametrize("kind", [FieldKind.TEXT, FieldKind.STATE, FieldKind.CHOICE])
@pytest.mark.parametrize(
    ("into", "value", "meant"),
    [
        (EXTERNAL, "open", "todo"),
        (HUB, "done", "closed"),
        (EXTERNAL, "other", "other"),
        (HUB, None, None),
        (EXTERNAL, 3.5, 3.5),
        (EXTERNAL, True, True),
    ],
)
def test_a_word_goes_through_the_value_map(kind: FieldKind, into: Side, value: Value, meant: Value) -> None:
    mapped = rule(kind, values=STATES)
    assert carry(mapped, into, value, current="x", seen=None, translation=translation()) == meant


def test_a_set_is_mapped_by_element_in_any_case_and_spelled_as_the_target_spells_it() -> None:
    labels = rule(FieldKind.SET, values={"Bug": "defect"})
    carried = carry(
        labels,
        EXTERNAL,
        ("bug", "urgent", "new"),
        current=("Defect", "URGENT", "only there"),
        seen=None,
        translation=translation(),
    )
    assert carried == ("Defect", "URGENT", "new")
    back = carry(labels, HUB, ("DEFECT",), current=(), seen=None, translation=translation())
    assert back == ("Bug",)


def test_nothing_said_of_a_section_is_nothing_to_do() -> None:
    """Whatever lies in a container lies in one of its sections."""
    section = replace(rule(FieldKind.CHOICE), hub=SECTION)
    assert carry(section, HUB, None, current="1", seen=None, translation=translation()) == "1"
    assert carry(section, EXTERNAL, None, current="1", seen=None, translation=translation()) is None


def test_markdown_without_a_settled_pair_goes_as_it_is() -> None:
    notes = rule(FieldKind.MARKDOWN)
    assert carry(notes, HUB, "*a*", current="b", seen=None, translation=translation()) == "*a*"


def test_markdown_keeps_the_source_of_untouched_blocks() -> None:
    notes = rule(FieldKind.MARKDOWN)
    table = "| a | b |\n| - | - |\n| 1 | 2 |"
    flat = translation()
    flat = type(flat)(
        people=flat.people,
        through={**flat.through, HUB: lambda text: text.replace(table, "a b 1 2")},
        same=flat.same,
    )
    carried = carry(
        notes,
        EXTERNAL,
        "a b 1 2\n\nfixed",
        current=f"{table}\n\ntypo",
        seen=Pair("a b 1 2\n\ntypo", f"{table}\n\ntypo"),
        translation=flat,
    )
    assert isinstance(carried, str)
    assert table in carried
    assert "fixed" in carried
    assert "typo" not in carried


def test_markdown_emptied_is_empty() -> None:
    notes = rule(FieldKind.MARKDOWN)
    assert carry(notes, EXTERNAL, None, current="a", seen=Pair("a", "a"), translation=translation()) == ""


def test_text_into_markdown_is_not_carried_by_blocks() -> None:
    mixed = rule((FieldKind.TEXT, FieldKind.MARKDOWN))
    assert carry(mixed, EXTERNAL, "b", current="a", seen=Pair("a", "a"), translation=translation()) == "b"


@pytest.mark.parametrize("mode", [Mode.IF_EMPTY, Mode.APPEND])
def test_a_single_value_that_is_there_is_left(mode: Mode) -> None:
    text = rule(FieldKind.TEXT, mode=mode)
    assert carry(text, HUB, "new", current="old", seen=None, translation=translation()) == "old"
    assert carry(text, HUB, "new", current="", seen=None, translation=translation()) == "new"


def test_on_create_carries_like_any_other() -> None:
    text = rule(FieldKind.TEXT, mode=Mode.ON_CREATE)
    assert carry(text, HUB, "new", current="old", seen=None, translation=translation()) == "new"


def test_append_to_a_set_adds_and_removes_nothing() -> None:
    labels = rule(FieldKind.SET, mode=Mode.APPEND, values={"b": "B2"})
    carried = carry(labels, EXTERNAL, ("A", "b"), current=("a", "z"), seen=None, translation=translation())
    assert carried == ("B2", "a", "z")


def test_further_assignees_are_appended_to_the_followers() -> None:
    followers = rule(FieldKind.PEOPLE, hub="followers", external="assignee", mode=Mode.APPEND)
    carried = carry(
        followers,
        HUB,
        ("zed", "ada_x", "bob_x", "kim_x"),
        current=("kim", "nia"),
        seen=None,
        translation=translation(),
    )
    assert carried == ("kim", "nia", "bob")


def test_one_person_is_appended_to_a_list() -> None:
    followers = rule((FieldKind.PEOPLE, FieldKind.PERSON), mode=Mode.APPEND)
    appended = carry(followers, HUB, "ada_x", current=("nia",), seen=None, translation=translation())
    assert appended == ("nia", "ada")


def test_mentions_are_those_of_the_other_side() -> None:
    notes, text = rule(FieldKind.MARKDOWN), "[@A](user:ada) [@Z](user:zoe)"
    carried = carry(notes, EXTERNAL, text, current="", seen=None, translation=translation())
    assert carried == "[@A](user:ada_x) @Z"
    edited = carry(
        notes,
        HUB,
        "[@A](user:ada_x) [@Y](user:yan)!\n\n| a |\n| - |",
        current=text,
        seen=Pair(text, "[@A](user:ada_x) [@Y](user:yan)"),
        translation=translation(),
    )
    assert edited == "[@A](user:ada) @Y!\n\n| a |\n| - |"


def test_a_block_that_mentions_somebody_keeps_its_source_where_another_is_edited() -> None:
    notes, own = rule(FieldKind.MARKDOWN), "[@Ada L](user:ada) [@Zoe](user:zoe) *x*\n\nb"
    carried = carry(
        notes,
        HUB,
        "[@a](user:ada_x) @Zoe *x*\n\nc\n\nd",
        current=own,
        seen=Pair(own, "[@a](user:ada_x) @Zoe *x*\n\nb"),
        translation=translation(),
    )
    assert carried == "[@Ada L](user:ada) [@Zoe](user:zoe) *x*\n\nc\n\nd"


def test_a_plain_field_only_names_people() -> None:
    plain = rule(FieldKind.MARKDOWN, external_kind=FieldKind.TEXT)
    assert carry(plain, EXTERNAL, "[@A](user:ada)", current="", seen=None, translation=translation()) == "@A"
