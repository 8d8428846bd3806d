"""How much was validated, and how often an exception was used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts of one test process, or of all."""

    exchanges: Counter[str] = field(default_factory=Counter)
    """Requests and their answers, by provider."""
    deliveries: Counter[str] = field(default_factory=Counter)
    """Webhooks, by provider."""
    without_answer: Counter[str] = field(default_factory=Counter)
    """Exchanges of which the request alone was validated, by what became of the answer."""
    allowed: Counter[str] = field(default_factory=Counter)
    """Findings by the exception that allowed them."""
    missed: Counter[str] = field(default_factory=Counter)
    """Simulators of which nothing was validated, by the reason."""
    seconds: float = 0.0

    def data(self) -> dict[str, object]:
        """What a worker of pytest-xdist can hand over."""
        return {
            name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()
        }

    def add(self, data: dict[str, object]) -> None:
        """Take in what another process counted."""
        for name, value in data.items():
            if isinstance(value, dict):
                getattr(self, name).update(value)
        self.seconds += float(str(data["seconds"]))

    def lines(self) -> Iterator[str]:
        """For the end of the run; nothing where nothing was to be validated."""
        for reason, times in self.missed.items():
            yield f"{reason} ({times} times)"
        if not self.exchanges:
            return
        yield (
            f"{_counts(self.exchanges)} exchanges and {_counts(self.deliveries)} webhooks were validated "
            f"against the published specifications in {self.seconds:.1f} s of all processes"
        )
        if self.without_answer:
            yield "of some the request alone, for the provider gave no answer:"
            yield from (f"  {times:6} {why}" for why, times in sorted(self.without_answer.items()))
        if self.allowed:
            yield "allowed exceptions (tests/specification/allowed.py):"
            yield from (f"  {times:6} {why}" for why, times in sorted(self.allowed.items()))


def _counts(counter: Counter[str]) -> str:
    return " + ".join(f"{times} {name}" for name, times in sorted(counter.items())) or "0"
