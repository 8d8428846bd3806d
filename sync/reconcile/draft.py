"""Making a counterpart: what it shall hold, and what is settled once it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connectors.records import OPEN, FieldKind, Record, Value
from sync.reconcile.carry import carry
from sync.reconcile.elements import COLLECTIONS, NAMING, empty, words
from sync.reconcile.merge import equal, lacking, said_alone, settle_after
from sync.reconcile.model import Mode, Pair, Rule, Side, Translation
from sync.reconcile.words import NoCounterpart


def draft(
    rules: Iterable[Rule], record: Record, from_side: Side, translation: Translation
) -> Mapping[str, Value]:
    """The fields to create the counterpart with, on the other side of ``from_side``; every mode counts.

    A value that nothing stands for is left out: the first plan of the link tells of it.
    """
    return _draft(rules, record, from_side, translation)[0]


def _draft(
    rules: Iterable[Rule], record: Record, from_side: Side, translation: Translation
) -> tuple[dict[str, Value], set[str]]:
    """The fields, and the names of the rules that had to leave theirs out."""
    into = from_side.other
    fields: dict[str, Value] = {}
    unmatched: set[str] = set()
    for rule in rules:
        name, source = rule.field(into), rule.field(from_side)
        if into not in rule.into or source not in record.fields:
            continue
        if rule.kind(into) in NAMING:
            unmatched.add(rule.name)  # the objects that it names are written once it is there
            continue
        bound = rule.framed(record) if from_side is Side.EXTERNAL else rule
        value, current = record.fields[source], fields.get(name)
        try:
            carried = carry(bound, into, value, current=current, seen=None, translation=translation)
        except NoCounterpart:
            unmatched.add(rule.name)
            continue
        if carried is not None or rule.kind(into) is not FieldKind.STATE:
            fields[name] = carried
    return fields, unmatched


def pairs_after_create(
    rules: Iterable[Rule], source: Record, created: Record, from_side: Side, translation: Translation
) -> Mapping[str, Pair]:
    """What is settled after ``created`` was made from ``source``, which stands on ``from_side``.

    A value that did not arrive (a closed object that can only be made open, labels dropped for lack of
    permission) is settled as if the source had held what now stands there: so the next plan sees an
    edit of the source and writes it, and a provider that drops it again is found out. A label that was
    not in the draft is an edit of the new object, and reaches the source by the next plan. What nothing
    stands for is not settled.
    """
    into = from_side.other
    rules = tuple(rules)
    sent, unmatched = _draft(rules, source, from_side, translation)
    pairs: dict[str, Pair] = {}
    for rule in rules:
        here, there = rule.field(from_side), rule.field(into)
        if here not in source.fields or there not in created.fields or rule.name in unmatched:
            continue
        given, answered = source.fields[here], created.fields[there]
        if there in sent and not equal(rule, into, sent[there], answered, translation):
            if not _arrived(rule.kind(into), sent[there], answered):
                back = replace(rule, mode=Mode.OVERWRITE)
                try:
                    given = carry(
                        back, from_side, answered, current=given, seen=None, translation=translation
                    )
                except NoCounterpart:
                    continue  # what stands there instead is nothing over here: the first plan compares
            answered = _asked_for(rule.kind(into), sent[there], answered)
        pairs[rule.name] = said_alone(rule, settle_after(rule, into, answered, given))
    return pairs


_EXACT = (FieldKind.STATE, FieldKind.CHOICE, FieldKind.NUMBER, FieldKind.DATE)
"""Kinds of which another value than the one that was sent is not a provider's spelling of it."""


def _arrived(kind: FieldKind, sent: Value, answered: Value) -> bool:
    """Whether the provider took the value; what it made of a text or a label is its own affair."""
    if kind in COLLECTIONS:
        return len(lacking(words(sent), words(answered))) <= len(lacking(words(answered), words(sent)))
    return kind not in _EXACT and not empty(kind, answered)


def _asked_for(kind: FieldKind, sent: Value, answered: Value) -> Value:
    """The answer without labels on top of all those that were sent."""
    extra = lacking(words(answered), words(sent))
    if kind is not FieldKind.SET or lacking(words(sent), words(answered)):
        return answered
    return tuple(word for word in words(answered) if word not in extra)


def left_by_us(kind: FieldKind, sent: Value, found: Value) -> Value:
    """What a creation whose answer was lost made of a field, without what people did to it since.

    A text is what was sent, though the provider may have rewritten it. Where nothing was sent, and nothing
    is missing of what was, the rest of what is found is an edit. Anything else may not have arrived.
    """
    if kind in (FieldKind.TEXT, FieldKind.MARKDOWN):
        return sent
    if kind in COLLECTIONS:
        return found if lacking(words(sent), words(found)) else sent
    return sent if empty(kind, sent) or (kind is FieldKind.STATE and sent == OPEN) else found
