"""How commands answer: exit codes, the result on stdout, words for people on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

DONE, WAITS, USAGE, UNREACHABLE, TIMEOUT = 0, 1, 2, 3, 4
"""Exit codes: done, something waits for a person, usage or configuration, store or provider, --timeout."""

LARGEST_ID = 2**63 - 1

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
After = Annotated[
    int | None,
    typer.Option(min=0, max=LARGEST_ID, help="Go on after this id: the 'next' of the page before."),
]
OfMapping = Annotated[str | None, typer.Option("--mapping", help="Only of this mapping.")]

_CONTROLS = dict.fromkeys(
    [
        *range(0x09),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ],
    "\ufffd",
)
"""What could move a terminal's cursor or turn its text around; tab and line feed may stay."""


def emit(document: Any, *, as_json: bool, show: Callable[[Console], None]) -> None:
    """The result on stdout: one JSON document, always UTF-8, or for people."""
    if as_json:
        sys.stdout.buffer.write(json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.write(b"\n")
    else:
        show(Console())


def plain(value: object) -> Text:
    """A text of strangers, made harmless for terminals; brackets in it are no markup."""
    return Text("" if value is None else str(value).translate(_CONTROLS))


def line(text: str) -> Callable[[Console], None]:
    """A printer of one line."""
    return lambda console: console.print(plain(text), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Callable[[Console], None]:
    """A printer of a table; an empty one says so."""

    def show(console: Console) -> None:
        if not rows:
            console.print(f"{title}: none")
            return
        grid = Table(title=title, title_justify="left", show_lines=False)
        for column in columns:
            grid.add_column(column, overflow="fold")
        for row in rows:
            grid.add_row(*map(plain, row))
        console.print(grid)

    return show


def listing(
    document: dict[str, Any], title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Callable[[Console], None]:
    """A printer of one page, and how to see the next."""

    def show(console: Console) -> None:
        table(title, columns, rows)(console)
        if document["next"] is not None:
            console.print(f"more: --after {document['next']}")

    return show


def say(text: str) -> None:
    """A word for people, on stderr: stdout carries the result only."""
    sys.stderr.write(text.translate(_CONTROLS) + "\n")
