"""Three-way on one field: who changed it, do both sides agree, and what merged sets look like."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.records import SECTION, FieldKind, Value
from sync.reconcile.carry import carry
from sync.reconcile.elements import (
    COLLECTIONS,
    WHO,
    across,
    counterparts,
    distinct,
    is_apart,
    normal,
    offered,
    one,
    words,
)
from sync.reconcile.model import FieldWrite, Linked, Mode, Pair, Rule, Same, Side, Translation
from sync.reconcile.words import NoCounterpart


def equal(rule: Rule, side: Side, sent: Value, read: Value, translation: Translation) -> bool:
    """Whether ``read`` is ``sent`` as that side may show it."""
    kind = rule.kind(side)
    return normal(kind, sent) == normal(kind, read) or translation.same[side](rule.field(side), sent, read)


def changed(rule: Rule, side: Side, value: Value, seen: Pair | None, translation: Translation) -> bool:
    """Whether a person edited the field on that side; the provider's own rewriting is no edit."""
    return seen is None or not equal(rule, side, seen.of(side), value, translation)


def agree(rule: Rule, now: Pair, seen: Pair | None, translation: Translation) -> bool:
    """Whether both sides stand for one value already.

    One way is enough where a side holds less than the other; people must agree both ways, since
    "nobody" also is all that a side can say about a person it does not know.
    """
    found = [_stands(rule, side, now, seen, translation) for side in Side]
    return all(found) if rule.hub_kind in WHO else any(found)


def _stands(rule: Rule, into: Side, now: Pair, seen: Pair | None, translation: Translation) -> bool:
    value, current = now.of(into.other), now.of(into)
    if rule.kind(into) is FieldKind.MARKDOWN and equal(rule, into, value, current, translation):
        return True
    try:
        carried = carry(rule, into, value, current=current, seen=seen, translation=translation)
        if _moved_unsaid(rule, into, now, seen, translation):
            return False
    except NoCounterpart:
        return False
    return equal(rule, into, carried, current, translation)


def _moved_unsaid(rule: Rule, into: Side, now: Pair, seen: Pair | None, translation: Translation) -> bool:
    """Whether an object was moved to another section, and the other side says nothing of sections.

    Nothing said goes with every section: the move would be taken for known, and never be carried.
    """
    if rule.field(into) != SECTION or seen is None:
        return False
    said = carry(rule, into, now.of(into.other), current=None, seen=seen, translation=translation)
    return said is None and changed(rule, into, now.of(into), seen, translation)


def by_element(rule: Rule) -> bool:
    """Whether the field merges element by element: sets and lists, or whatever is appended to one."""
    sides = rule.into if rule.mode is Mode.APPEND else frozenset(Side)
    return rule.mode is not Mode.IF_EMPTY and all(rule.kind(side) in COLLECTIONS for side in sides)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What a person did to the elements of one side."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


def merge_elements(rule: Rule, now: Pair, seen: Pair | None, translation: Translation) -> Pair:
    """What both sides shall hold: each with the additions and removals of the other.

    An element keeps the spelling of the side where it stands; what only one side knows stays there.
    An addition beats a removal of the same element.
    """
    edits = {side: _edit(rule, side, now.of(side), seen, translation) for side in Side}
    return Pair(
        hub=_merged(rule, Side.HUB, now, edits[Side.HUB], edits[Side.EXTERNAL], translation),
        external=_merged(rule, Side.EXTERNAL, now, edits[Side.EXTERNAL], edits[Side.HUB], translation),
    )


def _edit(rule: Rule, side: Side, value: Value, seen: Pair | None, translation: Translation) -> _Edit:
    if not changed(rule, side, value, seen, translation):
        return _Edit((), ())
    now = offered(rule, side, value, translation)
    before = offered(rule, side, seen.of(side), translation) if seen is not None else ()
    kind = rule.kind(side)
    added, removed = lacking(now, before, kind), lacking(before, now, kind)
    return _Edit(added, () if rule.mode is Mode.APPEND else removed)


def lacking(
    some: tuple[str, ...], others: tuple[str, ...], kind: FieldKind = FieldKind.SET
) -> tuple[str, ...]:
    """Those that are not among the others."""
    known = {distinct(kind, word) for word in others}
    return tuple(word for word in some if distinct(kind, word) not in known)


