"""One trace from a webhook call to the write that it leads to; nothing unless the environment asks for it.

OpenTelemetry comes with the extra ``otel``, and its own variables say where spans go
(``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_TRACES_SAMPLER``, ``OTEL_SERVICE_NAME``, ...). Without them nothing
of it is imported here. Spans carry names and ids, never what people wrote.

The web process takes the call and a worker does the write, and the queue between them only wakes: the
context of the call's span travels in its row (``delivery.trace``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import bound_contextvars

from sync import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

log = structlog.get_logger()

_TARGETS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_tracer: Any = None


def asked_for(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's variables name a place for traces, and do not switch them off."""
    off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
        or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not off and any(environment.get(name) for name in _TARGETS)


def start(environment: Mapping[str, str] = os.environ) -> None:
    """Trace from here on, if the environment asks for it. What is left is sent when the process ends."""
    if not asked_for(environment):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("tracing", reason="OTEL_* is set, but the extra is not installed: asana-sync[otel]")
        return
    trace_to(BatchSpanProcessor(OTLPSpanExporter()))


def trace_to(processor: SpanProcessor) -> None:
    """Spans go there from here on."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider

    global _tracer
    ours: dict[str, str | int] = {
        "service.name": "asana-sync",
        "service.version": __version__,
        "process.pid": os.getpid(),
    }
    provider = TracerProvider(resource=Resource(ours).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("asana-sync", __version__)


def stop() -> None:
    """No more spans."""
    global _tracer
    _tracer = None


def is_on() -> bool:
    return _tracer is not None


@contextmanager
def span(name: str, about: Mapping[str, object], *, parent: str = "") -> Iterator[None]:
    """A span around the body; log lines inside carry its ``trace_id``.

    Args:
        about: ids and names; None is left out.
        parent: the ``traceparent`` it goes on from; empty: the span around it, if there is one.
    """
    if _tracer is None:
        yield
        return
    from opentelemetry.trace import StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    known = {f"sync.{key}": value for key, value in about.items() if value is not None}
    with (
        # the text of an error may hold what people wrote
        _tracer.start_as_current_span(
            name, context, attributes=known, record_exception=False, set_status_on_exception=False
        ) as current,
        bound_contextvars(trace_id=f"{current.get_span_context().trace_id:032x}"),
        ExitStack() as failed,
    ):
        failed.callback(current.set_status, StatusCode.ERROR)
        yield
        failed.pop_all()


def traceparent() -> str:
    """The span at work, for whoever goes on elsewhere; empty where nothing is traced."""
    if _tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")
