"""The normal form of running text: pieces as they were read become paragraphs of runs.

- White space at the edges of a marked piece carries a mark only if both neighbours do.
- White space around a line break, and at the ends of a paragraph, is dropped.
- Two line breaks or more end the paragraph.
- Neighbours with the same marks are one run; bare addresses are links; text is in Unicode NFC.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import groupby

from connectors.richtext import autolink
from connectors.richtext.document import Run, Runs

_CODE = frozenset({"code"})


def paragraphs(pieces: Iterable[Run]) -> tuple[Runs, ...]:
    """Bring pieces into normal form; a piece may hold anything, line breaks and blank lines too."""
    finished: list[Runs] = []
    current: list[Run] = []
    gap: list[Run] = []
    for part in _parts(pieces):
        if _is_gap(part):
            gap.append(part)
            continue
        breaks = sum(white.text == "\n" for white in gap)
        if current and breaks > 1:
            finished.append(_merged(current))
            current = []
        elif current and gap:
            current.append(_bridge(current[-1], gap, part, line_break=bool(breaks)))
        current.append(part)
        gap = []
    if current:
        finished.append(_merged(current))
    return tuple(finished)


def _parts(pieces: Iterable[Run]) -> Iterator[Run]:
    """Cut pieces so that white space which may be a gap stands alone."""
    for piece in pieces:
        if piece.src:
            yield Run(" ".join(piece.text.split()), piece.marks - _CODE, piece.href, piece.src)
            continue
        for number, line in enumerate(piece.text.split("\n")):
            core = line if "code" in piece.marks else line.strip()
            before = len(line) - len(line.lstrip()) if core != line else 0
            texts = ("\n" if number else "", line[:before], core, line[before + len(core) :])
            yield from (Run(text, piece.marks, piece.href) for text in texts if text)


def _is_gap(part: Run) -> bool:
    return not part.src and part.text.isspace() and ("code" not in part.marks or part.text == "\n")


def _bridge(left: Run, gap: list[Run], right: Run, *, line_break: bool) -> Run:
    around = [left, *gap, right]
    marks = reduce(frozenset.intersection, (run.marks for run in around)) - _CODE
    href = left.href if all(run.href == left.href for run in around) else ""
    return Run("\n" if line_break else "".join(white.text for white in gap), marks, href)


def _merged(parts: list[Run]) -> Runs:
    runs: list[Run] = []
    before = ""
    for (marks, href, src), group in groupby(parts, key=lambda run: (run.marks, run.href, run.src)):
        if src:
            runs.extend(group)
            before = ")"
            continue
        text = unicodedata.normalize("NFC", "".join(run.text for run in group))
        if href or "code" in marks:
            runs.append(Run(text, marks, href))
        else:
            runs.extend(Run(piece, marks, found) for piece, found in autolink.split(text, before))
        before = text[-1:]
    return tuple(runs)
