"""What this process counts while it works. Names and labels as Prometheus wants them: base units, few values.

Web and worker are different processes, and there may be many of each, so what is counted here is
added up in the database (:mod:`sync.store.publishing`), and ``/metrics`` tells the sums. What rows of the
database show already is counted there instead (:mod:`sync.store.figures`).
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()

_LAG_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_CALL_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_PASS_S = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800)

WEBHOOKS_REJECTED = Counter(
    "sync_webhook_rejected_total",
    "Webhook calls that were not taken",
    ["service", "reason"],
    registry=REGISTRY,
)
INTAKE = Histogram(
    "sync_webhook_intake_duration_seconds",
    "From the first byte of a webhook call to its answer",
    buckets=_CALL_S,
    registry=REGISTRY,
)
LAG = Histogram(
    "sync_lag_seconds",
    "From an edit at one provider until the other one confirmed the write",
    ["service_from", "service_to"],
    buckets=_LAG_S,
    registry=REGISTRY,
)
PROVIDER_LAG = Histogram(
    "sync_provider_lag_seconds",
    "The provider's part: from an edit until we learnt of it, by webhook or poll",
    buckets=_LAG_S,
    registry=REGISTRY,
)
OUR_LAG = Histogram(
    "sync_event_to_write_seconds",
    "Our part: from learning of an edit until the write was confirmed",
    buckets=_LAG_S,
    registry=REGISTRY,
)
SUPPRESSED = Counter(
    "sync_write_suppressed_total",
    "What led to no write: told again what was settled (echo), looked at and found equal (noop), "
    "held back (budget, paused)",
    ["reason"],
    registry=REGISTRY,
)
REPAIRED = Counter(
    "sync_duplicates_repaired_total",
    "Counterparts that were found by their key and taken, instead of being made a second time",
    registry=REGISTRY,
)
FULL_PASS = Histogram(
    "sync_reconcile_duration_seconds",
    "How long complete comparisons took that came to their end",
    buckets=_PASS_S,
    registry=REGISTRY,
)
API_REQUESTS = Counter(
    "sync_api_requests_total",
    "Requests to providers, by the class of the answer's status (none: no answer)",
    ["service", "status_class"],
    registry=REGISTRY,
)
API_DURATION = Histogram(
    "sync_api_request_duration_seconds",
    "From sending a request to a provider until its answer was read",
    buckets=_CALL_S,
    registry=REGISTRY,
)
THROTTLED = Counter("sync_api_throttled_seconds_total", "Silence that providers asked for", registry=REGISTRY)
LEASES_LOST = Counter(
    "sync_lease_lost_total", "Passes that lost their mapping to another worker", registry=REGISTRY
)
REDIS_REBUILT = Counter(
    "sync_redis_rebuild_total",
    "Limits that Redis had forgotten and the database brought back",
    registry=REGISTRY,
)


def count_request(service: str, status: int | None, seconds: float) -> None:
    """One request to a provider. ``status`` None: there was no answer."""
    API_REQUESTS.labels(service, f"{status // 100}xx" if status else "none").inc()
    API_DURATION.observe(seconds)
