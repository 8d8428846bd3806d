"""A word without a counterpart: what a person is told about it, and a last look for a new option before."""

from __future__ import annotations

from datetime import timedelta

from connectors.errors import Park, ParkClass
from sync.jobs.passing.desk import Desk
from sync.jobs.routing.field_lists import fields_of
from sync.jobs.routing.route import Route
from sync.reconcile.model import Side, Unmatched

_MOMENT_S = 5.0
_NAMED = 12
"""So many options are named."""


async def asked_anew(desk: Desk, *, at_once: bool = False) -> bool:
    """Ask for the fields of both ends again; whether that told anything new: an option may be younger.

    Many objects may have one such option: what was asked a moment ago does, unless ``at_once``.
    """
    moment = 0.0 if at_once else min(_MOMENT_S, desk.engine.settings.poll_seconds)
    fresh = timedelta(seconds=moment)
    told = [
        list(await fields_of(desk.engine, end.connection, end.container, fresh=fresh))
        for end in desk.route.ends.values()
    ]
    return told != [list(desk.route.fields[side]) for side in desk.route.ends]


def no_counterpart(route: Route, rule_name: str, unmatched: Unmatched) -> Park:
    """The refusal of a field whose value means nothing over there."""
    rule = next(rule for rule in route.rules if rule.name == rule_name)
    side = unmatched.side
    here, there = route.end(side).connector.title, route.end(side.other).connector.title
    word = rule.words.name(side, unmatched.word)
    options = list(rule.words.options.get(side.other, {}).values())
    known = ", ".join(options[:_NAMED]) + (" ..." if len(options) > _NAMED else "")
    line = f"{word}: OPTION" if side is Side.HUB else f"OPTION: {word}"
    return Park(
        f"{word!r} of {rule.field(side)} in {here} stands for nothing in {rule.field(side.other)} "
        f"of {there}; there are: {known or 'no options'}.",
        park_class=ParkClass.NOT_SUPPORTED,
        field=rule.field(side),
        fix=f"Add a line to the values of that rule, like {line!r} with one of the options, and apply it.",
    )
