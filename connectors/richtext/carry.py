"""Carry an edit over to the other side's source, block by block.

A lens in the sense of bidirectional transformation: what the edit did not touch keeps this side's own
source, so a table that Asana can only show as rows is not flattened by a typo fixed elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, chain, pairwise
from typing import TypeVar

from connectors.richtext import markdown
from connectors.richtext.document import Document, List

_T = TypeVar("_T")

_LIST_END = "\n\n<!-- -->\n\n"
"""Between two lists that would become one (https://spec.commonmark.org/0.31.2/#example-308)."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """One source block. ``context`` is the block with the link definitions of its text."""

    source: str
    context: str
    meaning: Document

    @property
    def silent(self) -> bool:
        """Whether it shows nothing by itself: an HTML comment, a link definition."""
        return not self.meaning


@dataclass(frozen=True, slots=True)
class _Pair:
    """Own blocks, and the range of the other side's blocks which they are shown as (maybe none)."""

    own: tuple[_Unit, ...]
    start: int
    end: int


def carry_over(old_source: str, old_other: str, new_other: str, through: Callable[[str], str]) -> str:
    """This side's new Markdown after an edit on the other side.

    Args:
        old_source: this side's Markdown.
        old_other: its counterpart as it was read on the other side, in Markdown.
        new_other: what the counterpart was edited to.
        through: what a block becomes on its way to the other side and back; it may be lossy, and must
            leave alone what it has converted once.

    Returns:
        Blocks that the edit left alone in this side's source, the others in ``new_other``'s. Where no
        own block is known to be the counterpart, ``new_other``'s text stands.
    """
    if markdown.same(old_other, new_other):
        return old_source
    own, old, new = _units(old_source), _units(old_other), _units(new_other)
    old_shown = [unit for unit in old if not unit.silent]
    new_shown = [unit for unit in new if not unit.silent]
    pairs = _pairs(own, old_shown, through)
    chosen = list(_chosen(pairs, old_shown, new_shown))
    known = {unit.source for unit in chosen}
    chosen += [unit for unit in new if unit.silent and unit.source not in known]
    result = _join(chosen)
    meant = tuple(block for unit in chosen for block in unit.meaning)
    # Source that reaches beyond its block (an unclosed fence or tag) must not swallow new text.
    return result if markdown.tokens(result) == meant else new_other


def _units(text: str) -> list[_Unit]:
    sources = markdown.blocks(text)
    meanings = [markdown.tokens(source) for source in sources]
    silent = [source for source, meaning in zip(sources, meanings, strict=True) if not meaning]
    units = []
    for source, meaning in zip(sources, meanings, strict=True):
        context = "\n\n".join([source, *silent]) if silent and meaning and "[" in source else source
        units.append(_Unit(source, context, meaning if context == source else markdown.tokens(context)))
    return units


def _pairs(own: Sequence[_Unit], other: Sequence[_Unit], through: Callable[[str], str]) -> list[_Pair]:
    """Who is whose counterpart: equal after the conversion, or alone between two that are."""
    pairs: list[_Pair] = []
    next_own = next_other = 0
    end = _Pair((), len(other), len(other))
    for number, pair in [*_equal(own, other, through), (len(own), end)]:
        pairs.extend(_between(own[next_own:number], next_other, pair.start))
        pairs.append(pair)
        next_own, next_other = number + 1, pair.end
    return pairs


def _equal(
    own: Sequence[_Unit], other: Sequence[_Unit], through: Callable[[str], str]
) -> Iterator[tuple[int, _Pair]]:
    """Own blocks, with their place, that are shown as just these blocks of the other side."""
    shown = [() if unit.silent else markdown.tokens(through(unit.context)) for unit in own]
    there = [markdown.tokens(through(unit.context)) for unit in other]
    places = dict(_same_places(list(chain(*shown)), list(chain(*there))))
    edges = {edge: number for number, edge in enumerate(accumulate(map(len, there), initial=0))}
    starts = accumulate(map(len, shown), initial=0)
    for number, (start, meaning) in enumerate(zip(starts, shown, strict=False)):
        first = places.get(start, 0)
        last = first + len(meaning)
        found = [places.get(place) for place in range(start, start + len(meaning))]
        if found and found == list(range(first, last)) and first in edges and last in edges:
            yield number, _Pair((own[number],), edges[first], edges[last])


def _between(own: Sequence[_Unit], start: int, end: int) -> Iterator[_Pair]:
    """Counterparts of what lies between two matches: silent blocks at its edges belong to nobody."""
    shown = [number for number, unit in enumerate(own) if not unit.silent]
    first, last = (shown[0], shown[-1] + 1) if shown else (len(own), len(own))
    yield from (_Pair((unit,), start, start) for unit in own[:first])
    yield _Pair(tuple(own[first:last]), start, end)
    yield from (_Pair((unit,), end, end) for unit in own[last:])


def _chosen(pairs: Sequence[_Pair], old: Sequence[_Unit], new: Sequence[_Unit]) -> Iterator[_Unit]:
    """The blocks of the result: a pair that the edit kept whole is own source, all else is new."""
    kept, replaced = _fate([unit.meaning for unit in old], [unit.meaning for unit in new])
    done = 0
    for pair in pairs:
        numbers = range(pair.start, pair.end)
        first = kept.get(pair.start, 0)
        if not numbers:
            yield from pair.own
        elif pair.own and [kept.get(number) for number in numbers] == list(
            range(first, first + len(numbers))
        ):
            yield from new[done:first]
            yield from pair.own
            done = first + len(numbers)
        else:
            end = max((kept.get(number, replaced.get(number, -1)) + 1 for number in numbers), default=0)
            yield from new[done:end]
            done = max(done, end)
    yield from new[done:]


def _fate(old: Sequence[Document], new: Sequence[Document]) -> tuple[dict[int, int], dict[int, int]]:
    """Where each old block stands in the new text: unchanged, or as what probably replaced it."""
    kept = dict(_same_places(old, new))
    replaced: dict[int, int] = {}
    anchors = [(-1, -1), *kept.items(), (len(old), len(new))]
    for (old_before, new_before), (old_after, new_after) in pairwise(anchors):
        gone, come = range(old_before + 1, old_after), range(new_before + 1, new_after)
        replaced.update(zip(gone, come, strict=False))
        if gone and come:
            replaced[gone[min(len(gone), len(come)) - 1]] = come[-1]
    return kept, replaced


def _same_places(left: Sequence[_T], right: Sequence[_T]) -> Iterator[tuple[int, int]]:
    """Pairs of places with equal values, in order on both sides; equal ends before all else."""
    shorter = min(len(left), len(right))
    head = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if left[-1 - n] != right[-1 - n]), rest)
    yield from ((n, n) for n in range(head))
    middle = SequenceMatcher(
        None, left[head : len(left) - tail], right[head : len(right) - tail], autojunk=False
    )
    for a, b, size in middle.get_matching_blocks():
        yield from ((head + a + n, head + b + n) for n in range(size))
    yield from ((len(left) - n, len(right) - n) for n in range(tail, 0, -1))


def _join(units: Sequence[_Unit]) -> str:
    text = ""
    before: _Unit | None = None
    for unit in units:
        if before is not None:
            text += _LIST_END if _run_together(before, unit) else "\n\n"
        text += unit.source
        before = unit
    return text


def _run_together(before: _Unit, after: _Unit) -> bool:
    if not (before.meaning and after.meaning):
        return False
    left, right = before.meaning[-1], after.meaning[0]
    if not (isinstance(left, List) and isinstance(right, List)):
        return False
    return markdown.tokens(f"{before.source}\n\n{after.source}") != before.meaning + after.meaning
