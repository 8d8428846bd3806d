"""What stands for what: value maps, names, and what has no counterpart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from connectors.records import FieldKind, FieldSpec, Value
from sync.reconcile import carry, draft, pairs_after_create, plan_link
from sync.reconcile.model import LinkView, Mode, Pair, Rule, Side, Unmatched
from sync.reconcile.words import Words, found_in, without_counterpart, words_of
from tests.reconcile.world import EXTERNAL, HUB, look, record, rule, stamps, translation, written

CHOICE, STATE, SET, TEXT = FieldKind.CHOICE, FieldKind.STATE, FieldKind.SET, FieldKind.TEXT

SECTIONS = {"s1": "To do", "s2": "Doing", "s3": "Done", "s4": "Ideas"}
BOARD = {"To do": ("open",), "doing": ("open",), "s3": ("closed",)}


def spec(kind: FieldKind, options: Mapping[str, str] | None = None, name: str = "f") -> FieldSpec:
    return FieldSpec(name=name, kind=kind, label=name, options=options or {})


def worded(
    hub: FieldSpec, external: FieldSpec, values: Mapping[str, Sequence[str]] | None = None, **given: Any
) -> Rule:
    return rule((hub.kind, external.kind), words=words_of(values or {}, hub, external), **given)


def carried(one: Rule, into: Side, value: Value, current: Value = None) -> Value:
    return carry(one, into, value, current=current, seen=None, translation=translation())


BOARDED = worded(spec(CHOICE, SECTIONS), spec(STATE), BOARD)
REASON = worded(
    spec(CHOICE, {"1": "Done", "2": "Open"}),
    spec(CHOICE, {"c": "completed", "n": "not_planned", "o": "open"}),
    {"Done": ("completed", "not_planned")},
)
PRIORITY = worded(
    spec(CHOICE, {"h": "High", "m": "Medium", "l": "Low"}), spec(SET), {"High": ("P1",), "m": ("P2",)}
)


# --- the map ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "into", "value", "current", "meant"),
    [
        (BOARDED, EXTERNAL, "s1", "open", "open"),
        (BOARDED, EXTERNAL, "s2", "open", "open"),
        (BOARDED, EXTERNAL, "s3", "open", "closed"),
        (BOARDED, EXTERNAL, None, "open", "open"),  # in no section: nothing is said about the state
        (BOARDED, HUB, "open", "s2", "s2"),  # it stands for that already
        (BOARDED, HUB, "open", "s3", "s1"),  # the first listed one
        (BOARDED, HUB, "open", None, "s1"),
        (BOARDED, HUB, "closed", "s2", "s3"),
        (REASON, EXTERNAL, "1", "n", "n"),
        (REASON, EXTERNAL, "1", "o", "c"),
        (REASON, EXTERNAL, "2", None, "o"),  # by its name
        (REASON, EXTERNAL, None, "o", None),
        (REASON, HUB, "n", "2", "1"),
    ],
)
def test_grouped_words(one: Rule, into: Side, value: Value, current: Value, meant: Value) -> None:
    assert carried(one, into, value, current) == meant


def test_options_meet_by_name_in_any_case_and_spacing() -> None:
    one = worded(spec(CHOICE, {"1": "To do"}), spec(CHOICE, {"9": "TODO"}))
    assert carried(one, EXTERNAL, "1") == "9"
    assert carried(one, HUB, "9") == "1"


def test_an_option_of_the_same_name_comes_before_one_that_was_added_to_it() -> None:
    hub, external = spec(CHOICE, {"1": "Waiting", "2": "Doing"}), spec(CHOICE, {"8": "Doing", "9": "Waiting"})
    one = worded(hub, external, {"Waiting": ("Doing",)})
    assert carried(one, HUB, "8") == "2"
    assert carried(one, EXTERNAL, "1") == "8"
    assert carried(one, HUB, "9") == "1"  # by its name, which the map leaves open in this direction


def test_the_map_comes_before_names() -> None:
    crossed = spec(CHOICE, {"1": "A", "2": "B"})
    one = worded(crossed, crossed, {"A": ("B",), "B": ("A",)})
    assert [carried(one, into, value) for into in Side for value in ("1", "2")] == ["2", "1", "2", "1"]


def test_a_choice_becomes_text_by_its_name() -> None:
    one = worded(spec(CHOICE, {"1": "High"}), spec(TEXT))
    assert carried(one, EXTERNAL, "1") == "High"
    back = worded(spec(TEXT), spec(CHOICE, {"1": "High"}))
    assert carried(back, HUB, "1") == "High"


def test_a_number_becomes_text() -> None:
    one = rule((FieldKind.NUMBER, TEXT))
    assert [carried(one, EXTERNAL, value) for value in (3.0, 2.5, 1_000_000, None)] == [
        "3",
        "2.5",
        "1000000",
        None,
    ]


def test_only_words_have_a_map() -> None:
    assert words_of({"a": ("b",)}, spec(FieldKind.NUMBER), spec(TEXT)) == Words()
    assert words_of({}, spec(TEXT), spec(TEXT)) == Words()


@pytest.mark.parametrize(
    ("given", "kind", "options", "meant"),
    [
        ("High", CHOICE, {"1": "high"}, "1"),
        ("1", CHOICE, {"1": "high"}, "1"),
        ("Low", CHOICE, {"1": "high"}, None),
        ("1", SET, {"1": "High"}, "High"),
        ("high", SET, {"1": "High"}, "High"),
        ("anything", SET, {}, "anything"),
        ("Open", STATE, {}, "open"),
    ],
)
def test_an_option_is_named_by_id_or_name(
    given: str, kind: FieldKind, options: Mapping[str, str], meant: str | None
) -> None:
    assert found_in(given, spec(kind, options)) == meant


def test_what_stands_for_nothing_can_be_told_beforehand() -> None:
    assert without_counterpart(BOARDED.words, HUB) == ["Ideas"]
    assert without_counterpart(BOARDED.words, EXTERNAL) == []


# --- without a counterpart ----------------------------------------------------------------------------


def test_a_word_without_counterpart_waits_for_a_person_and_nothing_else_does() -> None:
    title = rule(TEXT, name="title", hub="title", external="title")
    view = look(BOARDED, "s4", "open", Pair("s1", "open"))
    view = LinkView(
        hub=record(HUB, {**view.hub.fields, "title": "new"}),
        external=record(EXTERNAL, {**view.external.fields, "title": "old"}),
        rules=(BOARDED, title),
        seen={**view.seen, "title": Pair("old", "old")},
        translation=translation(),
    )
    plan = plan_link(view)
    assert plan.unmatched == {"f": Unmatched(HUB, "s4")}
    assert written(plan) == {EXTERNAL: "new"}


def test_what_both_sides_changed_is_not_decided_while_one_word_means_nothing() -> None:
    plan = plan_link(look(BOARDED, "s4", "closed", Pair("s1", "open"), stamps=stamps(0, 60)))
    assert written(plan) == {HUB: "s3"}  # the state changed last, and it means something
    plan = plan_link(look(BOARDED, "s4", "closed", Pair("s1", "open"), stamps=stamps(60, 0)))
    assert plan.unmatched == {"f": Unmatched(HUB, "s4")}


def test_an_option_that_went_has_no_counterpart_and_no_name() -> None:
    one = worded(spec(CHOICE, {"1": "High"}), spec(TEXT))
    plan = plan_link(look(one, "7", "High", Pair("1", "High")))
    assert plan.unmatched == {"f": Unmatched(HUB, "7")}
    assert BOARDED.words.name(HUB, "s4") == "Ideas"
    assert BOARDED.words.name(HUB, "s9") == "s9"


def test_a_new_object_is_made_without_it_and_the_next_plan_tells() -> None:
    task = record(HUB, {"f": "s4"})
    assert draft((BOARDED,), task, HUB, translation()) == {}
    issue = record(EXTERNAL, {"f": "open"})
    assert pairs_after_create((BOARDED,), task, issue, HUB, translation()) == {}
    plan = plan_link(look(BOARDED, "s4", "open", stamps=stamps(60, 0)))
    assert plan.unmatched == {"f": Unmatched(HUB, "s4")}


def test_a_task_in_no_section_says_nothing_about_the_state() -> None:
    assert draft((BOARDED,), record(HUB, {"f": None}), HUB, translation()) == {}
    pairs = pairs_after_create(
        (BOARDED,), record(HUB, {"f": None}), record(EXTERNAL, {"f": "open"}), HUB, translation()
    )
    assert pairs == {"f": Pair(None, "open")}


def test_what_stands_there_instead_of_what_was_sent_is_compared_by_the_next_plan() -> None:
    task, issue = record(HUB, {"f": "1"}), record(EXTERNAL, {"f": "x"})
    assert pairs_after_create((REASON,), task, issue, HUB, translation()) == {}


def test_an_element_without_counterpart_stays_where_it_is() -> None:
    teams = worded(spec(SET, {"1": "Web", "2": "App"}), spec(SET), {"Web": ("team: web",)})
    plan = plan_link(look(teams, ("App",), ("Team: Web", "bug"), Pair((), ())))
    assert written(plan) == {HUB: ("App", "Web"), EXTERNAL: ("App", "Team: Web", "bug")}
    filled = worded(spec(SET, {"1": "Web"}), spec(SET), mode=Mode.IF_EMPTY)
    plan = plan_link(look(filled, (), ("bug", "web"), Pair((), ())))
    assert written(plan) == {HUB: ("Web",)}


# --- a choice shown by labels -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "current", "meant"),
    [
        ("h", ("bug",), ("P1", "bug")),
        ("h", ("P2", "bug"), ("P1", "bug")),
        ("m", ("P1", "bug"), ("P2", "bug")),
        ("m", ("p2",), ("p2",)),  # spelled as it stands there
        ("l", ("bug",), ("Low", "bug")),  # an option that the map leaves out goes by its name
        ("h", ("Low", "P2"), ("Low", "P1")),  # the one that was shown goes, further ones are left
        ("l", ("Low", "P1", "P2"), ("Low",)),  # whatever would count before it goes, too
        (None, ("P1", "Low", "bug"), ("bug",)),
        (None, ("bug",), ("bug",)),
    ],
)
def test_a_choice_is_shown_by_a_label(value: Value, current: Value, meant: Value) -> None:
    assert carried(PRIORITY, EXTERNAL, value, current) == meant
    assert carried(PRIORITY, HUB, meant) == value


@pytest.mark.parametrize(
    ("value", "current", "meant"),
    [(("bug", "P2"), "h", "m"), (("P2", "P1"), "l", "h"), (("bug",), "h", None), ((), None, None)],
)
def test_a_label_shows_a_choice(value: Value, current: Value, meant: Value) -> None:
    assert carried(PRIORITY, HUB, value, current) == meant


def test_a_choice_of_several_for_one_label_stays() -> None:
    one = worded(spec(CHOICE, {"h": "High", "u": "Urgent"}), spec(SET), {"High": ("P1",), "Urgent": ("P1",)})
    assert carried(one, HUB, ("P1",), "u") == "u"
    assert carried(one, EXTERNAL, "u", ("P1",)) == ("P1",)


def test_an_unknown_choice_cannot_be_shown() -> None:
    plan = plan_link(look(PRIORITY, "gone", ("P1",), Pair("h", ("P1",))))
    assert plan.unmatched == {"f": Unmatched(HUB, "gone")}


def test_other_labels_are_nobody_s_business() -> None:
    plan = plan_link(look(PRIORITY, "h", ("P1", "bug"), Pair("h", ("P1",))))
    assert (plan.writes, dict(plan.settle)) == ((), {"f": Pair("h", ("P1", "bug"))})
    plan = plan_link(look(PRIORITY, "l", ("P1", "bug"), Pair("h", ("P1",))))
    assert (written(plan), plan.clashes) == ({EXTERNAL: ("Low", "bug")}, ())


def test_labels_that_show_nothing_give_way_in_a_first_sync() -> None:
    assert written(plan_link(look(PRIORITY, "h", ("bug",)))) == {EXTERNAL: ("P1", "bug")}
    assert written(plan_link(look(PRIORITY, None, ("P1",)))) == {HUB: "h"}


# --- and the labels themselves ------------------------------------------------------------------------

APART = {EXTERNAL: frozenset({"p1", "p2", "low"})}
TAGS = rule(SET, name="tags", hub="tags", external="f", apart=APART)


def both(hub: str | None, tags: Value, labels: Value, seen: Mapping[str, Pair]) -> LinkView:
    return LinkView(
        hub=record(HUB, {"f": hub, "tags": tags}),
        external=record(EXTERNAL, {"f": labels}),
        rules=(TAGS, PRIORITY),
        seen=seen,
        translation=translation(),
    )


def test_two_rules_on_one_set_write_it_together() -> None:
    """The set leaves the other rule's words alone, on both sides, and neither undoes the other."""
    seen = {"f": Pair("h", ("P1", "bug")), "tags": Pair(("bug",), ("P1", "bug"))}
    plan = plan_link(both("l", ("bug", "ui", "P2"), ("P1", "bug", "new"), seen))
    assert {(write.rule, write.side, frozenset(write.value or ())) for write in plan.writes} == {  # type: ignore[arg-type]
        ("tags", HUB, frozenset({"bug", "ui", "P2", "new"})),
        ("tags", EXTERNAL, frozenset({"bug", "ui", "new", "Low"})),
        ("f", EXTERNAL, frozenset({"bug", "ui", "new", "Low"})),
    }
    later = {"f": Pair("l", ("Low", "bug", "new", "ui")), "tags": Pair(("P2", "bug", "new", "ui"), ("Low",))}
    at_rest = plan_link(both("l", ("P2", "bug", "new", "ui"), ("Low", "bug", "new", "ui"), later))
    assert at_rest.writes == ()


def test_a_new_object_has_the_words_of_both_rules_whatever_their_order() -> None:
    task = record(HUB, {"f": "h", "tags": ("bug", "P2")})
    for rules in ((TAGS, PRIORITY), (PRIORITY, TAGS)):
        assert draft(rules, task, HUB, translation()) == {"f": ("P1", "bug")}
