"""Carrying a value across: what the target shall hold, given what stands there.

A lens, not a conversion: the target may know more than the source can say (further assignees, people
nobody mapped, Markdown the other side cannot hold), and that survives.
"""

from __future__ import annotations

from connectors.records import FieldKind, Value
from connectors.richtext import mentions
from connectors.richtext.carry import carry_over
from sync.reconcile.elements import COLLECTIONS, WHO, across, empty, offered, words
from sync.reconcile.model import Mode, Pair, Rule, Side, Translation
from sync.reconcile.people import carry_people


def carry(
    rule: Rule, into: Side, value: Value, *, current: Value, seen: Pair | None, translation: Translation
) -> Value:
    """What the field on ``into`` shall hold so that it stands for ``value`` of the other side.

    ``current`` stands there now, ``seen`` is the pair settled last. The mode is obeyed: ``append``
    adds elements and removes none, and like ``if_empty`` it leaves a single value that is there.
    """
    kind = rule.kind(into)
    if rule.mode is Mode.APPEND and kind in COLLECTIONS:
        return _appended(rule, into, value, current=current, translation=translation)
    if rule.mode in (Mode.APPEND, Mode.IF_EMPTY) and not empty(kind, current):
        return current
    if kind in WHO:
        return carry_people(rule, into, value, current=current, seen=seen, translation=translation)
    if kind is FieldKind.SET:
        return _spelled(rule, into, value, current=current, translation=translation)
    if rule.kind(into.other) is FieldKind.MARKDOWN:
        return _prose(rule, into, value, seen=seen, translation=translation)
    return across(rule, into, value, translation) if isinstance(value, str) else value


def _prose(rule: Rule, into: Side, value: Value, *, seen: Pair | None, translation: Translation) -> Value:
    """Markdown with the people whom it mentions; a field of plain text only names them."""
    if rule.kind(into) is not FieldKind.MARKDOWN:
        return across(rule, into, mentions.translated(_text(value), {}), translation)
    if seen is None:
        return told(value, into, translation) if isinstance(value, str) else value

    def shown(block: str) -> str:
        back = mentions.unlabelled(told(block, into.other, translation))
        return translation.through[into.other](back)

    return carry_over(
        old_source=_text(seen.of(into)),
        old_other=told(_text(seen.of(into.other)), into, translation),
        new_other=told(_text(value), into, translation),
        through=shown,
    )


def told(text: str, into: Side, translation: Translation) -> str:
    """Markdown of the other side with its mentions as those of ``into``."""
    return mentions.translated(text, translation.people.into(into))


def _appended(
    rule: Rule, into: Side, value: Value, *, current: Value, translation: Translation
) -> tuple[str, ...]:
    """The target's elements, and those of the source that it lacks."""
    listed = list(words(current))
    for word in offered(rule, into.other, value, translation):
        carried = across(rule, into, word, translation)
        if carried is not None and carried.casefold() not in {there.casefold() for there in listed}:
            listed.append(carried)
    return tuple(sorted(listed)) if rule.kind(into) is FieldKind.SET else tuple(listed)


def _spelled(
    rule: Rule, into: Side, value: Value, *, current: Value, translation: Translation
) -> tuple[str, ...]:
    """The source's elements in the target's words, spelled as they stand there already."""
    spelling = {word.casefold(): word for word in words(current)}
    carried = {str(across(rule, into, word, translation)) for word in words(value)}
    return tuple(sorted({spelling.get(word.casefold(), word) for word in carried}))


def _text(value: Value) -> str:
    return "" if value is None else str(value)
