"""Making a counterpart: what it shall hold, and what is settled once it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connectors.records import FieldKind, Record, Value
from sync.reconcile.carry import carry
from sync.reconcile.elements import COLLECTIONS, empty, words
from sync.reconcile.merge import equal, lacking, settle_after
from sync.reconcile.model import Mode, Pair, Rule, Side, Translation


def draft(
    rules: Iterable[Rule], record: Record, from_side: Side, translation: Translation
) -> Mapping[str, Value]:
    """The fields to create the counterpart with, on the other side of ``from_side``; every mode counts."""
    into = from_side.other
    fields: dict[str, Value] = {}
    for rule in rules:
        if into not in rule.into or rule.field(from_side) not in record.fields:
            continue
        fields[rule.field(into)] = carry(
            rule,
            into,
            record.fields[rule.field(from_side)],
            current=fields.get(rule.field(into)),
            seen=None,
            translation=translation,
        )
    return fields


def pairs_after_create(
    rules: Iterable[Rule], source: Record, created: Record, from_side: Side, translation: Translation
) -> Mapping[str, Pair]:
    """What is settled after ``created`` was made from ``source``, which stands on ``from_side``.

    A value that did not arrive (a closed object that can only be made open, labels dropped for lack of
    permission) is settled as if the source had held what now stands there: so the next plan sees an
    edit of the source and writes it, and a provider that drops it again is found out. A label that was
    not in the draft is an edit of the new object, and reaches the source by the next plan.
    """
    into = from_side.other
    rules = tuple(rules)
    sent = draft(rules, source, from_side, translation)
    pairs: dict[str, Pair] = {}
    for rule in rules:
        here, there = rule.field(from_side), rule.field(into)
        if here not in source.fields or there not in created.fields:
            continue
        given, answered = source.fields[here], created.fields[there]
        if there in sent and not equal(rule, into, sent[there], answered, translation):
            if not _arrived(rule.kind(into), sent[there], answered):
                given = carry(
                    replace(rule, mode=Mode.OVERWRITE),
                    from_side,
                    answered,
                    current=given,
                    seen=None,
                    translation=translation,
                )
            answered = _asked_for(rule.kind(into), sent[there], answered)
        pairs[rule.name] = settle_after(rule, into, answered, given)
    return pairs


def _arrived(kind: FieldKind, sent: Value, answered: Value) -> bool:
    """Whether the provider took the value; what it made of a text or a label is its own affair."""
    if kind in COLLECTIONS:
        return len(lacking(words(sent), words(answered))) <= len(lacking(words(answered), words(sent)))
    return kind not in (FieldKind.STATE, FieldKind.CHOICE) and not empty(kind, answered)


def _asked_for(kind: FieldKind, sent: Value, answered: Value) -> Value:
    """The answer without labels on top of all those that were sent."""
    extra = lacking(words(answered), words(sent))
    if kind is not FieldKind.SET or lacking(words(sent), words(answered)):
        return answered
    return tuple(word for word in words(answered) if word not in extra)
