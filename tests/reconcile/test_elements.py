"""Sets and lists of people merge by element."""

from __future__ import annotations

from connectors.records import FieldKind, Value
from sync.reconcile import plan_link
from sync.reconcile.merge import by_element, merge_elements, settle_one_half
from sync.reconcile.model import Mode, Pair, Rule
from tests.reconcile.world import EXTERNAL, HUB, look, rule, translation, written

LABELS = rule(FieldKind.SET)
FOLLOWERS = rule(FieldKind.PEOPLE)
FURTHER = rule(
    FieldKind.PEOPLE, hub="followers", external="assignee", mode=Mode.APPEND, into=frozenset({HUB})
)


def merged(one: Rule, hub: Value, external: Value, seen: Pair | None) -> Pair:
    return merge_elements(one, Pair(hub, external), seen, translation())


def test_both_sides_edits_go_both_ways() -> None:
    result = merged(LABELS, ("b", "new"), ("a", "b", "there"), Pair(("a", "b"), ("a", "b")))
    assert result == Pair(("b", "new", "there"), ("b", "new", "there"))


def test_first_sync_is_the_union_and_nothing_clashes() -> None:
    plan = plan_link(look(LABELS, ("a", "Bug"), ("bug", "z")))
    assert written(plan) == {HUB: ("Bug", "a", "z"), EXTERNAL: ("a", "bug", "z")}
    assert plan.clashes == ()


def test_case_is_identity_and_spelling_stays_where_it_stands() -> None:
    plan = plan_link(look(LABELS, ("BUG", "x"), ("bug",), Pair(("Bug",), ("bug",))))
    assert written(plan) == {EXTERNAL: ("bug", "x")}


def test_words_of_the_value_map_meet() -> None:
    mapped = rule(FieldKind.SET, values={"Bug": "defect"})
    assert merged(mapped, ("Bug",), ("Defect",), None) == Pair(("Bug",), ("Defect",))
    assert merged(mapped, (), ("Defect",), Pair(("Bug",), ("Defect",))) == Pair((), ())


def test_what_only_one_side_knows_stays() -> None:
    """The provider made two labels one, or refused one: the settled pair says so."""
    seen = Pair(("a", "only here"), ("a", "only there"))
    assert merged(LABELS, ("only here",), ("a", "only there"), seen) == Pair(("only here",), ("only there",))


def test_a_cut_label_is_the_same_element() -> None:
    def cut(field: str, sent: Value, read: Value) -> bool:
        assert isinstance(sent, tuple)
        return tuple(word[:4] for word in sent) == read

    who = translation(external=cut)
    seen = Pair(("long label", "long lasting", "x"), ("long", "x"))
    now = Pair(("long label",), ("long", "x"))
    assert merge_elements(LABELS, now, seen, who) == Pair(("long label",), ("long",))
    now = Pair(("x",), ("long", "x"))
    assert merge_elements(LABELS, now, seen, who) == Pair(("x",), ("x",))


def test_an_addition_beats_a_removal_of_the_same_element() -> None:
    assert merged(LABELS, (), ("x",), Pair(("x",), ())) == Pair(("x",), ("x",))
    assert merged(LABELS, ("x",), (), Pair((), ("x",))) == Pair(("x",), ("x",))


def test_two_words_for_one_label_are_added_once() -> None:
    mapped = rule(FieldKind.SET, values={"Bug": "defect"})
    assert merged(mapped, ("Bug", "defect"), (), Pair((), ())) == Pair(("Bug", "defect"), ("defect",))


def test_people_merge_and_strangers_stay() -> None:
    seen = Pair(("ada", "nia"), ("ada_x", "zed"))
    result = merged(FOLLOWERS, ("nia", "bob"), ("ada_x", "zed", "kim_x", "zoe"), seen)
    assert result == Pair(("nia", "bob", "kim"), ("zed", "kim_x", "zoe", "bob_x"))


def test_provider_rewriting_is_no_edit() -> None:
    def upper(field: str, sent: Value, read: Value) -> bool:
        return sent == ("ß",) and read == ("SZ",)

    view = look(LABELS, ("ß",), ("SZ",), Pair(("ß",), ("ß",)), translation=translation(external=upper))
    assert plan_link(view).writes == ()


