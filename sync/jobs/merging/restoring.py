"""Putting a value from the conflict list back on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.records import Value
from sync.reconcile import carry
from sync.reconcile.model import Clash, FieldWrite, LinkPlan, LinkView, Pair, Policy, Rule, Side
from sync.reconcile.words import NoCounterpart
from sync.store.tables import Conflict
from sync.store.values import parse


def with_restored(view: LinkView, plan: LinkPlan, entries: Sequence[Conflict]) -> LinkPlan:
    """The plan with these entries' losing values on both sides instead of what it had for the field.

    Entries with an :func:`obstacle` are left out.
    """
    for entry in entries:
        rule = rule_of(view, entry)
        if rule is None or obstacle(view, entry):
            continue
        source = Side(entry.restoring)
        plan = with_value(
            view,
            plan,
            rule,
            source,
            parse((entry.hub if source is Side.HUB else entry.external)["value"]),
            reason=f"restored from the conflict list (entry {entry.id})",
            replaced=f"replaced when entry {entry.id} was restored",
        )
    return plan


def obstacle(view: LinkView, entry: Conflict) -> str:
    """Why the value cannot be put back, empty where it can."""
    rule, source = rule_of(view, entry), Side(entry.restoring)
    if rule is None:
        return "the field is not kept in step any more"
    value = parse((entry.hub if source is Side.HUB else entry.external)["value"])
    try:
        with_value(view, LinkPlan(), rule, source, value, reason="", replaced="")
    except NoCounterpart as lacking:
        return f"nothing on the other side stands for {lacking.word!r}"
    return ""


def rule_of(view: LinkView, entry: Conflict) -> Rule | None:
    """The rule that keeps the entry's field in step; None where none does any more."""
    return next((rule for rule in view.rules if entry.field in (rule.name, rule.hub, rule.external)), None)


def with_value(
    view: LinkView, plan: LinkPlan, rule: Rule, source: Side, value: Value, *, reason: str, replaced: str
) -> LinkPlan:
    """The plan with ``value``, as ``source`` has it, on every side that the rule may write or that has it.

    A person asked for it. What stands on the other side and differs is lost by that, so it becomes an
    entry of the conflict list itself, with ``replaced`` as its reason.

    Raises:
        NoCounterpart: nothing on the other side stands for the value.
    """
    rule = rule.framed(view.external)
    current = {side: view.record(side).fields.get(rule.field(side)) for side in Side}
    wanted = {source: value, source.other: current[source.other]}
    if source.other in rule.into or source not in rule.into:
        wanted[source.other] = carry(
            rule,
            source.other,
            value,
            current=current[source.other],
            seen=view.seen.get(rule.name),
            translation=view.translation,
        )
    chosen = [
        FieldWrite(
            side=side,
            rule=rule.name,
            field=rule.field(side),
            value=wanted[side],
            before=current[side],
            reason=reason,
            by_hand=True,
        )
        for side in Side
        if wanted[side] != current[side]
    ]
    lost = Clash(
        rule=rule.name,
        field=rule.hub,
        kind="overwritten",
        policy=Policy.LAST_MODIFIED,
        winner=source if any(write.side is source.other for write in chosen) else source.other,
        values=Pair(current[Side.HUB], current[Side.EXTERNAL]),
        hub_stamp=None,
        external_stamp=None,
        reason=replaced,
    )
    settle = {name: pair for name, pair in plan.settle.items() if name != rule.name}
    if not chosen:
        settle[rule.name] = Pair(wanted[Side.HUB], wanted[Side.EXTERNAL])
    others = tuple(clash for clash in plan.clashes if clash.rule != rule.name)
    return replace(
        plan,
        writes=(*(write for write in plan.writes if write.rule != rule.name), *chosen),
        settle=settle,
        clashes=(*others, lost) if chosen else others,
        held={name: why for name, why in plan.held.items() if name != rule.name},
    )
