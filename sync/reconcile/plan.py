"""The plan of one link: rule by rule, each on its own; what two write to one set is joined at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from connectors.records import FieldKind, Value
from sync.reconcile.carry import carry
from sync.reconcile.elements import COLLECTIONS, empty, words
from sync.reconcile.joining import joined_writes
from sync.reconcile.merge import agree, by_element, changed, equal, linked_alone, merge_elements, unsaid
from sync.reconcile.model import (
    Clash,
    FieldWrite,
    LinkPlan,
    LinkView,
    Mode,
    Pair,
    Policy,
    Rule,
    Side,
    Unmatched,
)
from sync.reconcile.words import NoCounterpart

_KEEPING = COLLECTIONS | {FieldKind.DATE}
"""Kinds that keep what the other side cannot say when its value is carried into them."""


def plan_link(view: LinkView) -> LinkPlan:
    """What to do about one link, so that both sides agree on every field that the rules keep in step."""
    plan = _joined([_plan_field(field) for rule in view.rules if (field := _look(view, rule)) is not None])
    return replace(plan, writes=joined_writes(plan.writes))


@dataclass(frozen=True, slots=True)
class _Field:
    """One rule with what both sides hold. ``targets``: sides that this rule may ever write."""

    view: LinkView
    rule: Rule
    now: Pair
    seen: Pair | None
    targets: frozenset[Side]
    edited: frozenset[Side]

    def called(self, side: Side) -> str:
        return self.view.titles[side]

    def settle(self) -> LinkPlan:
        pair = linked_alone(self.rule, self.now, self.view.translation.linked)
        return LinkPlan(settle={self.rule.name: pair})

    def hold(self, why: str) -> LinkPlan:
        return LinkPlan(held={self.rule.name: why})


def _look(view: LinkView, rule: Rule) -> _Field | None:
    """None where nothing is to be decided: parked, only for creation, or unknown on a side."""
    if rule.name in view.skip or rule.mode is Mode.ON_CREATE:
        return None
    if rule.hub not in view.hub.fields or rule.external not in view.external.fields:
        return None
    now = Pair(view.hub.fields[rule.hub], view.external.fields[rule.external])
    seen = view.seen.get(rule.name)
    return _Field(
        view,
        rule.framed(view.external),
        now,
        seen,
        targets=frozenset(side for side in rule.into if rule.field(side) not in view.record(side).read_only),
        edited=frozenset(side for side in Side if changed(rule, side, now.of(side), seen, view.translation)),
    )


def _plan_field(field: _Field) -> LinkPlan:
    if not field.edited:
        return LinkPlan()
    try:
        plan = _plan_edit(field)
        return plan if plan.held else replace(plan, awaited=_awaited(field))
    except NoCounterpart as lacking:
        return _uncarried(field, Unmatched(lacking.side, lacking.word))


def _awaited(field: _Field) -> Mapping[str, tuple[Unmatched, ...]]:
    """Of several objects, those without a counterpart: the others do not wait for them."""
    if field.rule.hub_kind is not FieldKind.OBJECTS:
        return {}
    linked = field.view.translation.linked
    lacking = tuple(
        Unmatched(side, id)
        for side in Side
        if side.other in field.targets
        for id in words(field.now.of(side))
        if id not in linked.get(side.other, {})
    )
    return {field.rule.name: lacking} if lacking else {}


def _uncarried(field: _Field, lacking: Unmatched) -> LinkPlan:
    """An object gets its counterpart by itself, if it ever does; what a word stands for a person says."""
    name = field.rule.name
    if field.rule.kind(lacking.side) is not FieldKind.OBJECT:
        return LinkPlan(unmatched={name: lacking})
    why = f"what it names in {field.called(lacking.side)} has no counterpart yet"
    return LinkPlan(held={name: why}, awaited={name: (lacking,)})


def _plan_edit(field: _Field) -> LinkPlan:
    if by_element(field.rule):
        return _meet_by_element(field)
    if field.rule.mode is not Mode.OVERWRITE:
        return _meet(field, _filled(field))
    if agree(field.rule, field.now, field.seen, field.view.translation):
        return field.settle()
    return _first_sync(field) if field.seen is None else _three_way(field, field.seen)


def _meet_by_element(field: _Field) -> LinkPlan:
    """What can be said is; a person is asked about the first option that nothing stands for."""
    plan = _meet(field, merge_elements(field.rule, field.now, field.seen, field.view.translation))
    lacking = [
        Unmatched(side, word)
        for side in sorted(field.edited)
        if side.other in field.targets
        for word in unsaid(field.rule, side, field.now.of(side))
    ]
    return replace(plan, unmatched={field.rule.name: lacking[0]}) if lacking and not plan.held else plan


def _meet(field: _Field, goal: Pair) -> LinkPlan:
    """Bring both sides to a goal that overwrites nobody: merged sets, or empty fields filled."""
    apart = frozenset(side for side in Side if goal.of(side) != field.now.of(side))
    due = apart & field.targets
    if paused := due - field.view.into:
        return field.hold(_paused(field, min(paused)))
    if due:
        return LinkPlan(
            writes=tuple(_write(field, side, goal, _since(side.other, field)) for side in Side if side in due)
        )
    sources = frozenset(side.other for side in field.targets)
    return field.settle() if sources & field.edited else LinkPlan()


def _filled(field: _Field) -> Pair:
    """What both sides hold once those that are empty took what was edited on the other."""
    return Pair(_filling(field, Side.HUB), _filling(field, Side.EXTERNAL))


def _filling(field: _Field, side: Side) -> Value:
    standing = field.now.of(side)
    if side.other not in field.edited:
        return standing
    carried = _carried(field, side)
    return standing if equal(field.rule, side, carried, standing, field.view.translation) else carried


def _first_sync(field: _Field) -> LinkPlan:
    vacant = [side for side in Side if _vacant(field, side)]
    if len(vacant) == 2:
        return field.settle()
    if vacant:
        side = vacant[0]
        return _put(field, side, f"it is empty in {field.called(side)}, and was never in step")
    if len(field.targets) == 1 and field.rule.policy is not Policy.ASK:
        winner = next(iter(field.targets)).other
        return _overrule(
            field, winner, "first_sync", f"never in step, and only {field.called(winner.other)} is written"
        )
    return _clash(field, "first_sync") if field.targets else LinkPlan()


def _vacant(field: _Field, side: Side) -> bool:
    """Whether a side gives way: it is empty, or what it lists is nothing on the other side."""
    value, kind, other = field.now.of(side), field.rule.kind(side), field.rule.kind(side.other)
    if empty(kind, value):
        return True
    if kind is not FieldKind.PEOPLE and (kind, other) != (FieldKind.SET, FieldKind.CHOICE):
        return False
    shown = carry(field.rule, side.other, value, current=None, seen=None, translation=field.view.translation)
    return not words(shown)


def _three_way(field: _Field, seen: Pair) -> LinkPlan:
    movers = _movers(field, seen)
    if len(movers) == 1:
        mover = movers[0]
        return _put(field, mover.other, _since(mover, field))
    if len(field.targets) == 1:
        source = next(iter(field.targets)).other
        here, there = field.called(source), field.called(source.other)
        reason = f"{here} changed, and only {there}, which drifted, is written"
        return _overrule(field, source, "overwritten", reason)
    return _clash(field, "edit") if field.targets else LinkPlan()


def _movers(field: _Field, seen: Pair) -> list[Side]:
    """The sides whose edit the other side must learn of.

    Of two edits, one that only touched further people of a list is none: the list keeps them anyway. The
    same is true of the hour of an appointment whose day the other side moved.
    """
    both = [side for side in Side if side in field.edited]
    if len(both) == 1:
        return both
    felt = [side for side in both if field.rule.kind(side) not in _KEEPING or _felt(field, side, seen)]
    return felt or both


def _felt(field: _Field, side: Side, seen: Pair) -> bool:
    standing = seen.of(side.other)
    carried = carry(
        field.rule,
        side.other,
        field.now.of(side),
        current=standing,
        seen=seen,
        translation=field.view.translation,
    )
    return not equal(field.rule, side.other, standing, carried, field.view.translation)


def _clash(field: _Field, kind: str) -> LinkPlan:
    """Both sides may win; the policy says which one does."""
    rule, view = field.rule, field.view
    said = "never in step and different" if kind == "first_sync" else "both sides changed"
    if rule.policy is Policy.ASK:
        reason = f"{said}; a person decides"
        return LinkPlan(clashes=(_listed(field, None, kind, reason),), held={rule.name: reason})
    if rule.policy is not Policy.LAST_MODIFIED:
        winner = Side(rule.policy)
        return _overrule(field, winner, kind, f"{said}; {field.called(winner)} wins by policy")
    missing = frozenset((side, rule.name) for side in Side if (side, rule.name) not in view.stamps)
    if missing:
        return LinkPlan(undated=missing)
    hub, external = (view.stamps[side, rule.name].at for side in (Side.HUB, Side.EXTERNAL))
    lead_s = (external - hub).total_seconds()
    if abs(lead_s) <= view.tie_s:
        return _overrule(field, Side.HUB, kind, f"{said} at the same time; {field.called(Side.HUB)} wins")
    winner = Side.EXTERNAL if lead_s > 0 else Side.HUB
    return _overrule(field, winner, kind, f"{said}; {field.called(winner)} changed last")


def _overrule(field: _Field, winner: Side, kind: str, reason: str) -> LinkPlan:
    """Write the winner's value to the other side and list both; nothing of it while that is paused."""
    plan = _put(field, winner.other, reason)
    if plan.held:
        return plan
    return _joined([plan, LinkPlan(clashes=(_listed(field, winner, kind, reason),))])


