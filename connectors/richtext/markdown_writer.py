"""The document tree to Markdown that people like to read and that means exactly that tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.richtext.document import (
    Block,
    Code,
    Document,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Runs,
    Table,
)
from connectors.richtext.markdown import tokens
from connectors.richtext.markdown_runs import guessed, plainest

_TASK = re.compile(r"\[(?=[ xX]\](?:\s|\Z))")
_ONLY_MARKERS = re.compile(r"[-*0-9.) ]+$", re.MULTILINE)


def write(document: Document) -> str:
    """Markdown of a document in normal form; ``tokens(write(d)) == d``."""
    written = _Writer(guessed).blocks(document)
    return written if tokens(written) == document else _Writer(plainest).blocks(document)


@dataclass(frozen=True, slots=True)
class _Writer:
    """``text`` writes runs behind a prefix, so that they are read as the given block."""

    text: Callable[[Runs, str, Block], str]

    def blocks(self, blocks: Sequence[Block], *, nested: bool = False, separator: str = "\n\n") -> str:
        written: list[str] = []
        other_marker = False
        for number, block in enumerate(blocks):
            before = blocks[number - 1] if number else None
            # A list right after one of its own kind is told apart by its marker.
            adjoining = (
                isinstance(before, List) and isinstance(block, List) and before.ordered == block.ordered
            )
            other_marker = adjoining and not other_marker
            written.append(self._block(block, nested, other_marker))
        return separator.join(written)

    def _block(self, block: Block, nested: bool, other_marker: bool) -> str:
        match block:
            case Paragraph(runs):
                return self.text(runs, "", block)
            case Heading(level, runs):
                return self.text(runs, "#" * level + " ", block)
            case Quote(inner):
                return _prefixed(self.blocks(inner, nested=True), "> ", "> ", blank=">")
            case Code():
                return _fence(block)
            case Table(rows):
                return self._table(rows)
            case Rule():
                # Neither a heading's underline nor a bullet, whatever stands before it.
                return "___" if nested else "---"
            case List():
                return self._list(block, other_marker)

    def _table(self, rows: Sequence[Sequence[Runs]]) -> str:
        head, *body = [[self._cell(runs) for runs in row] for row in rows]
        lines = [head, ["---"] * len(head), *body]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _cell(self, runs: Runs) -> str:
        return self.text(runs, "", Paragraph(runs)).replace("|", r"\|") if runs else ""

    def _list(self, block: List, other_marker: bool) -> str:
        tight = all(_is_tight(item) for item in block.items)
        written = []
        for number, item in enumerate(block.items, block.start):
            bullet = "*" if other_marker else "-"
            marker = f"{number}{')' if other_marker else '.'}" if block.ordered else bullet
            written.append(self._item(item, marker, tight))
        return ("\n" if tight else "\n\n").join(written)

    def _item(self, item: Item, marker: str, tight: bool) -> str:
        content = self.blocks(item.blocks, nested=True, separator="\n" if tight else "\n\n")
        if item.checked is not None:
            content = f"[{'x' if item.checked else ' '}] {content}"
        elif _TASK.match(content):
            content = f"\\{content}"
        if not content:
            return marker
        indent = " " * (len(marker) + 1)
        # Markers alone in a line could be a rule: "- - -".
        first = f"{marker}\n{indent}" if _ONLY_MARKERS.match(content) else f"{marker} "
        return _prefixed(content, first, indent, blank="")


def _is_tight(item: Item) -> bool:
    """Whether nothing in the item needs a blank line before it."""
    first, others = item.blocks[:1], item.blocks[1:]
    return all(isinstance(block, Paragraph | List) for block in first) and all(
        isinstance(block, List) and _may_follow_text(block) for block in others
    )


def _may_follow_text(block: List) -> bool:
    """Whether the list is one without a blank line before it: it starts with 1, and with some text."""
    return block.start == 1 and isinstance((*block.items[0].blocks, None)[0], Paragraph)


def _fence(code: Code) -> str:
    character = "~" if "`" in code.language else "`"
    longest = max(map(len, re.findall(f"{character}+", code.text)), default=0)
    fence = character * max(3, longest + 1)
    language = re.sub(r"[\\&]", r"\\\g<0>", code.language)
    return f"{fence}{language}\n{code.text}\n{fence}"


def _prefixed(text: str, first: str, others: str, *, blank: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        (others if number else first) + line if line or not number else blank
        for number, line in enumerate(lines)
    )
