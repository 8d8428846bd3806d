"""Each exchange and webhook is looked at once, exceptions are narrow, and nothing is left out silently."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Exchange, Sent
from tests.specification.allowed import allowance
from tests.specification.documents import required
from tests.specification.findings import Finding
from tests.specification.tally import Tally
from tests.specification.watch import Watch

GONE = Path("asana.json")


def _exchange(**said: Any) -> Exchange:
    now = datetime.now(UTC)
    return Exchange(**{"at": now, "until": now, "method": "GET", "query": {}, "headers": {}, **said})


def _sent(event: str, body: Any) -> Sent:
    headers = {"Content-Type": "application/json", "X-GitHub-Event": event}
    raw = json.dumps(body).encode()
    return Sent(at=datetime.now(UTC), target="https://example.com", headers=headers, body=raw, status=200)


def test_each_exchange_is_looked_at_once_when_it_has_ended() -> None:
    required()
    watch, simulator = Watch(), AsanaSimulator()
    with watch.watching(simulator):
        simulator.journal.append(_exchange(path="/first"))
        late = _exchange(path="/late", until=None)
        simulator.journal.append(late)
        assert ["/first" in each for each in watch.findings()] == [True]
        assert watch.findings() == []
        late.until = datetime.now(UTC)
        assert ["/late" in each for each in watch.findings()] == [True]
        simulator.journal.append(_exchange(path="/broken-off", until=None))
    assert ["/broken-off" in each for each in watch.findings()] == [True]
    simulator.journal.append(_exchange(path="/unwatched"))
    assert watch.findings() == []
    assert watch.tally.exchanges == {"asana": 3}


def test_webhooks_are_looked_at() -> None:
    required()
    watch, github, asana = Watch(), GitHubSimulator(), AsanaSimulator()
    with watch.watching(github, asana):
        github.outbox.sent += [_sent("issues", {"action": "opened"}), _sent("issues", {"action": "danced"})]
        event = {"action": "changed", "resource": {"gid": 1, "resource_type": "task"}, "colour": "red"}
        asana.outbox.sent.append(_sent("", {"events": [event], "more": 1}))
    found = watch.findings()
    assert any(("issues opened" in each and "'issue'" in each) or '"issue"' in each for each in found)
    assert any("issues danced  is not documented" in each for each in found)
    assert any("/resource/gid" in each for each in found)
    assert any("/colour is not documented" in each for each in found)
    assert any("not events alone" in each for each in found)
    assert watch.tally.deliveries == {"github": 2, "asana": 1}


def test_missing_documents_are_told_or_an_error() -> None:
    watch = Watch(missing=[GONE], strict=False)
    with watch.watching(AsanaSimulator()):
        pass
    assert watch.findings() == []
    (line,) = watch.tally.lines()
    assert line.startswith("NOT VALIDATED")
    with (
        pytest.raises(AssertionError, match="NOT VALIDATED"),
        Watch(missing=[GONE], strict=True).watching(AsanaSimulator()),
    ):
        pass


def test_exceptions_are_narrow() -> None:
    limited = Finding(provider="github", part="status", what="GET /user", status=403, message="rate limit")
    other = Finding(provider="github", part="status", what="GET /user", status=403, message="Forbidden")
    assert allowance(limited)
    assert not allowance(other)


def test_counts_of_several_processes_come_together() -> None:
    one, other, both = Tally(), Tally(), Tally()
    one.exchanges["asana"], other.exchanges["asana"], other.allowed["why"] = 2, 3, 1
    one.seconds = other.seconds = 0.5
    both.add(one.data())
    both.add(other.data())
    assert (both.exchanges["asana"], both.allowed["why"], both.seconds) == (5, 1, 1.0)
    assert list(Tally().lines()) == []
