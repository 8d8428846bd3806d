"""Fields that name another object: through its link, and held while it has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.records import FieldKind, Value
from sync.reconcile import draft, pairs_after_create, plan_link
from sync.reconcile.compatibility import unfit
from sync.reconcile.model import LinkPlan, Mode, Pair, Policy, Side, Unmatched
from tests.reconcile.test_compatibility import spec
from tests.reconcile.world import EXTERNAL, HUB, look, record, rule, translation, written

PARENT = rule(FieldKind.OBJECT, policy=Policy.HUB)
LINKED = translation(linked={"1": "x1", "2": "x2"})


def planned(hub: Value, external: Value, seen: Pair | None) -> LinkPlan:
    return plan_link(replace(look(PARENT, hub, external, seen), translation=LINKED))


@pytest.mark.parametrize(
    ("hub", "external", "seen", "into"),
    [
        (None, "x1", None, {HUB: "1"}),
        ("1", None, None, {EXTERNAL: "x1"}),
        ("1", "x2", Pair("1", "x1"), {HUB: "2"}),
        ("2", "x1", Pair("1", "x1"), {EXTERNAL: "x2"}),
        (None, "x1", Pair("1", "x1"), {EXTERNAL: None}),
        ("1", None, Pair("1", "x1"), {HUB: None}),
    ],
)
def test_it_is_written_as_the_counterpart(
    hub: Value, external: Value, seen: Pair | None, into: dict[Side, Value]
) -> None:
    assert written(planned(hub, external, seen)) == into


@pytest.mark.parametrize("pair", [Pair(None, None), Pair("1", "x1")])
def test_what_stands_for_each_other_settles(pair: Pair) -> None:
    plan = planned(pair.hub, pair.external, None)
    assert (plan.writes, dict(plan.settle)) == ((), {"f": pair})


@pytest.mark.parametrize(
    ("hub", "external", "seen", "side"),
    [
        (None, "x9", None, EXTERNAL),
        ("1", "x9", Pair("1", "x1"), EXTERNAL),
        ("9", None, None, HUB),
        ("9", "x1", Pair("1", "x1"), HUB),
    ],
)
def test_without_a_link_it_is_held_and_nothing_is_settled(
    hub: Value, external: Value, seen: Pair | None, side: Side
) -> None:
    plan = planned(hub, external, seen)
    assert plan.awaited == {"f": (Unmatched(side, "9" if side is HUB else "x9"),)}
    assert plan.held.keys() == {"f"}
    assert (plan.writes, plan.settle, plan.clashes, plan.unmatched) == ((), {}, (), {})


def test_two_moves_are_a_conflict() -> None:
    plan = planned("2", None, Pair("1", "x1"))
    assert written(plan) == {EXTERNAL: "x2"}
    assert [clash.kind for clash in plan.clashes] == ["edit"]


@pytest.mark.parametrize("parent", ["x1", "x9", None])
def test_a_draft_never_has_it_and_its_creation_settles_nothing_of_it(parent: Value) -> None:
    source, made = record(EXTERNAL, {"f": parent}), record(HUB, {"f": None})
    assert draft([PARENT], source, EXTERNAL, LINKED) == {}
    assert pairs_after_create([PARENT], source, made, EXTERNAL, LINKED) == {}


@pytest.mark.parametrize("kind", [FieldKind.OBJECT, FieldKind.OBJECTS])
def test_it_cannot_be_set_on_creation_alone(kind: FieldKind) -> None:
    one = spec(kind)
    assert "overwrite or if_empty" in unfit(one, one, list(Side), mode=Mode.ON_CREATE)[0]


WAITS = rule(FieldKind.OBJECTS)
BOTH = Pair(("1",), ("x1",))


def merged(hub: Value, external: Value, seen: Pair | None, mode: Mode = Mode.OVERWRITE) -> LinkPlan:
    return plan_link(replace(look(replace(WAITS, mode=mode), hub, external, seen), translation=LINKED))


@pytest.mark.parametrize(
    ("hub", "external", "seen", "into"),
    [
        (("1",), (), None, {EXTERNAL: ("x1",)}),
        (("1", "2"), ("x1",), BOTH, {EXTERNAL: ("x1", "x2")}),
        (("1",), (), BOTH, {HUB: ()}),
        (("1", "2"), (), BOTH, {HUB: ("2",), EXTERNAL: ("x2",)}),
        (("1", "9"), ("x1", "X1"), BOTH, {}),
        (("1", "9"), ("x2", "x9"), BOTH, {HUB: ("2", "9")}),
    ],
)
def test_several_are_merged_one_by_one(
    hub: Value, external: Value, seen: Pair | None, into: dict[Side, Value]
) -> None:
    assert written(merged(hub, external, seen)) == into


def test_of_several_those_without_a_link_are_waited_for_and_do_not_count_as_settled() -> None:
    plan = merged(("1", "9"), ("x1",), None)
    assert (plan.settle, plan.held, plan.writes) == ({"f": BOTH}, {}, ())
    assert plan.awaited == {"f": (Unmatched(HUB, "9"),)}
    assert merged(("1",), ("x1",), BOTH) == LinkPlan(), "nothing is new"
    linked = translation(linked={"1": "x1", "9": "x9"})
    later = plan_link(replace(look(WAITS, ("1", "9"), ("x1",), BOTH), translation=linked))
    assert written(later) == {EXTERNAL: ("x1", "x9")}


def test_a_paused_side_is_not_waited_for() -> None:
    view = replace(look(WAITS, ("1", "9"), (), None), translation=LINKED, into=frozenset({HUB}))
    plan = plan_link(view)
    assert (plan.held.keys(), plan.awaited) == ({"f"}, {})


@pytest.mark.parametrize(
    ("mode", "hub", "external", "into"),
    [
        (Mode.IF_EMPTY, ("1", "9"), (), {EXTERNAL: ("x1",)}),
        (Mode.IF_EMPTY, ("1",), ("x2",), {}),
        (Mode.APPEND, ("1",), ("X1", "x2"), {EXTERNAL: ("X1", "x1", "x2"), HUB: ("1", "2")}),
    ],
)
def test_further_modes_carry_what_is_linked(
    mode: Mode, hub: Value, external: Value, into: dict[Side, Value]
) -> None:
    assert written(merged(hub, external, None, mode)) == into