def _merged(rule: Rule, side: Side, now: Pair, mine: _Edit, theirs: _Edit, translation: Translation) -> Value:
    def stands_in(word: str, others: tuple[str, ...]) -> bool:
        return any(one(rule, side, word, other, translation) for other in others)

    listed = words(now.of(side))
    kept = [
        word
        for word in listed
        if word in mine.added
        or not stands_in(word, theirs.removed)
        or stands_in(word, words(now.of(side.other)))
    ]
    new: dict[str, str] = {}
    for other in theirs.added:
        if any(one(rule, side, word, other, translation) for word in kept):
            continue
        carried = across(rule, side, other, translation)
        if carried is not None:
            new.setdefault(distinct(rule.kind(side), carried), carried)
    if len(kept) == len(listed) and not new:
        return now.of(side)
    held = [*kept, *new.values()]
    return tuple(held) if rule.kind(side) in WHO else tuple(sorted(held))


def settle_one_half(rule: Rule, now: Pair, seen: Pair | None, translation: Translation) -> Pair:
    """The pair to settle when a merge of both sides was written to one of them alone.

    What stands on both sides is settled: what the one got from the other is no addition of its own. What
    stands on one side alone is as it was: an addition or a removal that the other has yet to get.
    """

    def stands(side: Side, word: str, on: Side) -> bool:
        if on is side:
            return not lacking((word,), words(now.of(on)), rule.kind(on))
        return any(one(rule, side, word, other, translation) for other in words(now.of(on)))

    def half(side: Side) -> tuple[str, ...]:
        both = [word for word in words(now.of(side)) if stands(side, word, side.other)]
        before = words(seen.of(side)) if seen is not None else ()
        return (
            *both,
            *(word for word in before if stands(side, word, side) != stands(side, word, side.other)),
        )

    return Pair(hub=half(Side.HUB), external=half(Side.EXTERNAL))


def settle_after(rule: Rule, into: Side, answered: Value, other_read: Value) -> Pair:
    """The pair to settle after a write into that side.

    Its half is what the provider returned for the field, the other half what the plan had read. That
    holds for every kind of field, whatever ``rule`` is.
    """
    return Pair(answered, other_read) if into is Side.HUB else Pair(other_read, answered)


def unsaid(rule: Rule, side: Side, value: Value) -> tuple[str, ...]:
    """The options that are chosen on a side while nothing stands for them among those of the other."""
    if not all(rule.kind(each) is FieldKind.SET and each in rule.words.options for each in Side):
        return ()
    return tuple(
        word
        for word in words(value)
        if not counterparts(rule, side.other, word) and not is_apart(rule, side, word)
    )


def said_alone(rule: Rule, pair: Pair) -> Pair:
    """What of a pair is settled: options that nothing stands for are not, so that they count as added once
    something does."""
    without = {side: unsaid(rule, side, pair.of(side)) for side in Side}
    if not by_element(rule) or not any(without.values()):
        return pair
    return Pair(*(lacking(words(pair.of(side)), without[side]) for side in Side))


def linked_alone(rule: Rule, pair: Pair, linked: Linked) -> Pair:
    """The same with objects that have no counterpart yet."""
    if rule.hub_kind is not FieldKind.OBJECTS:
        return said_alone(rule, pair)
    known = {side: linked.get(side.other, {}) for side in Side}
    hub, external = (tuple(id for id in words(pair.of(side)) if id in known[side]) for side in Side)
    return Pair(hub, external)


def exactly(_field: str, sent: Value, read: Value) -> bool:
    """The comparison of a provider that rewrites nothing."""
    return sent == read


def own_part(kind: FieldKind, write: FieldWrite, answered: Value, same: Same = exactly) -> Value:
    """What of an answer is our write as the provider keeps it; what differs from it is a new edit.

    In a set every element tells whose it is: one that was neither there nor sent was added by a person, one
    that was there, was sent and is missing was removed by one. Another value that cannot be made of what
    was sent was put there by a person, too, unless it was only cut. Rich text is believed as it comes:
    nobody knows all that a provider makes of it.
    """
    if isinstance(answered, tuple) and isinstance(write.value, tuple):
        before = write.before if isinstance(write.before, tuple) else ()
        ours = {element.casefold() for element in (*write.value, *before)}
        there = {element.casefold() for element in answered}
        kept = [element for element in answered if element.casefold() in ours]
        was = {element.casefold() for element in before}
        kept += [one for one in write.value if one.casefold() in was and one.casefold() not in there]
        return tuple(kept) if set(kept) != set(answered) else answered
    is_cut = isinstance(answered, str) and answered != "" and str(write.value).startswith(answered)
    as_sent = kind is FieldKind.MARKDOWN or is_cut or same(write.field, write.value, answered)
    return answered if as_sent else write.value


def dropped(write: FieldWrite, answered: Value, same: Same = exactly) -> bool:
    """Whether the provider said yes and left the field as it was, although something else was sent."""
    return same(write.field, write.before, answered) and not same(write.field, write.value, answered)
