"""What Prometheus scrapes: names and labels, from whatever process the numbers are."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from connectors.records import Ref
from sync.store.publishing import Publisher, publishing
from sync.store.tables import Connection, Delivery, Mark, Write
from tests.web.conftest import SECRET, Web
from tests.web.test_pages import NOW, a_conflict, a_link, a_parked

LABELS = {
    "sync_event_received": {"service", "kind", "result"},
    "sync_webhook_rejected": {"service", "reason"},
    "sync_webhook_intake_duration_seconds": set(),
    "sync_lag_seconds": {"service_from", "service_to"},
    "sync_provider_lag_seconds": set(),
    "sync_event_to_write_seconds": set(),
    "sync_backlog_events": {"state"},
    "sync_oldest_event_age_seconds": set(),
    "sync_writes": {"service", "op", "result"},
    "sync_write_suppressed": {"reason"},
    "sync_conflicts": {"policy"},
    "sync_audit_divergent_pairs": set(),
    "sync_conflicts_open": set(),
    "sync_duplicates_repaired": set(),
    "sync_ambiguous_writes_open": set(),
    "sync_dead_letters": set(),
    "sync_mapping_state": {"state"},
    "sync_connection_state": {"state"},
    "sync_breaker_open": {"kind"},
    "sync_reconcile_duration_seconds": set(),
    "sync_reconcile_last_success_timestamp_seconds": set(),
    "sync_api_requests": {"service", "status_class"},
    "sync_api_request_duration_seconds": set(),
    "sync_api_quota_remaining_ratio": {"service", "connection"},
    "sync_api_throttled_seconds": set(),
    "sync_token_expiry_timestamp_seconds": {"service", "connection"},
    "sync_lease_lost": set(),
    "sync_redis_rebuild": set(),
    "sync_build_info": {"version"},
}


async def scraped(web: Web) -> dict[tuple[str, ...], float]:
    """(sample, label values in the order of their names) -> value."""
    answer = await web.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_every_name_is_there_with_its_labels(web: Web) -> None:
    async with publishing(web.engine.database):
        text = (await web.http.get("/metrics")).text
    families = {
        family.name: family
        for family in text_string_to_metric_families(text)
        if family.name.startswith("sync_")
    }
    assert families.keys() == LABELS.keys()
    for name, family in families.items():
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == LABELS[name], sample


async def test_rows_are_counted_whoever_made_them(web: Web) -> None:
    await web.add(a_link())
    await web.add(
        a_conflict("lost"),
        a_conflict("dismissed", state="dismissed", policy="hub"),
        a_parked("stuck"),
        Delivery(connection_id=2, dedupe="d", event="issues", received_at=NOW, state="ignored"),
        Mark(
            mapping_id=1,
            side="hub",
            ref=str(Ref("asana", "1", "task", "9")),
            kind="task",
            object_id="9",
            first_at=web.engine.in_s(-60),
            due_at=NOW,
        ),
        *(
            Write(
                mapping_id=1,
                mapping_version=1,
                link_id=1,
                side=side,
                op="update",
                state=state,
                intent_at=NOW,
                deadline_at=NOW,
            )
            for side, state in (("hub", "done"), ("hub", "done"), ("external", "refused"), ("hub", "unknown"))
        ),
    )
    async with web.engine.database.write() as session:
        github = await session.get_one(Connection, 2)
        github.quota = {"limit": 5000, "remaining": 1250, "reset_at": None}
        session.add(github)
    told = await scraped(web)
    assert told["sync_event_received_total", "issues", "ignored", "github"] == 1
    assert told["sync_writes_total", "update", "done", "asana"] == 2
    assert told["sync_writes_total", "update", "refused", "github"] == 1
    assert told["sync_ambiguous_writes_open",] == 1
    assert (told["sync_conflicts_total", "hub"], told["sync_conflicts_open",]) == (1, 1)
    assert (told["sync_backlog_events", "ready"], told["sync_backlog_events", "dead"]) == (1, 1)
    assert 60 <= told["sync_oldest_event_age_seconds",] < 120
    assert told["sync_api_quota_remaining_ratio", "github", "github"] == 0.25
    assert told["sync_mapping_state", "active"] == 1
    assert "python_info" in {name for name, *_ in told}


async def test_what_other_processes_counted_is_told(web: Web) -> None:
    elsewhere = CollectorRegistry()
    held = Counter("sync_write_suppressed", "As a worker counts it", ["reason"], registry=elsewhere)
    worker = Publisher(elsewhere)
    held.labels("echo").inc(3)
    await worker.publish(web.engine.database)
    assert (await scraped(web))["sync_write_suppressed_total", "echo"] == 3
    held.labels("echo").inc()
    await worker.publish(web.engine.database)
    assert (await scraped(web))["sync_write_suppressed_total", "echo"] == 4


async def test_calls_that_are_refused_are_counted_by_reason(web: Web) -> None:
    async with publishing(web.engine.database):
        await web.github("issues", b"{}", secret=SECRET + "?")
        await web.github("issues", b"not json")
        await web.http.post("/webhooks/github/short", content=b"{}")
        await web.http.post(f"/webhooks/github/{'f' * 32}", content=b"{}")
    told = await scraped(web)
    refused = {key[1:]: value for key, value in told.items() if key[0] == "sync_webhook_rejected_total"}
    assert refused["signature", "github"] == 1
    assert refused["unreadable", "github"] == 1
    assert refused["unknown", "unknown"] == 2
    assert told["sync_webhook_intake_duration_seconds_count",] == 4
