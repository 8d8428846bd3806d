"""A word without a counterpart: what a person is told about it, and a last look for a new option before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.errors import Park, ParkClass
from connectors.records import Record
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.writing import LEEWAY
from sync.jobs.routing.field_lists import fields_of
from sync.jobs.routing.route import Route
from sync.reconcile.model import Side, Unmatched

_MOMENT_S = 5.0
_NAMED = 12
"""So many options are named."""


async def asked_anew(desk: Desk, since: datetime | None = None) -> bool:
    """Ask for the fields of both ends again; whether that told anything new: an option may be younger.

    Many objects may have one such option: what was asked a moment ago does, unless that was before ``since``.
    """
    now = desk.engine.now()
    fresh = timedelta(seconds=min(_MOMENT_S, desk.engine.settings.poll_seconds))
    if since is not None:
        fresh = min(fresh, max(now - since, timedelta()))
    told = [
        list(await fields_of(desk.engine, end.connection, end.container, fresh=fresh))
        for end in desk.route.ends.values()
    ]
    return told != [list(desk.route.fields[side]) for side in desk.route.ends]


def younger_than(
    desk: Desk, unmatched: Mapping[str, Unmatched], records: Mapping[Side, Record]
) -> datetime | None:
    """When an object got a word, by rule, that was not told of on its own side; None where none did."""
    options = {rule.name: rule.words.options for rule in desk.route.rules}
    unknown = {
        word.side
        for rule, word in unmatched.items()
        if word.side in options[rule] and word.word not in options[rule][word.side]
    }
    times = (records[side].modified_at - desk.route.end(side).offset for side in unknown)
    return max((at + LEEWAY for at in times), default=None)


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
