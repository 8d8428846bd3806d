"""Carrying a value across: what the target shall hold, given what stands there.

A lens, not a conversion: the target may know more than the source can say (further assignees, people
nobody mapped, Markdown the other side cannot hold), and that survives.
"""

from __future__ import annotations

from connectors.records import SECTION, FieldKind, Value
from connectors.richtext import mentions
from connectors.richtext.carry import carry_over
from sync.reconcile.dates import carry_date
from sync.reconcile.elements import (
    COLLECTIONS,
    WHO,
    across,
    counterparts,
    distinct,
    empty,
    is_apart,
    offered,
    words,
)
from sync.reconcile.frames import settled_frame, without_frame
from sync.reconcile.model import Mode, Pair, Rule, Side, Translation
from sync.reconcile.people import carry_people
from sync.reconcile.shown import choice_shown, set_showing
from sync.reconcile.words import NoCounterpart


def carry(
    rule: Rule, into: Side, value: Value, *, current: Value, seen: Pair | None, translation: Translation
) -> Value:
    """What the field on ``into`` shall hold so that it stands for ``value`` of the other side.

    ``current`` stands there now, ``seen`` is the pair settled last. The mode is obeyed: ``append``
    adds elements and removes none, and like ``if_empty`` it leaves a single value that is there.

    Raises:
        NoCounterpart: nothing there stands for the value, and a person has to say what does.
    """
    carried = _carried(rule, into, value, current=current, seen=seen, translation=translation)
    # whatever lies in a container lies in one of its sections: nothing said is nothing to do
    return current if carried is None and rule.field(into) == SECTION else carried


def _carried(
    rule: Rule, into: Side, value: Value, *, current: Value, seen: Pair | None, translation: Translation
) -> Value:
    kind, other = rule.kind(into), rule.kind(into.other)
    if rule.mode is Mode.APPEND and kind in COLLECTIONS:
        return _appended(rule, into, value, current=current, translation=translation)
    if rule.mode in (Mode.APPEND, Mode.IF_EMPTY) and not empty(kind, current):
        return current
    if kind is FieldKind.OBJECT:
        return _counterpart(into, value, translation)
    if kind is FieldKind.OBJECTS:
        found = (across(rule, into, id, translation) for id in words(value))
        return tuple(sorted(id for id in found if id is not None))
    if kind in WHO:
        return carry_people(rule, into, value, current=current, seen=seen, translation=translation)
    if kind is FieldKind.SET:
        if other is FieldKind.CHOICE:
            return set_showing(rule, into, value, current)
        return _spelled(rule, into, value, current=current, translation=translation)
    if kind is FieldKind.CHOICE and other is FieldKind.SET:
        return choice_shown(rule, into, value, current)
    if kind is other is FieldKind.DATE:
        whole = into.other in rule.times
        return carry_date(value, current, translation.zone, times=into in rule.times, whole=whole)
    if other is FieldKind.MARKDOWN:
        return _prose(rule, into, value, current=current, seen=seen, translation=translation)
    if rule.frame is not None:
        return _framed(rule, into, _text(value), current=_text(current), seen=seen)
    return _word(rule, into, value, current=current)


def _counterpart(into: Side, value: Value, translation: Translation) -> Value:
    """The object on ``into`` that stands for one of the other side, which may have none (yet)."""
    if value is None:
        return None
    found = translation.linked.get(into, {}).get(str(value))
    if found is None:
        raise NoCounterpart(into.other, str(value))
    return found.id


def _word(rule: Rule, into: Side, value: Value, *, current: Value) -> Value:
    """A single value, in the words of ``into``; what stands there stays if it is one of those meant."""
    kinds = rule.kind(into.other), rule.kind(into)
    if value is None:  # no choice says nothing about a state, which is never empty
        return current if kinds == (FieldKind.CHOICE, FieldKind.STATE) else None
    if not isinstance(value, str):
        return f"{value:.15g}" if kinds == (FieldKind.NUMBER, FieldKind.TEXT) else value
    meant = counterparts(rule, into, value)
    if not meant:
        raise NoCounterpart(into.other, value)
    return current if current in meant else meant[0]


def _framed(rule: Rule, into: Side, value: str, *, current: str, seen: Pair | None) -> str:
    """A title with its frame into the hub, and without it to the other side."""
    assert rule.frame is not None
    before = settled_frame(_text(seen.hub), _text(seen.external)) if seen is not None else None
    frames = (rule.frame, before) if before is not None else (rule.frame,)
    if into is Side.EXTERNAL:
        return without_frame(value, frames, current)
    return current if without_frame(current, frames, value) == value else rule.frame.around(value)


def _prose(
    rule: Rule, into: Side, value: Value, *, current: Value, seen: Pair | None, translation: Translation
) -> Value:
    """Markdown with the people whom it mentions; a field of plain text only names them."""
    if rule.kind(into) is not FieldKind.MARKDOWN:
        return _word(rule, into, mentions.translated(_text(value), {}), current=current)
    if seen is None:
        return retold(value, into, translation) if isinstance(value, str) else value

    def shown(block: str) -> str:
        back = mentions.unlabelled(retold(block, into.other, translation))
        return translation.through[into.other](back)

    return carry_over(
        old_source=_text(seen.of(into)),
        old_other=retold(_text(seen.of(into.other)), into, translation),
        new_other=retold(_text(value), into, translation),
        through=shown,
    )


def retold(text: str, into: Side, translation: Translation) -> str:
    """Markdown of the other side with its mentions as those of ``into``."""
    return mentions.translated(text, translation.people.into(into))


def _appended(
    rule: Rule, into: Side, value: Value, *, current: Value, translation: Translation
) -> tuple[str, ...]:
    """The target's elements, and those of the source that it lacks."""
    listed = list(words(current))
    kind = rule.kind(into)
    for word in offered(rule, into.other, value, translation):
        carried = across(rule, into, word, translation)
        if carried is not None and distinct(kind, carried) not in {distinct(kind, one) for one in listed}:
            listed.append(carried)
    return tuple(listed) if kind in WHO else tuple(sorted(listed))


def _spelled(
    rule: Rule, into: Side, value: Value, *, current: Value, translation: Translation
) -> tuple[str, ...]:
    """The source's elements in the target's words, spelled as they stand there already.

    What another rule keeps in step stays.
    """
    spelling = {word.casefold(): word for word in words(current)}
    offers = (across(rule, into, word, translation) for word in offered(rule, into.other, value, translation))
    carried = {spelling.get(word.casefold(), word) for word in offers if word is not None}
    return tuple(sorted(carried | {word for word in words(current) if is_apart(rule, into, word)}))


def _text(value: Value) -> str:
    return "" if value is None else str(value)
