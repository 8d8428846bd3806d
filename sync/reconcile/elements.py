"""Values as elements: what a set or a list of people is made of, and when two elements are one."""

from __future__ import annotations

from collections.abc import Hashable

from connectors.records import FieldKind, Value
from sync.reconcile.dates import instant, is_moment
from sync.reconcile.model import Mode, Rule, Side, Translation

COLLECTIONS = frozenset({FieldKind.SET, FieldKind.PEOPLE, FieldKind.OBJECTS})
WHO = frozenset({FieldKind.PERSON, FieldKind.PEOPLE})
NAMING = frozenset({FieldKind.OBJECT, FieldKind.OBJECTS})
"""Kinds whose values are ids of other objects, each of which has a counterpart once it is linked."""

_ASSIGNEE = "assignee"
"""The neutral name of the field whose first person is *the* assignee; the others are further ones."""


def words(value: Value) -> tuple[str, ...]:
    """The elements of a value: a single one has itself, an empty one none."""
    if isinstance(value, tuple):
        return value
    return () if value is None or value == "" else (str(value),)


def distinct(kind: FieldKind, word: str) -> str:
    """What tells an element from others: labels are one in any case of letters, ids are not."""
    return word if kind is FieldKind.OBJECTS else word.casefold()


def empty(kind: FieldKind, value: Value) -> bool:
    """Whether a value gives way to any other one on first sync. A state is never empty."""
    return kind is not FieldKind.STATE and (value is None or value in ("", ()))


def normal(kind: FieldKind, value: Value) -> Hashable:
    """The value without what no person means by an edit: case and order of labels, order of people."""
    if kind is FieldKind.SET:
        return frozenset(word.casefold() for word in words(value))
    if kind in (FieldKind.PEOPLE, FieldKind.OBJECTS):
        return frozenset(words(value))
    if value is None and kind in (FieldKind.TEXT, FieldKind.MARKDOWN):
        return ""
    if kind is FieldKind.DATE and is_moment(value):
        return instant(str(value))
    return value


def offered(rule: Rule, side: Side, value: Value, translation: Translation) -> tuple[str, ...]:
    """The elements that a side offers to the other: not those that another rule keeps in step.

    Where assignees are appended to another field (followers), the first mapped one stays out: that
    one is the assignee over there.
    """
    listed = tuple(word for word in words(value) if not _apart(rule, side, word))
    further = rule.field(side) == _ASSIGNEE and rule.field(side.other) != _ASSIGNEE
    if rule.mode is Mode.APPEND and further:
        known = translation.people.into(side.other)
        first = next((person for person in listed if person in known), None)
        return tuple(person for person in listed if person != first)
    return listed


def across(rule: Rule, into: Side, word: str, translation: Translation) -> str | None:
    """An element of the other side in the words of ``into``; None where nothing stands for it there."""
    if rule.kind(into) in WHO:
        return translation.people.into(into).get(word)
    if rule.kind(into) in NAMING:
        found = translation.linked.get(into, {}).get(word)
        return found.id if found is not None else None
    return next(iter(counterparts(rule, into, word)), None)


def counterparts(rule: Rule, into: Side, word: str) -> tuple[str, ...]:
    """What stands on ``into`` for a word of the other side, the preferred one first.

    A word that nobody listed stands for itself, unless one side names its options by ids, or ``into``
    holds its options alone: then nothing does.
    """
    listed = rule.words.of(word, into)
    ids = rule.kind(into.other) is FieldKind.CHOICE and into.other in rule.words.options
    return listed if listed or ids or into in rule.words.options else (word,)


def is_apart(rule: Rule, side: Side, word: str) -> bool:
    """Whether another rule keeps the word in step."""
    return word.casefold() in rule.apart.get(side, ())


def _apart(rule: Rule, side: Side, word: str) -> bool:
    """Whether the word, or what it would become, is another rule's."""
    there = counterparts(rule, side.other, word) if rule.apart and rule.kind(side) is FieldKind.SET else ()
    return is_apart(rule, side, word) or any(is_apart(rule, side.other, each) for each in there)


def one(rule: Rule, side: Side, here: str, there: str, translation: Translation) -> bool:
    """Whether ``here`` (on ``side``) and ``there`` (on the other) are one element.

    Labels are one whatever their case, and also where one is what a provider makes of the other.
    """
    return _leads_to(rule, side, there, here, translation) or _leads_to(
        rule, side.other, here, there, translation
    )


def _leads_to(rule: Rule, into: Side, word: str, standing: str, translation: Translation) -> bool:
    carried = across(rule, into, word, translation)
    if carried is None or rule.kind(into) in WHO | NAMING:
        return carried == standing
    if carried.casefold() == standing.casefold():
        return True
    same = translation.same[into]
    return rule.kind(into) is FieldKind.SET and same(rule.field(into), (carried,), (standing,))
