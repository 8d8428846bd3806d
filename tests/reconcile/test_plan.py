"""Planning one link, by example."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.records import SECTION, FieldKind, Value
from sync.reconcile import dropped, own_part, plan_link, settle_after
from sync.reconcile.merge import said_alone
from sync.reconcile.model import FieldWrite, LinkView, Mode, Pair, Policy, Rule, Side, Unmatched
from sync.reconcile.words import Words
from tests.reconcile.world import EXTERNAL, HUB, look, record, rule, stamps, translation, written

TEXT = rule(FieldKind.TEXT)
STATE = rule(FieldKind.STATE)
NOTES = rule(FieldKind.MARKDOWN)
INWARD = rule(FieldKind.TEXT, into=frozenset({HUB}))
OLD = Pair("old", "old")


def nothing(view: LinkView) -> bool:
    plan = plan_link(view)
    return not (plan.writes or plan.settle or plan.clashes or plan.undated or plan.held)


# --- three-way ----------------------------------------------------------------------------------------


def test_no_edit_no_plan() -> None:
    assert nothing(look(TEXT, "old", "old", OLD))


@pytest.mark.parametrize(("hub", "external", "side"), [("new", "old", EXTERNAL), ("old", "new", HUB)])
def test_one_edit_is_carried(hub: str, external: str, side: Side) -> None:
    plan = plan_link(look(TEXT, hub, external, OLD))
    assert plan.writes == (
        FieldWrite(
            side=side,
            rule="f",
            field="f",
            value="new",
            before="old",
            reason=f"changed in the {side.other} side since it was last in step",
        ),
    )
    assert plan.writes[0].origin is side.other
    assert not plan.settle


def test_clearing_is_an_edit() -> None:
    assert written(plan_link(look(TEXT, "", "old", OLD))) == {EXTERNAL: ""}


def test_no_text_and_empty_text_are_one() -> None:
    assert nothing(look(TEXT, None, "", Pair("", "")))


def test_both_edits_to_one_value_settle() -> None:
    plan = plan_link(look(TEXT, "new", "new", OLD))
    assert (plan.writes, dict(plan.settle)) == ((), {"f": Pair("new", "new")})


def test_an_edit_the_other_side_cannot_show_settles() -> None:
    def cut(field: str, sent: Value, read: Value) -> bool:
        return str(sent)[:3] == read

    view = look(TEXT, "abcX", "abc", Pair("abcd", "abc"), translation=translation(external=cut))
    plan = plan_link(view)
    assert (plan.writes, dict(plan.settle)) == ((), {"f": Pair("abcX", "abc")})


def test_what_a_provider_made_of_it_is_no_edit() -> None:
    def trims(field: str, sent: Value, read: Value) -> bool:
        return str(sent).strip() == read

    assert nothing(look(TEXT, " a ", "a", Pair(" a ", " a "), translation=translation(external=trims)))


def test_fields_do_not_meet() -> None:
    rules = (rule(FieldKind.TEXT, name="t", hub="t", external="t2"), replace(STATE, name="s"))
    view = LinkView(
        hub=record(HUB, {"t": "new", "f": "open"}),
        external=record(EXTERNAL, {"t2": "old", "f": "closed"}),
        rules=rules,
        seen={"t": OLD, "s": Pair("open", "open")},
        translation=translation(),
    )
    assert {(w.side, w.field, w.value) for w in plan_link(view).writes} == {
        (EXTERNAL, "t2", "new"),
        (HUB, "f", "closed"),
    }


def test_a_missing_field_is_unknown() -> None:
    for hub, external in (({}, {"f": "x"}), ({"f": "x"}, {})):
        view = replace(look(TEXT, "", "", OLD), hub=record(HUB, hub), external=record(EXTERNAL, external))
        assert nothing(view)


def test_parked_rules_are_skipped() -> None:
    assert nothing(look(TEXT, "new", "old", OLD, skip=frozenset({"f"})))


def test_words_are_mapped() -> None:
    mapped = rule(FieldKind.STATE, values={"open": "todo", "closed": "done"})
    plan = plan_link(look(mapped, "closed", "todo", Pair("open", "todo")))
    assert written(plan) == {EXTERNAL: "done"}
    assert plan_link(look(mapped, "closed", "done")).settle == {"f": Pair("closed", "done")}


def test_notes_edited_alike_on_both_sides_agree() -> None:
    plan = plan_link(look(NOTES, "a\n\nb", "a\n\nb", Pair("a", "a")))
    assert (plan.writes, dict(plan.settle)) == ((), {"f": Pair("a\n\nb", "a\n\nb")})


def test_notes_edited_on_one_side_are_carried() -> None:
    plan = plan_link(look(NOTES, "a\n\nfixed", "a\n\ntypo", Pair("a\n\ntypo", "a\n\ntypo")))
    assert plan.writes[0].value == "a\n\nfixed"


# --- clashes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hub_s", "external_s", "winner"),
    [(0, 60, EXTERNAL), (60, 0, HUB), (0, 2, HUB), (2, 0, HUB), (0, 2.001, EXTERNAL)],
)
def test_the_side_modified_last_wins(hub_s: float, external_s: float, winner: Side) -> None:
    plan = plan_link(look(TEXT, "h", "e", OLD, stamps=stamps(hub_s, external_s)))
    assert written(plan) == {winner.other: "h" if winner is HUB else "e"}
    (clash,) = plan.clashes
    assert (clash.kind, clash.winner, clash.values) == ("edit", winner, Pair("h", "e"))
    assert (clash.hub_stamp, clash.external_stamp) == tuple(stamps(hub_s, external_s).values())


def test_missing_stamps_are_asked_for() -> None:
    both = plan_link(look(TEXT, "h", "e", OLD))
    assert both.undated == {(HUB, "f"), (EXTERNAL, "f")}
    known = {(HUB, "f"): stamps(0, 0)[HUB, "f"]}
    assert plan_link(look(TEXT, "h", "e", OLD, stamps=known)).undated == {(EXTERNAL, "f")}
    assert (both.writes, both.clashes, dict(both.settle)) == ((), (), {})


@pytest.mark.parametrize(("policy", "winner"), [(Policy.HUB, HUB), (Policy.EXTERNAL, EXTERNAL)])
def test_a_policy_names_the_winner(policy: Policy, winner: Side) -> None:
    plan = plan_link(look(replace(TEXT, policy=policy), "h", "e", OLD))
    assert written(plan) == {winner.other: "h" if winner is HUB else "e"}
    assert plan.clashes[0].policy is policy
    assert not plan.undated


@pytest.mark.parametrize(("seen", "kind"), [(OLD, "edit"), (None, "first_sync")])
def test_ask_keeps_both(seen: Pair | None, kind: str) -> None:
    plan = plan_link(look(replace(TEXT, policy=Policy.ASK), "h", "e", seen))
    (clash,) = plan.clashes
    assert (clash.winner, clash.kind, clash.values) == (None, kind, Pair("h", "e"))
    assert (plan.writes, dict(plan.settle), set(plan.held)) == ((), {}, {"f"})


@pytest.mark.parametrize(
    ("moved", "written_there"), [("s2", {EXTERNAL: "s2"}), ("s1", {})], ids=["moved", "not moved"]
)
def test_a_move_is_carried_where_the_other_side_says_nothing_of_sections(
    moved: str, written_there: dict[Side, Value]
) -> None:
    section = replace(rule(FieldKind.CHOICE), hub=SECTION)
    task, issue = record(HUB, {SECTION: moved}), record(EXTERNAL, {"f": None})
    view = replace(look(section, None, None, Pair("s1", None)), hub=task, external=issue)
    assert written(plan_link(view)) == written_there


AREA = rule(
    FieldKind.SET,
    words=Words(
        (("h1", "e1"), ("h2", "e2")),
        {HUB: {"h1": "Web", "h2": "App"}, EXTERNAL: {"e1": "Web", "e2": "App", "e3": "Only"}},
    ),
)


def test_an_option_that_nothing_stands_for_waits_and_the_others_go_through() -> None:
    first = plan_link(look(AREA, (), ("e1", "e3"), Pair((), ())))
    assert written(first) == {HUB: ("h1",)}
    assert dict(first.unmatched) == {"f": Unmatched(EXTERNAL, "e3")}
    then = plan_link(look(AREA, ("h1",), ("e1", "e3"), Pair(("h1",), ("e1",))))
    assert (then.writes, dict(then.settle)) == ((), {"f": Pair(("h1",), ("e1",))})
    assert dict(then.unmatched) == {"f": Unmatched(EXTERNAL, "e3")}
    paused = replace(look(AREA, (), ("e1", "e3"), Pair((), ())), into=frozenset({EXTERNAL}))
    assert (plan_link(paused).held.keys(), dict(plan_link(paused).unmatched)) == ({"f"}, {})
    inward = replace(AREA, into=frozenset({EXTERNAL}))
    assert plan_link(look(inward, ("h1",), ("e1", "e3"), Pair(("h1",), ("e1",)))).unmatched == {}


def test_an_option_that_nothing_stands_for_is_not_settled() -> None:
    taken_off = plan_link(look(AREA, ("h1",), ("e1",), Pair(("h1",), ("e1", "e3"))))
    assert (taken_off.writes, dict(taken_off.settle)) == ((), {"f": Pair(("h1",), ("e1",))})
    kept = said_alone(AREA, Pair(("h1",), ("e1", "e3")))
    assert kept == Pair(("h1",), ("e1",))
    one_way = replace(AREA, mode=Mode.IF_EMPTY)
    assert said_alone(one_way, Pair(("h1",), ("e1", "e3"))) == Pair(("h1",), ("e1", "e3"))


# --- first sync ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", ["", None])
def test_empty_takes_the_other(empty: Value) -> None:
    assert written(plan_link(look(TEXT, empty, "e"))) == {HUB: "e"}
    assert written(plan_link(look(TEXT, "h", empty))) == {EXTERNAL: "h"}


def test_both_empty_settle() -> None:
    section = rule(FieldKind.CHOICE)
    assert plan_link(look(section, None, "")).settle == {"f": Pair(None, "")}


def test_a_state_is_never_empty() -> None:
    plan = plan_link(look(STATE, None, "open", stamps=stamps(0, 60)))
    assert plan.clashes[0].kind == "first_sync"


def test_different_is_a_conflict_by_policy() -> None:
    plan = plan_link(look(STATE, "open", "closed", stamps=stamps(0, 60)))
    assert written(plan) == {HUB: "closed"}
    assert plan.clashes[0].kind == "first_sync"


def test_first_sync_one_way() -> None:
    assert written(plan_link(look(INWARD, "", "e"))) == {HUB: "e"}
    assert nothing(look(INWARD, "h", ""))  # nothing to take, and the other side is not written
    plan = plan_link(look(INWARD, "h", "e"))
    assert written(plan) == {HUB: "e"}
    assert (plan.clashes[0].kind, plan.clashes[0].winner) == ("first_sync", EXTERNAL)
    asked = plan_link(look(replace(INWARD, policy=Policy.ASK), "h", "e"))
    assert (asked.writes, asked.clashes[0].winner) == ((), None)


# --- one way, read-only, paused -----------------------------------------------------------------------


def test_the_target_of_a_one_way_rule_drifts_until_the_source_changes() -> None:
    assert nothing(look(INWARD, "drift", "old", OLD))
    plan = plan_link(look(INWARD, "drift", "new", OLD))
    assert written(plan) == {HUB: "new"}
    (clash,) = plan.clashes
    assert (clash.kind, clash.winner, clash.values) == ("overwritten", EXTERNAL, Pair("drift", "new"))


def test_a_one_way_target_that_drifted_to_the_new_value_settles() -> None:
    assert plan_link(look(INWARD, "new", "new", OLD)).settle == {"f": Pair("new", "new")}


def test_pull_request_state_flows_to_the_hub_only() -> None:
    pull = {"read_only": [EXTERNAL]}
    seen = Pair("open", "open")
    assert nothing(look(STATE, "closed", "open", seen, **pull))
    assert written(plan_link(look(STATE, "open", "closed", seen, **pull))) == {HUB: "closed"}
    assert plan_link(look(STATE, "closed", "closed", seen, **pull)).settle == {"f": Pair("closed", "closed")}


def test_nothing_is_decided_where_neither_side_is_written() -> None:
    frozen = rule(FieldKind.TEXT, into=frozenset())
    assert nothing(look(frozen, "h", "e", OLD))
    assert nothing(look(frozen, "h", "e"))
    assert nothing(look(frozen, "h", "old", OLD))


def test_a_paused_direction_holds() -> None:
    plan = plan_link(look(TEXT, "h", "old", OLD, into=frozenset({HUB})))
    assert (plan.writes, dict(plan.settle), set(plan.held)) == ((), {}, {"f"})
    assert written(plan_link(look(TEXT, "old", "e", OLD, into=frozenset({HUB})))) == {HUB: "e"}


def test_a_clash_waits_while_the_loser_must_not_be_written() -> None:
    paused = frozenset({HUB})
    plan = plan_link(look(TEXT, "h", "e", OLD, stamps=stamps(60, 0), into=paused))
    assert (plan.writes, plan.clashes, set(plan.held)) == ((), (), {"f"})
    assert written(plan_link(look(TEXT, "h", "e", OLD, stamps=stamps(0, 60), into=paused))) == {HUB: "e"}


def test_drift_is_not_held_while_paused() -> None:
    assert nothing(look(INWARD, "drift", "old", OLD, into=frozenset()))


def test_a_winner_that_changes_nothing_settles_and_is_listed() -> None:
    """Unmapped on the hub, and a list outside that cannot say more."""
    who = rule((FieldKind.PERSON, FieldKind.PEOPLE), policy=Policy.HUB)
    view = look(who, "nia", ("zed",), Pair("ada", ("ada_x",)), translation=translation(fallback="fay"))
    plan = plan_link(view)
    assert (plan.writes, dict(plan.settle), len(plan.clashes)) == ((), {"f": Pair("nia", ("zed",))}, 1)


# --- modes --------------------------------------------------------------------------------------------


def test_on_create_is_over_once_it_exists() -> None:
    assert nothing(look(replace(TEXT, mode=Mode.ON_CREATE), "h", "e"))


FILL = rule(FieldKind.TEXT, mode=Mode.IF_EMPTY, into=frozenset({HUB}))


@pytest.mark.parametrize(
    ("hub", "external", "seen", "writes", "settles"),
    [
        ("", "e", None, {HUB: "e"}, False),
        ("h", "e", None, {}, True),
        ("h", "new", Pair("h", "e"), {}, True),
        ("", "e", Pair("e", "e"), {}, False),  # emptied by hand: stays empty until the source changes
        ("", "new", Pair("e", "e"), {HUB: "new"}, False),
        (None, "", Pair("e", "e"), {}, True),
    ],
)
def test_if_empty(
    hub: Value, external: Value, seen: Pair | None, writes: dict[Side, Value], settles: bool
) -> None:
    plan = plan_link(look(FILL, hub, external, seen))
    assert (written(plan), bool(plan.settle), plan.clashes) == (writes, settles, ())


def test_if_empty_waits_while_paused() -> None:
    assert set(plan_link(look(FILL, "", "e", None, into=frozenset())).held) == {"f"}


# --- after a write ------------------------------------------------------------------------------------


def test_settling_takes_the_answer_and_what_was_read() -> None:
    assert settle_after(TEXT, HUB, "cut", "whole") == Pair("cut", "whole")
    assert settle_after(TEXT, EXTERNAL, "cut", "whole") == Pair("whole", "cut")


def test_a_dropped_write_is_told_from_a_rewritten_one() -> None:
    write = FieldWrite(side=HUB, rule="f", field="f", value="new", before="old", reason="")
    assert dropped(write, "old")
    assert not dropped(write, "new")
    assert not dropped(write, "NEW")

    def folds(field: str, sent: Value, read: Value) -> bool:
        return str(sent).casefold() == str(read).casefold()

    recased = replace(write, value="OLD")
    assert not dropped(recased, "old", folds)
    assert dropped(write, "OLD", folds)


@pytest.mark.parametrize(
    ("kind", "sent", "answered", "ours"),
    [
        (FieldKind.TEXT, "new", "New", "New"),  # rewritten
        (FieldKind.TEXT, "a long one", "a long", "a long"),  # cut
        (FieldKind.TEXT, "new", "a person's", "new"),
        (FieldKind.TEXT, "new", "", "new"),  # emptied by one
        (FieldKind.PERSON, "ada", "bob", "ada"),
        (FieldKind.PERSON, None, "bob", None),
        (FieldKind.MARKDOWN, "*new*", "_made of it_", "_made of it_"),
        (FieldKind.SET, ("a", "b"), ("a", "b", "c"), ("a", "b")),  # c was added
        (FieldKind.SET, ("a", "b"), ("b",), ("b", "a")),  # a, which stood there, was taken off
        (FieldKind.SET, ("a", "b"), ("a", "B"), ("a", "B")),
    ],
)
def test_of_an_answer_what_a_person_did_is_no_part_of_our_write(
    kind: FieldKind, sent: Value, answered: Value, ours: Value
) -> None:
    before = ("a",) if isinstance(sent, tuple) else "old"
    write = FieldWrite(side=HUB, rule="f", field="f", value=sent, before=before, reason="")

    def folds(field: str, sent: Value, read: Value) -> bool:
        return str(sent).casefold() == str(read).casefold()

    assert own_part(kind, write, answered, folds) == ours


def test_a_rule_names_its_ends() -> None:
    one = Rule(name="n", hub="a", external="b", hub_kind=FieldKind.PERSON, external_kind=FieldKind.PEOPLE)
    assert (one.field(HUB), one.field(EXTERNAL)) == ("a", "b")
    assert (one.kind(HUB), one.kind(EXTERNAL)) == (FieldKind.PERSON, FieldKind.PEOPLE)
