"""What ``/metrics`` tells, in the text format of Prometheus.

Counted from the database at each scrape: the workers, whose doing it is, are other processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sync.settings import HUB
from sync.store.times import parse_time


def exposition(status: Mapping[str, Any], now: datetime) -> bytes:
    """The metrics of an installation that stands as ``status`` (the document of ``/api/v1/status``) says,
    and those of this process.
    """
    registry = CollectorRegistry()
    registry.register(_Standing(status, now))
    return generate_latest(registry) + generate_latest()


class _Standing(Collector):
    def __init__(self, status: Mapping[str, Any], now: datetime) -> None:
        self._status = status
        self._now = now

    def collect(self) -> Iterable[Metric]:
        mappings, connections = self._status["mappings"], self._status["connections"]
        yield _gauge("sync_build_info", "Version that runs", ["version"], {(self._status["version"],): 1})
        deliveries = self._status["deliveries"]
        yield _counter(
            "sync_event_received",
            "Webhook calls taken in",
            ["result"],
            {(result,): deliveries[result] for result in ("processed", "ignored", "parked", "queued")},
        )
        backlog = {"ready": "pending", "leased": "in_flight", "dead": "parked_open"}
        yield _gauge(
            "sync_backlog_events",
            "What waits: to be looked at, for the outcome of a write, for a person",
            ["state"],
            {(state,): sum(row[key] for row in mappings) for state, key in backlog.items()},
        )
        yield _gauge(
            "sync_oldest_event_age_seconds", "Age of the oldest change not yet acted on", [], self._age()
        )
        yield _counter("sync_writes", "Writes the providers confirmed", ["service", "result"], self._writes())
        yield _gauge(
            "sync_conflicts_open",
            "Edits that did not win, in the conflict list",
            [],
            self._sum("conflicts_open"),
        )
        yield _gauge("sync_dead_letters", "What is parked", [], self._sum("parked_open"))
        states: Counter[tuple[str, ...]] = Counter((row["state"],) for row in mappings)
        yield _gauge("sync_mapping_state", "Mappings in each state", ["state"], states)
        reached: Counter[tuple[str, ...]] = Counter((row["state"],) for row in connections)
        yield _gauge("sync_connection_state", "Connections in each state", ["state"], reached)
        yield _gauge(
            "sync_api_quota_remaining_ratio",
            "Share of a connection's quota that is left",
            ["service", "connection"],
            {
                (row["connector"], row["name"]): row["quota"]["remaining"] / row["quota"]["limit"]
                for row in connections
                if row["quota"]["limit"]
            },
        )
        passes = [
            parse_time(row["last_full_pass_at"]).timestamp() for row in mappings if row["last_full_pass_at"]
        ]
        yield _gauge(
            "sync_reconcile_last_success_timestamp_seconds",
            "When the mapping compared longest ago was compared completely",
            [],
            {(): min(passes)} if passes else {},
        )

    def _sum(self, key: str) -> dict[tuple[str, ...], float]:
        return {(): sum(row[key] for row in self._status["mappings"])}

    def _age(self) -> dict[tuple[str, ...], float]:
        since = [row["oldest_pending_at"] for row in self._status["mappings"] if row["oldest_pending_at"]]
        return {(): max((self._now - parse_time(min(since))).total_seconds(), 0.0) if since else 0.0}

    def _writes(self) -> Counter[tuple[str, ...]]:
        connectors = {row["name"]: row["connector"] for row in self._status["connections"]}
        found: Counter[tuple[str, ...]] = Counter()
        for row in self._status["mappings"]:
            for side, number in row["writes_total"].items():
                found[connectors.get(row["connections"][side], HUB), "done"] += number
        return found


def _gauge(name: str, text: str, labels: list[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def _counter(name: str, text: str, labels: list[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
