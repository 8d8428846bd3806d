"""A choice shown by words of a set: a priority as one of the labels, a status as one of the tags.

Listed words stand for the choice, all others are nobody's business. Where several listed ones stand
there at once, the first of the map counts and the others are left.
"""

from __future__ import annotations

from connectors.records import Value
from sync.reconcile.elements import counterparts, words
from sync.reconcile.model import Rule
from sync.reconcile.sides import Side
from sync.reconcile.words import NoCounterpart


def choice_shown(rule: Rule, into: Side, value: Value, current: Value) -> Value:
    """The choice on ``into`` that the other side's set shows; None where it shows none."""
    there = {word.casefold() for word in words(value)}
    first = next((word for word in rule.words.on(into.other) if word.casefold() in there), None)
    if first is None:
        return None
    meant = rule.words.of(first, into)
    return current if current in meant else meant[0]


def set_showing(rule: Rule, into: Side, value: Value, current: Value) -> Value:
    """The set on ``into`` with what it takes to show the other side's choice.

    Raises:
        NoCounterpart: no word stands for the choice.
    """
    if choice_shown(rule, into.other, current, value) == value:
        return current
    order = {word.casefold(): at for at, word in enumerate(rule.words.on(into))}
    listed = [word for word in words(current) if word.casefold() in order]
    if value is None:
        return tuple(word for word in words(current) if word not in listed)
    meant = counterparts(rule, into, str(value))
    if not meant:
        raise NoCounterpart(into.other, str(value))
    standing = next((word for word in listed if word.casefold() in {each.casefold() for each in meant}), None)
    wanted = standing or meant[0]
    shown = min(listed, key=lambda word: order[word.casefold()], default=None)
    leaving = {word for word in listed if order[word.casefold()] < order[wanted.casefold()]} | {shown}
    kept = [word for word in words(current) if word not in leaving - {wanted}]
    return tuple(sorted({*kept, wanted}))
