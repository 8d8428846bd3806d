"""Putting a value from the conflict list back on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.records import Value
from sync.reconcile import carry
from sync.reconcile.model import Clash, FieldWrite, LinkPlan, LinkView, Pair, Policy, Side
from sync.store.tables import Conflict
from sync.store.values import parse


def with_restored(view: LinkView, plan: LinkPlan, entries: Sequence[Conflict]) -> LinkPlan:
    """The plan with these entries' losing values on both sides instead of what it had for the field.

    What stands there now and differs is lost by that, so it becomes an entry itself.
    """
    for entry in entries:
        rule = next(
            (rule for rule in view.rules if entry.field in (rule.name, rule.hub, rule.external)), None
        )
        if rule is None:
            continue
        rule, source = rule.framed(view.external), Side(entry.restoring)
        wanted: dict[Side, Value] = {}
        wanted[source] = parse((entry.hub if source is Side.HUB else entry.external)["value"])
        current = {side: view.record(side).fields.get(rule.field(side)) for side in Side}
        wanted[source.other] = carry(
            rule,
            source.other,
            wanted[source],
            current=current[source.other],
            seen=view.seen.get(rule.name),
            translation=view.translation,
        )
        reason = f"restored from the conflict list (entry {entry.id})"
        chosen = [
            FieldWrite(
                side=side,
                rule=rule.name,
                field=rule.field(side),
                value=wanted[side],
                before=current[side],
                reason=reason,
            )
            for side in Side
            if wanted[side] != current[side]
        ]
        replaced = Clash(
            rule=rule.name,
            field=entry.field,
            kind="overwritten",
            policy=Policy.LAST_MODIFIED,
            winner=source,
            values=Pair(current[Side.HUB], current[Side.EXTERNAL]),
            hub_stamp=None,
            external_stamp=None,
            reason=f"replaced when entry {entry.id} was restored",
        )
        keep = {name: pair for name, pair in plan.settle.items() if name != rule.name}
        if not chosen:
            keep[rule.name] = Pair(wanted[Side.HUB], wanted[Side.EXTERNAL])
        plan = replace(
            plan,
            writes=(*(write for write in plan.writes if write.rule != rule.name), *chosen),
            settle=keep,
            clashes=(
                *(clash for clash in plan.clashes if clash.rule != rule.name),
                *([replaced] if chosen else []),
            ),
            held={name: why for name, why in plan.held.items() if name != rule.name},
        )
    return plan
