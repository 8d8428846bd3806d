"""The document tree: what a text means, whatever its dialect writes it with.

A document is a tuple of blocks. A paragraph is a flat tuple of runs: text with the set of marks that
lie on it, so ``<em><strong>x</strong></em>`` and ``***x***`` are equal without further thought. The
tree is in normal form (see :mod:`.runs`): two texts mean the same if their trees are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

MARKS = ("strong", "em", "s", "u", "code")
"""The marks, outermost first."""

DEPTH = 10
"""Quotes and lists deeper than this are flattened; their text stays."""


@dataclass(frozen=True, slots=True)
class Run:
    """Text with the same marks and the same link on all of it.

    A line break is ``"\\n"`` in the text. With ``src`` it is an image and the text its description.
    """

    text: str
    marks: frozenset[str] = frozenset()
    href: str = ""
    src: str = ""


Runs: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    runs: Runs


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` 1 to 6; one line."""

    level: int
    runs: Runs


@dataclass(frozen=True, slots=True)
class Item:
    """``checked`` is None for an item that is no task; a task begins with a paragraph."""

    blocks: tuple[Block, ...]
    checked: bool | None = None


@dataclass(frozen=True, slots=True)
class List:
    """Whether there are blank lines between the items means nothing."""

    items: tuple[Item, ...]
    ordered: bool = False
    start: int = 1


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A code block, without blank lines around it; ``language`` may be empty."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the page."""


@dataclass(frozen=True, slots=True)
class Table:
    """``rows[0]`` is the head; all rows have the same number of cells."""

    rows: tuple[tuple[Runs, ...], ...]


Block: TypeAlias = Paragraph | Heading | List | Quote | Code | Rule | Table
Document: TypeAlias = tuple[Block, ...]


def flat(blocks: Sequence[Block]) -> Runs:
    """All text of the blocks as one line of runs, for places that hold no blocks."""
    found: list[Run] = []
    for runs in lines(blocks):
        if found:
            found.append(Run(" "))
        found.extend(on_one_line(runs))
    return tuple(found)


def on_one_line(runs: Runs) -> Runs:
    """The runs with spaces for line breaks."""
    return tuple(Run(run.text.replace("\n", " "), run.marks, run.href, run.src) for run in runs)


def plain(runs: Sequence[Run]) -> str:
    """The text alone."""
    return "".join(run.text for run in runs)


def fold(
    runs: Sequence[Run],
    leaf: Callable[[Run], str],
    wrap: Callable[[str, Sequence[Run], str], str],
    layers: Sequence[str] = ("href", *MARKS[:-1]),
) -> str:
    """Write runs in a dialect with nested markup.

    ``wrap(layer, runs, inner)`` puts the markup of a layer, "href" or a mark, around what its runs
    became. Code is left to ``leaf``, because its text is written differently.
    """
    if not layers:
        return "".join(leaf(run) for run in runs)
    layer, deeper = layers[0], layers[1:]
    written: list[str] = []
    for marked, group in groupby(runs, key=lambda run: run.href if layer == "href" else layer in run.marks):
        members = list(group)
        inner = fold(members, leaf, wrap, deeper)
        written.append(wrap(layer, members, inner) if marked else inner)
    return "".join(written)


def lines(blocks: Sequence[Block]) -> list[Runs]:
    """All running text of the blocks, in order."""
    found: list[Runs] = []
    for block in blocks:
        match block:
            case Paragraph(runs) | Heading(_, runs):
                found.append(runs)
            case Quote(inner):
                found.extend(lines(inner))
            case List(items):
                for item in items:
                    found.extend(lines(item.blocks))
            case Code(text):
                found.append((Run(" ".join(text.split()), frozenset({"code"})),))
            case Table(rows):
                found.extend(cell for row in rows for cell in row)
            case Rule():
                pass
    return found