def _put(field: _Field, target: Side, reason: str) -> LinkPlan:
    """Carry the other side's value into ``target``, or settle where that changes nothing."""
    if target not in field.targets:
        return LinkPlan()
    carried = _carried(field, target)
    if equal(field.rule, target, carried, field.now.of(target), field.view.translation):
        return field.settle()
    if target not in field.view.into:
        return field.hold(_paused(field, target))
    goal = Pair(carried, field.now.external) if target is Side.HUB else Pair(field.now.hub, carried)
    return LinkPlan(writes=(_write(field, target, goal, reason),))


def _carried(field: _Field, into: Side) -> Value:
    return carry(
        field.rule,
        into,
        field.now.of(into.other),
        current=field.now.of(into),
        seen=field.seen,
        translation=field.view.translation,
    )


def _write(field: _Field, side: Side, goal: Pair, reason: str) -> FieldWrite:
    return FieldWrite(
        side=side,
        rule=field.rule.name,
        field=field.rule.field(side),
        value=goal.of(side),
        before=field.now.of(side),
        reason=reason,
    )


def _listed(field: _Field, winner: Side | None, kind: str, reason: str) -> Clash:
    rule, stamps = field.rule, field.view.stamps
    return Clash(
        rule=rule.name,
        field=rule.hub,
        kind=kind,
        policy=rule.policy,
        winner=winner,
        values=field.now,
        hub_stamp=stamps.get((Side.HUB, rule.name)),
        external_stamp=stamps.get((Side.EXTERNAL, rule.name)),
        reason=reason,
    )


def _since(side: Side, field: _Field) -> str:
    if field.seen is None:
        return f"{field.called(side)} has it, and it was never in step"
    return f"changed in {field.called(side)} since it was last in step"


def _paused(field: _Field, side: Side) -> str:
    return f"{field.called(side)} must not be written at the moment"


def _joined(plans: Sequence[LinkPlan]) -> LinkPlan:
    return LinkPlan(
        writes=tuple(chain.from_iterable(plan.writes for plan in plans)),
        settle={name: pair for plan in plans for name, pair in plan.settle.items()},
        clashes=tuple(chain.from_iterable(plan.clashes for plan in plans)),
        undated=frozenset().union(*(plan.undated for plan in plans)),
        held={name: why for plan in plans for name, why in plan.held.items()},
        unmatched={name: word for plan in plans for name, word in plan.unmatched.items()},
        awaited={name: objects for plan in plans for name, objects in plan.awaited.items()},
    )
