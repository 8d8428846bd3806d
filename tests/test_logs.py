"""Log lines: one JSON object each, the agreed keys first, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from sync import logs
from sync.settings import Settings

TOKEN = "ghp_0123456789abcdefghij"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the lines go; the standard library's set-up is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_begins_with_time_level_and_event(settings: Settings, stream: io.StringIO) -> None:
    logs.configure(settings, stream=stream)
    logs.get_logger().info("write.done", mapping="website-bugs", write_id=7)
    (line,) = lines(stream)
    assert list(line)[:3] == ["ts", "level", "event"]
    assert line["ts"].endswith("Z")
    assert len(line["ts"]) == len("2026-01-01T00:00:00.000Z")
    del line["ts"]
    assert line == {"level": "info", "event": "write.done", "mapping": "website-bugs", "write_id": 7}


def test_lower_levels_are_left_out(settings: Settings, stream: io.StringIO) -> None:
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}), stream=stream)
    logs.get_logger().info("poll.done")
    logs.get_logger().warning("mapping.paused")
    assert [line["event"] for line in lines(stream)] == ["mapping.paused"]


@pytest.mark.parametrize("library", ["uvicorn.error", "arq.worker", "sqlalchemy.engine", "httpx"])
def test_libraries_speak_the_same_way_from_warning_on(
    settings: Settings, stream: io.StringIO, library: str
) -> None:
    logs.configure(settings.model_copy(update={"log_level": "DEBUG"}), stream=stream)
    logging.getLogger(library).info("chatter")
    logging.getLogger(library).warning("used %s", TOKEN)
    (line,) = lines(stream)
    assert (line["level"], line["logger"], line["event"]) == ("warning", library, "used [redacted]")


def test_no_secret_at_any_depth(settings: Settings, stream: io.StringIO) -> None:
    logs.configure(settings, stream=stream)
    try:
        raise ValueError(f"refused {TOKEN}")
    except ValueError as error:
        logs.get_logger().exception(
            "write.unknown", reason=f"Bearer {TOKEN}", answer={"token": [TOKEN]}, error=error
        )
        logging.getLogger("arq").exception("job failed")
    assert TOKEN not in stream.getvalue()
    first, second = lines(stream)
    assert first["answer"] == {"token": ["[redacted]"]}
    assert "ValueError: refused [redacted]" in first["exception"]
    assert "ValueError: refused [redacted]" in second["exception"]


def test_text_for_people(settings: Settings, stream: io.StringIO) -> None:
    logs.configure(settings.model_copy(update={"log_format": "text"}), stream=stream)
    logs.get_logger().info("link.made", link=3, token=TOKEN)
    assert "link.made" in stream.getvalue()
    assert "link=3" in stream.getvalue()
    assert TOKEN not in stream.getvalue()
