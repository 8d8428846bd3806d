"""What the audience sees: each step, what happened, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sync.demo.installation import tail
from sync.demo.seeing import Seen, Unmet
from sync.demo.stage import Stage
from sync.demo.story import Step

_WIDTH = 96


class Screen:
    """Prints to a terminal, or plainly to a file."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out, highlight=False)
        if not self._console.is_terminal:
            self._console = Console(file=out, highlight=False, width=_WIDTH)
        self._began = time.perf_counter()
        self._checks = 0

    def opens(self, stage: Stage) -> None:
        tools = ", ".join(scene.external.title for scene in stage.scenes)
        self._console.print()
        self._console.print(
            f"[bold]asana-sync[/] keeps [bold]{tools}[/] in step with "
            f"[bold]{stage.scenes[0].hub.title}[/], both ways."
        )
        self._console.print(
            "Simulated providers on this machine; the product runs as it would for real.", style="dim"
        )
        self._console.print(Text(f"Status page: {stage.installation.url}", style="dim"))

    @contextmanager
    def playing(self, number: int, step: Step) -> Iterator[None]:
        """While a step is played."""
        self._console.print()
        self._console.print(Text.assemble((f"{number:>2}  ", "cyan"), (step.title, "bold")))
        with self._console.status("", spinner="dots"):
            yield

    def seen(self, seen: Sequence[Seen]) -> None:
        """What held."""
        lines = Table.grid(padding=(0, 2), expand=False)
        lines.add_column(width=1, style="green")
        lines.add_column(width=18, style="dim", no_wrap=True)
        lines.add_column(width=54)
        lines.add_column(justify="right", no_wrap=True, width=9)
        for each in seen:
            lines.add_row("✓", each.route, Text(each.what), _duration(each.ms))
        self._checks += len(seen)
        self._console.print(Padding(lines, (0, 0, 0, 4)))

    def closes(self) -> None:
        took = time.perf_counter() - self._began
        self._console.print()
        self._console.print(
            f"[bold green]All {self._checks} checks held[/], each on both sides, in {took:.1f} s."
        )

    def broke(self, error: Exception, log: Path) -> None:
        """A check did not hold."""
        self._console.print()
        if isinstance(error, Unmet):
            self._console.print(Text.assemble(("    ✗ ", "bold red"), (error.where, "bold")))
            for word, text in (("expected", error.expected), ("found", error.found)):
                self._console.print(Padding(Text.assemble((f"{word:<10}", "dim"), text), (0, 0, 0, 6)))
        else:
            self._console.print(Text.assemble(("    ✗ ", "bold red"), str(error)))
        self._console.print(Padding(Text(tail(log), style="dim"), (1, 0, 0, 6)))
        self._console.print(Text(f"\nThe demo failed. The whole log: {log}", style="bold red"))

    def not_started(self, reason: str) -> None:
        self._console.print(Text(f"The demo could not start. {reason}", style="bold red"))

    def serves(self, url: str) -> None:
        """Where the page is."""
        self._console.print()
        self._console.print(Text.assemble("Open ", (url, "bold underline"), "  (Ctrl-C ends it)"))
        self._console.print(Text("A scripted story with checks: asana-sync demo --once", style="dim"))


def _duration(ms: float | None) -> Text:
    if ms is None:
        return Text("")
    return Text(f"{ms:,.0f} ms", style="bold" if ms < 1000 else "")
