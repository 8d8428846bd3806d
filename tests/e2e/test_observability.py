"""What people who run it see from outside: one trace over both processes, log lines, metrics."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.town import Town, town

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@dataclass(frozen=True, slots=True)
class Span:
    """As it came over the wire."""

    name: str
    trace_id: str
    span_id: str
    parent: str
    pid: int


class Collector:
    """Takes spans as an OpenTelemetry collector does (OTLP over HTTP)."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Span] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            self.url = f"http://127.0.0.1:{server.server_port}"
            yield
            server.shutdown()

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {each.key: each.value for each in resource.resource.attributes}
            assert about["service.name"].string_value == "asana-sync"
            self.spans += [
                Span(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    about["process.pid"].int_value,
                )
                for scope in resource.scope_spans
                for span in scope.spans
            ]

    def trace_of(self, span: Span) -> list[Span]:
        """From the first span down to this one."""
        above = [each for each in self.spans if each.span_id == span.parent]
        return [*(self.trace_of(above[0]) if above else []), span]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    with made.listening(), pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> AsyncIterator[Town]:
    """A town that is reached by webhook, after one edit of an issue arrived in Asana; it polls too seldom."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}", "POLL_SECONDS": "60"}
    async with town(tmp_path_factory.mktemp("town"), **address) as made:
        place = made.found("main")
        await made.up()

        async def subscribed() -> bool:
            states = [entry["state"] for entry in (await made.mapping("main"))["subscriptions"]]
            return states == ["active", "active"]

        await made.until(subscribed, "both subscriptions are active")
        issue = made.github.new(place.repo, title="Told by webhook")
        task = await made.twin(issue)
        made.github.edit(issue, title="Edited")
        await made.until(
            lambda: (made.asana.view(task) or {})["title"] == "Edited", "the title arrives in Asana"
        )
        yield made


async def test_one_trace_leads_from_the_delivery_to_the_write(watched: Town, collector: Collector) -> None:
    def chains() -> list[list[Span]]:
        found = [collector.trace_of(span) for span in list(collector.spans) if span.name == "write"]
        return [chain for chain in found if [span.name for span in chain] == ["delivery", "pass", "write"]]

    await watched.until(chains, "a trace from a delivery to a write")
    for delivery, passed, write in chains():
        assert delivery.trace_id == passed.trace_id == write.trace_id
        assert delivery.pid != passed.pid == write.pid, "the web side took it, a worker wrote"
    logged = [json.loads(line) for line in watched.log.read_text().splitlines() if line.startswith("{")]
    written = {line.get("trace_id") for line in logged if line["event"] == "write.done"}
    stored = {line.get("trace_id") for line in logged if line["event"] == "delivery.stored"}
    assert {chain[0].trace_id for chain in chains()} <= written & stored


@pytest.mark.chaos
async def test_metrics_tell_what_the_workers_did(watched: Town) -> None:
    async def scraped() -> dict[tuple[str, ...], float]:
        text = (await watched.http.get(f"{watched.url}/metrics")).text
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def counted() -> bool:
        return (await scraped()).get(("sync_lag_seconds_count", "github", "asana"), 0) > 0

    await watched.until(counted, "the workers' counts are published")
    told = await scraped()
    assert told["sync_writes_total", "create", "done", "asana"] == 1
    assert told["sync_writes_total", "update", "done", "asana"] >= 1
    assert told["sync_event_received_total", "issues", "processed", "github"] >= 2
    assert told["sync_api_requests_total", "asana", "2xx"] > 0
    assert told["sync_event_to_write_seconds_sum",] < 60 * told["sync_event_to_write_seconds_count",]
    assert told["sync_webhook_intake_duration_seconds_count",] > 0
