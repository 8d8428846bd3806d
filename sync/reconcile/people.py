"""Who stands for whom: one person on one side, a list on the other, and those whom nobody mapped.

A person whom the other side does not know cannot be shown there. Into the hub the mapping's fallback
stands in; into the other side nobody does, so nobody is ever assigned or mentioned by a guess. The
counterpart of an unmapped person is therefore an *unassigned* field, not the one who was assigned
before: leaving that one would show a person as responsible who is not. The settled pair then says
"unmapped here", and nothing moves until a person edits.

The other way round, whoever only one side knows is kept there as long as the other side says "nobody"
(or shows the fallback), which is all it can know about that person.
"""

from __future__ import annotations

from connectors.records import FieldKind, Value
from sync.reconcile.elements import words
from sync.reconcile.model import Pair, Rule, Side, Translation


def carry_people(
    rule: Rule, into: Side, value: Value, *, current: Value, seen: Pair | None, translation: Translation
) -> Value:
    """What the people field on ``into`` shall hold so that it stands for ``value`` of the other side."""
    if rule.kind(into) is FieldKind.PERSON:
        return _one(rule, into, value, current=current, seen=seen, translation=translation)
    if rule.kind(into.other) is FieldKind.PERSON:
        return _put_first(rule, into, value, current=current, seen=seen, translation=translation)
    to_here, to_there = translation.people.into(into), translation.people.into(into.other)
    wanted = [to_here[person] for person in words(value) if person in to_here]
    kept = [person for person in words(current) if person in wanted or person not in to_there]
    return tuple(dict.fromkeys([*kept, *wanted]))


def stands_for(
    rule: Rule, into: Side, value: Value, *, seen: Pair | None, translation: Translation
) -> str | None:
    """The one person on ``into`` for a value of the other side: the first mapped one of a list.

    Where the settled pair shows another than the first, the provider orders its list by itself; then
    the settled one stays as long as it is listed.
    """
    listed = words(value)
    mapped = _mapped(listed, into, translation)
    if not mapped:
        return translation.people.fallback if listed and into is Side.HUB else None
    if seen is not None:
        settled = seen.of(into)
        first = _mapped(words(seen.of(into.other)), into, translation)[:1]
        if settled in mapped and first != [settled]:
            return str(settled)
    return mapped[0]


def _mapped(listed: tuple[str, ...], into: Side, translation: Translation) -> list[str]:
    known = translation.people.into(into)
    return [known[person] for person in listed if person in known]


def _one(
    rule: Rule, into: Side, value: Value, *, current: Value, seen: Pair | None, translation: Translation
) -> Value:
    person = stands_for(rule, into, value, seen=seen, translation=translation)
    here = words(current)
    if here and here[0] not in translation.people.into(into.other):
        stand_in = translation.people.fallback if into is Side.EXTERNAL else None
        if person is None or words(value)[0] == stand_in:
            return current
    return person


def _put_first(
    rule: Rule, into: Side, value: Value, *, current: Value, seen: Pair | None, translation: Translation
) -> Value:
    """Replace the one of the list who is the person over there; all others stay."""
    listed = words(current)
    there = next(iter(words(value)), None)
    if stands_for(rule, into.other, current, seen=seen, translation=translation) == there:
        return listed
    person = stands_for(rule, into, value, seen=seen, translation=translation)
    leaving = _leaving(rule, into, listed, seen=seen, translation=translation)
    at = listed.index(leaving) if leaving is not None else 0
    rest = [who for who in listed if who not in (leaving, person)]
    if person is None:
        return tuple(rest)
    return (*rest[:at], person, *rest[at:])


def _leaving(
    rule: Rule, into: Side, listed: tuple[str, ...], *, seen: Pair | None, translation: Translation
) -> str | None:
    """Who of the list was the person over there, and so makes room; None if that one is not in it.

    A list that was edited since it was settled shows its own choice in its first mapped person.
    """
    known = translation.people.into(into.other)
    first = next((who for who in listed if who in known), None)
    if seen is None:
        return first
    settled = next(iter(words(seen.of(into.other))), "")
    counterpart = translation.people.into(into).get(settled)
    if counterpart in listed:
        return counterpart
    return None if frozenset(listed) == frozenset(words(seen.of(into))) else first
