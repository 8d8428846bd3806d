"""Symmetric, at rest, nothing lost or invented, no echo: over drawn cases, and with planted mistakes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import FieldKind, Value
from sync.reconcile import plan_link
from sync.reconcile.model import LinkPlan, LinkView, Pair, Policy, Side
from tests.reconcile.cases import KINDS, NOTES, TEXTS, draw, problems
from tests.reconcile.world import EXTERNAL, HUB, Planner, World, faithful, look, rule, translation

pytestmark = pytest.mark.no_cover  # thousands of cases: tracing each would take most of their time

SEED = 20_260_105


@settings(max_examples=200, deadline=None)
@given(st.data())
@pytest.mark.parametrize("kinds", KINDS, ids=lambda kinds: "-".join(kinds))
def test_promises_hold_for_drawn_cases(kinds: tuple[FieldKind, FieldKind], data: st.DataObject) -> None:
    case = draw(lambda options: data.draw(st.sampled_from(options)), [kinds])
    assert problems(case) == []


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_promises_hold_for_notes(data: st.DataObject) -> None:
    assert problems(draw(lambda options: data.draw(st.sampled_from(options)), [NOTES])) == []


@pytest.mark.parametrize("part", range(4))
def test_promises_hold_for_thousands_of_cases(part: int) -> None:
    chance = random.Random(SEED + part)
    for number in range(1_500):
        case = draw(chance.choice)
        assert problems(case) == [], f"case {number} of seed {SEED + part}: {case}"


@pytest.mark.parametrize("part", range(2))
def test_a_cutting_side_never_shortens_the_other_over_a_history(part: int) -> None:
    """Edits on both sides in turn; a whole text on the hub stays whole until somebody edits outside."""
    chance = random.Random(SEED + part)
    for _ in range(300):
        loss = chance.choice((lambda value: value[:3], lambda value: value.upper(), faithful))
        world = World(
            rule(FieldKind.TEXT),
            {HUB: "", EXTERNAL: ""},
            translation(),
            Pair("", ""),
            {HUB: faithful, EXTERNAL: loss},
        )
        for step in range(8):
            side = chance.choice(list(Side))
            value = f"{chance.choice(TEXTS)} number {step}"
            world.edit(side, value, at_s=step * 60)
            assert world.sync().clashes == ()
            assert world.now[HUB] == value
            assert world.now[EXTERNAL] == (loss(value) if side is HUB else value)
            assert world.sync() == LinkPlan()


def test_no_side_is_written_that_must_not_be() -> None:
    """Whatever is one-way, paused or read-only; and a paused field is left as it is, whole."""
    chance = random.Random(SEED)
    some = (frozenset(Side), frozenset({HUB}), frozenset({EXTERNAL}), frozenset[Side]())
    for _ in range(2_000):
        case = draw(chance.choice)
        allowed, running, locked = (chance.choice(some) for _ in range(3))
        one = replace(case.rule, into=allowed)
        view = look(one, case.now.hub, case.now.external, case.seen, locked, into=running, stamps=case.stamps)
        plan = plan_link(view)
        assert {write.side for write in plan.writes} <= (allowed & running) - locked
        assert not (plan.held and (plan.writes or plan.settle))
        for clash in plan.clashes:
            assert clash.winner is None or {clash.winner.other} <= (allowed & running) - locked


# --- planted mistakes ---------------------------------------------------------------------------------


def _writes_no_hub(view: LinkView) -> LinkPlan:
    plan = plan_link(view)
    return replace(plan, writes=tuple(write for write in plan.writes if write.side is EXTERNAL))


def _never_settles(view: LinkView) -> LinkPlan:
    return replace(plan_link(view), settle={})


def _lists_nothing(view: LinkView) -> LinkPlan:
    return replace(plan_link(view), clashes=())


def _hub_always_wins(view: LinkView) -> LinkPlan:
    return plan_link(replace(view, rules=tuple(replace(one, policy=Policy.HUB) for one in view.rules)))


def _forgets(view: LinkView) -> LinkPlan:
    return plan_link(replace(view, seen={}))


def _one_base(view: LinkView) -> LinkPlan:
    """One common base instead of a pair: the mistake that sends a provider's rewriting back."""
    return plan_link(replace(view, seen={name: Pair(pair.hub, pair.hub) for name, pair in view.seen.items()}))


def _settles_instead_of_writing(view: LinkView) -> LinkPlan:
    plan = plan_link(view)
    now = Pair(view.hub.fields["f"], view.external.fields["f"])
    return replace(plan, writes=(), settle={"f": now} if plan.writes or plan.settle else {})


def _shouts(view: LinkView) -> LinkPlan:
    def loud(value: Value) -> Value:
        return f"{value}!" if isinstance(value, str) else value

    plan = plan_link(view)
    return replace(plan, writes=tuple(replace(write, value=loud(write.value)) for write in plan.writes))


def _unions(view: LinkView) -> LinkPlan:
    """Sets that only grow."""
    plan = plan_link(view)
    return replace(
        plan,
        writes=tuple(
            replace(write, value=tuple(sorted({*write.value, *write.before})))
            if isinstance(write.value, tuple) and isinstance(write.before, tuple)
            else write
            for write in plan.writes
        ),
    )


@pytest.mark.parametrize(
    "mistake",
    [
        _writes_no_hub,
        _never_settles,
        _lists_nothing,
        _hub_always_wins,
        _forgets,
        _one_base,
        _settles_instead_of_writing,
        _shouts,
        _unions,
    ],
)
def test_a_planted_mistake_is_found(mistake: Planner) -> None:
    chance = random.Random(SEED)
    cases = (draw(chance.choice) for _ in range(500))
    assert any(problems(case, mistake) for case in cases)


def test_the_drawn_cases_reach_every_outcome() -> None:
    """A generator that never clashes, writes or settles would prove nothing."""
    chance = random.Random(SEED)
    plans = [plan_link(draw(chance.choice).world().view) for _ in range(2_000)]
    reached: dict[str, Callable[[LinkPlan], bool]] = {
        "writes": lambda plan: bool(plan.writes),
        "both sides": lambda plan: len(plan.writes) == 2,
        "settles": lambda plan: bool(plan.settle),
        "clashes": lambda plan: any(clash.kind == "edit" for clash in plan.clashes),
        "first sync": lambda plan: any(clash.kind == "first_sync" for clash in plan.clashes),
        "waits": lambda plan: bool(plan.held),
        "nothing": lambda plan: plan == LinkPlan(),
    }
    for name, hit in reached.items():
        assert sum(map(hit, plans)) >= 50, name
