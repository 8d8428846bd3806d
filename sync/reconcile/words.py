"""Words that stand for each other: what the options of a choice, a state or a set mean on the other side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from connectors.records import CLOSED, OPEN, FieldKind, FieldSpec
from sync.reconcile.sides import Side

WORDED = frozenset({FieldKind.TEXT, FieldKind.STATE, FieldKind.CHOICE, FieldKind.SET})
"""Kinds whose values are words that a value map can pair."""


class NoCounterpart(Exception):
    """Nothing on the other side stands for this word, which stands on ``side``."""

    def __init__(self, side: Side, word: str) -> None:
        super().__init__(word)
        self.side = side
        self.word = word


@dataclass(frozen=True)
class Words:
    """Which words of the two sides stand for each other.

    ``pairs``: (hub word, external word), the preferred ones first: several of one side may stand for one
    of the other. ``options``: word -> name, for sides that hold nothing else.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    options: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)

    def of(self, word: str, into: Side) -> tuple[str, ...]:
        """The words on that side that are paired with one of the other, in any case of letters."""
        return self._tables[into].get(word.casefold(), ())

    def on(self, side: Side) -> tuple[str, ...]:
        """The paired words of that side, in order."""
        return tuple(dict.fromkeys(_word(pair, side) for pair in self.pairs))

    def name(self, side: Side, word: str) -> str:
        """How people call the word."""
        return self.options.get(side, {}).get(word, word)

    @cached_property
    def _tables(self) -> Mapping[Side, Mapping[str, tuple[str, ...]]]:
        tables: dict[Side, dict[str, tuple[str, ...]]] = {side: {} for side in Side}
        for pair in self.pairs:
            for into, table in tables.items():
                there = _word(pair, into.other).casefold()
                table[there] = tuple(dict.fromkeys((*table.get(there, ()), _word(pair, into))))
        return tables


def _word(pair: tuple[str, str], side: Side) -> str:
    return pair[0] if side is Side.HUB else pair[1]


def words_of(values: Mapping[str, Sequence[str]], hub: FieldSpec, external: FieldSpec) -> Words:
    """The words of two fields: by the value map, and by their names where it says nothing.

    Args:
        values: hub option -> external ones, each by its id or name.
    """
    if not {hub.kind, external.kind} <= WORDED:
        return Words()
    here, there = options_of(hub), options_of(external)
    pairs = [
        (_resolved(word, here), _resolved(other, there))
        for word, others in values.items()
        for other in others
    ]
    listed = [{pair[0] for pair in pairs}, {pair[1] for pair in pairs}]
    for pair in _alike(here, there):
        if here is not None and pair[0] not in listed[0]:  # before those that only share its counterpart
            pairs.insert(
                next((at for at, other in enumerate(pairs) if other[1] == pair[1]), len(pairs)), pair
            )
        elif there is not None and pair[1] not in listed[1]:
            pairs.append(pair)
    known = {Side.HUB: here, Side.EXTERNAL: there}
    return Words(tuple(pairs), {side: words for side, words in known.items() if words is not None})


def options_of(spec: FieldSpec) -> Mapping[str, str] | None:
    """Word -> name of all that the field can hold; None where that is anything. A set holds names."""
    if spec.kind is FieldKind.STATE:
        return {OPEN: OPEN, CLOSED: CLOSED}
    if spec.kind is FieldKind.CHOICE:
        return spec.options
    if spec.kind is FieldKind.SET and spec.options:
        return {name: name for name in spec.options.values()}
    return None


def found_in(word: str, spec: FieldSpec) -> str | None:
    """The word of the field that is meant by an id or a name; None where there is no such option."""
    options = options_of(spec)
    if options is None:
        return word
    word = spec.options.get(word, word) if spec.kind is FieldKind.SET else word
    if word in options:
        return word
    return next((known for known, name in options.items() if plain(name) == plain(word)), None)


def plain(name: str) -> str:
    """A name without what two tools spell differently: case and spaces."""
    return "".join(name.split()).casefold()


def without_counterpart(words: Words, side: Side) -> list[str]:
    """The names of that side's options which stand for nothing on the other side."""
    paired = set(words.on(side))
    return [name for word, name in words.options.get(side, {}).items() if word not in paired]


def _resolved(word: str, options: Mapping[str, str] | None) -> str:
    if options is None or word in options:
        return word
    return next((known for known, name in options.items() if plain(name) == plain(word)), word)


def _alike(here: Mapping[str, str] | None, there: Mapping[str, str] | None) -> Iterable[tuple[str, str]]:
    """Options of one name; where a side holds any word, the other side's name is its word."""
    if here is None and there is None:
        return []
    if there is None:
        return [(word, name) for word, name in (here or {}).items()]
    if here is None:
        return [(name, word) for word, name in there.items()]
    return [
        (word, other)
        for word, name in here.items()
        for other, its_name in there.items()
        if plain(name) == plain(its_name)
    ]
