"""Putting back what stood in a field before our writes, as long as nobody touched it since."""

from __future__ import annotations

from collections.abc import Sequence

from sync.jobs.merging.restoring import with_value
from sync.reconcile.model import LinkPlan, LinkView, Rule, Side
from sync.reconcile.words import NoCounterpart
from sync.store.tables import Revert
from sync.store.values import parse


def with_reverted(view: LinkView, plan: LinkPlan, entries: Sequence[Revert]) -> LinkPlan:
    """The plan with what stood there before, instead of what it had for the field; on both sides, so that
    they agree. Entries with an :func:`obstacle` are left out."""
    for entry in entries:
        rule = _rule(view, entry)
        if rule is None or obstacle(view, entry):
            continue
        plan = with_value(
            view,
            plan,
            rule,
            Side(entry.side),
            parse(entry.back),
            reason=f"put back to what stood there before write {entry.write_id}",
            replaced=f"replaced when write {entry.write_id} was reverted",
        )
    return plan


def obstacle(view: LinkView, entry: Revert) -> str:
    """Why it is not put back, empty where it is."""
    rule, side = _rule(view, entry), Side(entry.side)
    if rule is None:
        return "the field is not kept in step any more"
    if side not in rule.into:
        return "the mapping does not write to this side any more"
    current, same = view.record(side).fields.get(entry.field), view.translation.same[side]
    ours = (parse(entry.holds), parse(entry.back))  # the second one: half of it was done before
    if current not in ours and not any(same(entry.field, value, current) for value in ours):
        return "it was edited since, and holds something else than we wrote"
    try:
        with_value(view, LinkPlan(), rule, side, parse(entry.back), reason="", replaced="")
    except NoCounterpart as lacking:
        return f"nothing on the other side stands for {lacking.word!r} any more"
    return ""


def _rule(view: LinkView, entry: Revert) -> Rule | None:
    side = Side(entry.side)
    return next(
        (rule for rule in view.rules if rule.name == entry.rule and rule.field(side) == entry.field), None
    )
