"""Traces: none without being asked for, and then without a byte of OpenTelemetry; else one chain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from structlog.contextvars import get_contextvars

from sync import tracing

TARGET = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
WORKER = "import sys, sync.jobs.worker, sync.tracing as tracing\n"
"""What the worker imports. On the web side FastAPI looks for OpenTelemetry, too."""


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Takes what is traced meanwhile."""
    kept = InMemorySpanExporter()
    tracing.trace_to(SimpleSpanProcessor(kept))
    yield kept
    tracing.stop()


def python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WORKER + program], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        (TARGET, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({**TARGET, "OTEL_SDK_DISABLED": "true"}, False),
        ({**TARGET, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**TARGET, "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_the_environment_asks_for_it(environment: dict[str, str], asked: bool) -> None:
    assert tracing.asked_for(environment) is asked


def test_nothing_of_it_is_imported_unasked() -> None:
    said = python(
        "tracing.start({})\n"
        "with tracing.span('pass', {'link': 1}): print(repr(tracing.traceparent()), tracing.is_on())\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    assert said == "'' False\n[]\n"


def test_without_the_extra_it_says_so_and_goes_on() -> None:
    said = python(
        "sys.modules['opentelemetry'] = None\n"
        f"tracing.start({TARGET})\n"
        "with tracing.span('pass', {}): print(tracing.is_on())"
    )
    assert "asana-sync[otel]" in said
    assert said.endswith("False\n")


def test_a_span_goes_on_from_one_elsewhere(exporter: InMemorySpanExporter) -> None:
    with tracing.span("delivery", {"connection": "github"}):
        carried = tracing.traceparent()
        assert get_contextvars()["trace_id"] in carried
    with (
        tracing.span("pass", {"mapping": "web", "link": None}, parent=carried),
        tracing.span("write", {"write_id": 7}),
    ):
        pass
    with tracing.span("pass", {}):
        pass
    delivery, write, passed, other = exporter.get_finished_spans()
    assert [span.name for span in (delivery, passed, write)] == ["delivery", "pass", "write"]
    assert delivery.parent is None
    assert passed.parent is not None
    assert write.parent is not None
    assert passed.parent.span_id == delivery.context.span_id
    assert write.parent.span_id == passed.context.span_id
    assert delivery.context.trace_id == passed.context.trace_id == write.context.trace_id
    assert other.context.trace_id != delivery.context.trace_id
    assert dict(passed.attributes or {}) == {"sync.mapping": "web"}
    assert get_contextvars() == {}


def test_errors_are_marked_and_not_quoted(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="private"), tracing.span("write", {"op": "update"}):
        raise ValueError("something private")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert "private" not in span.to_json()
