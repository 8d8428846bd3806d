"""Making a counterpart: what it shall hold, and what is settled once it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connectors.records import FieldKind, Record, Value
from sync.reconcile.carry import carry
from sync.reconcile.elements import COLLECTIONS, empty, words
from sync.reconcile.merge import equal, settle_after
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

    A value that did not arrive (an issue cannot be created closed, labels are dropped for lack of
    permission) is settled as if the source had held what now stands there: so the next plan sees an
    edit of the source and writes it, and a provider that drops it again is found out.
    """
    into = from_side.other
    rules = tuple(rules)
    sent = draft(rules, source, from_side, translation)
    pairs: dict[str, Pair] = {}
    for rule in rules:
        if rule.field(from_side) not in source.fields or rule.field(into) not in created.fields:
            continue
        given, answered = source.fields[rule.field(from_side)], created.fields[rule.field(into)]
        if rule.field(into) in sent and not _arrived(
            rule, into, sent[rule.field(into)], answered, translation
        ):
            given = carry(
                replace(rule, mode=Mode.OVERWRITE),
                from_side,
                answered,
                current=given,
                seen=None,
                translation=translation,
            )
        pairs[rule.name] = settle_after(rule, into, answered, given)
    return pairs


def _arrived(rule: Rule, into: Side, sent: Value, answered: Value, translation: Translation) -> bool:
    """Whether the provider took the value; what it made of a text is its own affair."""
    kind = rule.kind(into)
    if equal(rule, into, sent, answered, translation):
        return True
    if kind in COLLECTIONS:
        there = {word.casefold() for word in words(answered)}
        return all(word.casefold() in there for word in words(sent))
    return kind not in (FieldKind.STATE, FieldKind.CHOICE) and not empty(kind, answered)
