"""Logs: one JSON object a line on stderr, keys as in the interfaces (``ts level event mapping link ...``).

``get_logger().info("write.done", mapping="website-bugs", write_id=7)`` is how the program logs; what
libraries say through the standard library comes out of the same pipe from WARNING on. Every text
passes the redaction, whoever wrote it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from connectors.redaction import redact
from sync.settings import Settings
from sync.store.times import rfc3339

get_logger = structlog.get_logger


class _Stderr:
    """stderr as it is at the moment: a progress bar stands in its place, and lines go above it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def configure(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send everything this process logs to ``stream`` (stderr), in the settings' level and format."""
    stream = stream or cast("TextIO", _Stderr())
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _lead,
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        _redact,
        structlog.processors.JSONRenderer(default=str)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="ts"),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))


def _lead(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """What every line begins with."""
    return {"ts": rfc3339(datetime.now(UTC)), "level": event["level"], "event": event["event"], **event}


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: _clean(value) for key, value in event.items()}


def _clean(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {key: _clean(item) for key, item in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [_clean(item) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))
