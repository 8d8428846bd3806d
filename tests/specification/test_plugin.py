"""The test whose traffic departs fails, and every process' counts reach the end of the run."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import Exchange
from tests.specification.documents import required
from tests.specification.plugin import Specification
from tests.specification.watch import Watch


class Terminal:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        self.lines.append(title)

    def write_line(self, line: str, **markup: bool) -> None:
        self.lines.append(line)


def _asked(path: str) -> AsanaSimulator:
    now, simulator = datetime.now(UTC), AsanaSimulator()
    simulator.journal.append(Exchange(at=now, until=now, method="GET", path=path, query={}, headers={}))
    return simulator


def test_a_departure_fails_the_test_at_hand() -> None:
    required()
    watch = Watch()
    teardown = Specification(watch).pytest_runtest_teardown()
    with watch.watching(_asked("/nowhere")):
        next(teardown)
    with pytest.raises(pytest.fail.Exception, match="GET /nowhere"):
        teardown.send(None)


def test_what_conforms_fails_nothing() -> None:
    required()
    watch = Watch()
    teardown = Specification(watch).pytest_runtest_teardown()
    with watch.watching(_asked("/api/1.0/workspaces")):
        next(teardown)
    with pytest.raises(StopIteration):
        teardown.send(None)


def test_counts_of_workers_are_told_at_the_end() -> None:
    required()
    watch, terminal = Watch(), Terminal()
    with watch.watching(_asked("/api/1.0/workspaces")):
        watch.findings()
    worker = SimpleNamespace(config=SimpleNamespace(workeroutput={}))
    Specification(watch).pytest_sessionfinish(worker)  # type: ignore[arg-type]
    controller = Specification(Watch())
    for _ in range(2):
        controller.pytest_testnodedown(SimpleNamespace(workeroutput=worker.config.workeroutput))
    controller.pytest_testnodedown(SimpleNamespace())  # a worker that crashed
    controller.pytest_terminal_summary(terminal)  # type: ignore[arg-type]
    assert terminal.lines[0] == "published specifications"
    assert terminal.lines[1].startswith("2 asana exchanges and 0 webhooks")