# --- append -------------------------------------------------------------------------------------------


def test_append_adds_new_ones_and_never_again() -> None:
    seen = Pair(("nia",), ("ada_x",))
    plan = plan_link(look(FURTHER, ("nia",), ("ada_x", "bob_x"), seen))
    assert written(plan) == {HUB: ("nia", "bob")}
    later = Pair(("nia", "bob"), ("ada_x", "bob_x"))
    assert plan_link(look(FURTHER, ("nia",), ("ada_x", "bob_x"), later)).writes == ()  # bob left by himself
    plan = plan_link(look(FURTHER, ("nia",), ("ada_x", "bob_x", "kim_x"), later))
    assert written(plan) == {HUB: ("nia", "kim")}


def test_append_removes_nobody() -> None:
    seen = Pair(("bob",), ("ada_x", "bob_x"))
    plan = plan_link(look(FURTHER, ("bob",), ("ada_x",), seen))
    assert (plan.writes, dict(plan.settle)) == ((), {"f": Pair(("bob",), ("ada_x",))})


def test_the_first_becomes_a_follower_when_somebody_takes_the_lead() -> None:
    plan = plan_link(look(FURTHER, (), ("bob_x", "ada_x"), Pair((), ("ada_x",))))
    assert written(plan) == {HUB: ("ada",)}


def test_append_of_one_person_to_a_list_is_by_element_and_the_way_back_is_not() -> None:
    mixed = (FieldKind.PEOPLE, FieldKind.PERSON)
    assert by_element(rule(mixed, mode=Mode.APPEND, into=frozenset({HUB})))
    assert not by_element(rule(mixed, mode=Mode.APPEND))
    one = rule(mixed, mode=Mode.APPEND, into=frozenset({HUB}))
    plan = plan_link(look(one, ("nia",), "ada_x", Pair(("nia",), None)))
    assert written(plan) == {HUB: ("nia", "ada")}


def test_text_is_appended_to_a_set() -> None:
    tag = rule((FieldKind.SET, FieldKind.TEXT), mode=Mode.APPEND, into=frozenset({HUB}))
    assert written(plan_link(look(tag, ("a",), "b", Pair(("a",), "")))) == {HUB: ("a", "b")}


# --- one way and pauses -------------------------------------------------------------------------------


def test_the_target_of_a_one_way_set_keeps_its_own_elements() -> None:
    inward = rule(FieldKind.SET, into=frozenset({HUB}))
    seen = Pair(("a",), ("a",))
    drift = plan_link(look(inward, ("a", "own"), ("a",), seen))
    assert (drift.writes, dict(drift.settle), dict(drift.held)) == ((), {}, {})
    plan = plan_link(look(inward, ("a", "own"), ("a", "b"), seen))
    assert written(plan) == {HUB: ("a", "b", "own")}
    assert plan.clashes == ()


def test_a_paused_side_holds_the_whole_field() -> None:
    plan = plan_link(look(LABELS, ("h",), ("e",), Pair((), ()), into=frozenset({HUB})))
    assert (plan.writes, dict(plan.settle), set(plan.held)) == ((), {}, {"f"})


def test_equal_edits_settle() -> None:
    plan = plan_link(look(LABELS, ("a", "B"), ("A", "b"), Pair((), ())))
    assert (plan.writes, dict(plan.settle)) == ((), {"f": Pair(("a", "B"), ("A", "b"))})


def test_a_merge_that_one_side_alone_got_settles_what_stands_on_both() -> None:
    """The hub has added one label and removed another; the other side has yet to learn of either."""
    seen = Pair(("old", "removed"), ("Old", "Removed"))
    now = Pair(("old", "got", "given"), ("Old", "Got", "Removed"))
    settled = settle_one_half(LABELS, now, seen, translation())
    assert settled == Pair(("old", "got", "removed"), ("Old", "Got", "Removed"))
    plan = plan_link(look(LABELS, now.hub, now.external, settled))
    assert [(write.side, write.value) for write in plan.writes] == [(EXTERNAL, ("Got", "Old", "given"))]
