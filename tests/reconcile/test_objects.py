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
    assert plan.awaited == {"f": Unmatched(side, "9" if side is HUB else "x9")}
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


def test_it_cannot_be_set_on_creation_alone() -> None:
    one = spec(FieldKind.OBJECT)
    assert "overwrite or if_empty" in unfit(one, one, list(Side), mode=Mode.ON_CREATE)[0]
