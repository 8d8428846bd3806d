"""What ``/metrics`` tells, in the text format of Prometheus.

Read from the database at each scrape: the workers, whose doing it is, are other processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sync.store.figures import Counted, Figures
from sync.store.times import parse_time


def exposition(
    status: Mapping[str, Any], figures: Figures, published: Sequence[Metric], now: datetime
) -> bytes:
    """The metrics of an installation, and those of this process.

    Args:
        status: the document of ``/api/v1/status``.
        figures: what rows of the database tell beside it.
        published: what all processes have counted.
    """
    registry = CollectorRegistry()
    registry.register(_Standing(status, figures, published, now))
    return generate_latest(registry) + generate_latest()


class _Standing(Collector):
    def __init__(
        self, status: Mapping[str, Any], figures: Figures, published: Sequence[Metric], now: datetime
    ) -> None:
        self._connections: list[dict[str, Any]] = status["connections"]
        self._mappings: list[dict[str, Any]] = status["mappings"]
        self._version = status["version"]
        self._figures = figures
        self._published = published
        self._now = now

    def collect(self) -> Iterable[Metric]:
        yield _gauge("sync_build_info", "Version that runs", ["version"], {(self._version,): 1})
        yield from self._totals()
        yield from self._waiting()
        yield from self._states()
        yield from self._published

    def _totals(self) -> Iterable[Metric]:
        yield _counter(
            "sync_event_received",
            "Webhook calls taken in",
            ["service", "kind", "result"],
            self._figures.received,
        )
        yield _counter(
            "sync_writes",
            "Writes that came to an end: done, not_done, refused",
            ["service", "op", "result"],
            self._figures.writes,
        )
        yield _counter("sync_conflicts", "Edits that did not win, ever", ["policy"], self._figures.conflicts)

    def _waiting(self) -> Iterable[Metric]:
        yield _gauge(
            "sync_backlog_events",
            "What waits: due (ready), worked on (leased), due later (deferred), for a person (dead)",
            ["state"],
            {**self._figures.backlog, ("dead",): self._sum("parked_open")},
        )
        yield _gauge(
            "sync_oldest_event_age_seconds",
            "Age of the oldest change not yet acted on",
            [],
            {(): self._age()},
        )
        yield _gauge(
            "sync_ambiguous_writes_open",
            "Writes whose answer was lost, until they are looked up",
            [],
            {(): self._figures.ambiguous},
        )
        yield _gauge(
            "sync_conflicts_open",
            "Edits that did not win, in the conflict list",
            [],
            {(): self._sum("conflicts_open")},
        )
        yield _gauge(
            "sync_audit_divergent_pairs",
            "Pairs whose sides differ without a reason, as an audit found them",
            [],
            {(): self._sum("divergent")},
        )
        yield _gauge("sync_dead_letters", "What is parked", [], {(): self._sum("parked_open")})

    def _states(self) -> Iterable[Metric]:
        yield _gauge("sync_mapping_state", "Mappings in each state", ["state"], _states(self._mappings))
        yield _gauge(
            "sync_connection_state", "Connections in each state", ["state"], _states(self._connections)
        )
        waits = sum(row["approval"] is not None for row in self._mappings)
        yield _gauge(
            "sync_breaker_open", "Mappings that a limit has stopped", ["kind"], {("deletes",): waits}
        )
        yield _gauge(
            "sync_api_quota_remaining_ratio",
            "Share of a connection's quota that is left",
            ["service", "connection"],
            {
                (row["connector"], row["name"]): row["quota"]["remaining"] / row["quota"]["limit"]
                for row in self._connections
                if row["quota"]["limit"]
            },
        )
        yield _gauge(
            "sync_token_expiry_timestamp_seconds",
            "When a connection's access token ends; it is renewed before",
            ["service", "connection"],
            self._figures.tokens_until,
        )
        passes = [
            parse_time(row["last_full_pass_at"]).timestamp()
            for row in self._mappings
            if row["last_full_pass_at"]
        ]
        yield _gauge(
            "sync_reconcile_last_success_timestamp_seconds",
            "When the mapping compared longest ago was compared completely",
            [],
            {(): min(passes)} if passes else {},
        )

    def _sum(self, key: str) -> float:
        return float(sum(row[key] for row in self._mappings))

    def _age(self) -> float:
        since = [row["oldest_pending_at"] for row in self._mappings if row["oldest_pending_at"]]
        return max((self._now - parse_time(min(since))).total_seconds(), 0.0) if since else 0.0


def _states(rows: Iterable[dict[str, Any]]) -> Counted:
    return dict(Counter((row["state"],) for row in rows))


def _gauge(name: str, text: str, labels: list[str], values: Counted) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def _counter(name: str, text: str, labels: list[str], values: Counted) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
