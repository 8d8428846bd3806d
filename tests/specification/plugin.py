"""Makes pytest fail the very test whose traffic departs from a published document, and tell the sum."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.specification.tally import Tally
from tests.specification.watch import WATCH, Watch

_KEY = "specification"


class Specification:
    """Hooks. Counts of pytest-xdist's workers come together in the process that started them."""

    def __init__(self, watch: Watch = WATCH) -> None:
        self._watch = watch
        self._sum = Tally()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """After the fixtures are gone, so that everything they did is seen."""
        try:
            return (yield)
        finally:
            found = self._watch.findings()
            if found:
                pytest.fail("departs from the published specification:\n" + "\n".join(found), pytrace=False)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_KEY] = self._watch.tally.data()
        else:
            self._sum.add(self._watch.tally.data())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """One of pytest-xdist's workers has ended."""
        data = getattr(node, "workeroutput", {}).get(_KEY)
        if data:
            self._sum.add(data)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = list(self._sum.lines())
        if lines:
            terminalreporter.section("published specifications")
            missed = bool(self._sum.missed)
            for line in lines:
                terminalreporter.write_line(line, yellow=missed, bold=missed)
