"""What the program logs, read from its source: the agreed events and keys, and a few beside them.

Who reads the logs searches by these words. Adding one is free, and is said here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sync

SOURCE = Path(sync.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception"}
KEYS = {
    *("ts", "level", "event", "connection", "mapping", "link", "ref"),
    *("write_id", "delivery_id", "reason", "duration_ms"),
}
EVENTS = {
    *("delivery.stored", "poll.done", "pass.done", "write.start", "write.done", "write.unknown"),
    *("conflict.kept", "link.made", "link.parked", "mapping.paused", "lease.lost"),
}
"""Both as the outside interface fixes them."""
BESIDE: dict[str, set[str]] = {
    "delivery.refused": set(),
    "connection.ok": set(),
    "process.ended": {"process", "again_in_s"},
    "subscription": set(),
    "tick": set(),
    "upkeep": set(),
    "alert": set(),
    "stream": set(),
    "tracing": set(),
    "audit": set(),
    "errand.refused": set(),
    "interaction.answered": set(),
    "interaction.failed": set(),
    "interaction.refused": set(),
}
"""Further events, and what they tell beside the agreed keys."""
MORE = {
    "delivery.stored": {"repeats"},
    "poll.done": {"container", "changes"},
    "pass.done": {"links"},
    "write.start": {"op"},
    "write.done": {"outcome"},
    "conflict.kept": {"field"},
    "link.parked": {"field"},
}
"""What the agreed events tell beside the agreed keys."""


@dataclass(frozen=True, slots=True)
class Call:
    """One place that logs."""

    place: str
    event: str
    keys: frozenset[str]


def calls() -> Iterator[Call]:
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        dicts = {
            target.id: {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in LEVELS or not _logs(node.func.value):
                continue
            assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}: the event is a literal"
            keys: set[str] = set()
            for keyword in node.keywords:
                if keyword.arg is not None:
                    keys.add(keyword.arg)
                else:
                    assert isinstance(keyword.value, ast.Name)
                    keys |= dicts[keyword.value.id]
            yield Call(f"{path.relative_to(SOURCE)}:{node.lineno}", node.args[0].value, frozenset(keys))


def _logs(logger: ast.expr) -> bool:
    """``log`` or ``get_logger()``."""
    if isinstance(logger, ast.Call):
        return isinstance(logger.func, ast.Name) and logger.func.id == "get_logger"
    return isinstance(logger, ast.Name) and logger.id == "log"


def test_every_agreed_event_is_logged_somewhere() -> None:
    assert {call.event for call in calls()} == EVENTS | BESIDE.keys()


def test_lines_have_the_agreed_keys_and_those_named_here() -> None:
    found = list(calls())
    assert len(found) > 30
    more = {**MORE, **BESIDE}
    strange = [call for call in found if call.keys - KEYS - more.get(call.event, set())]
    assert strange == []
    used = {event: {key for call in found if call.event == event for key in call.keys} for event in more}
    assert {event: keys - KEYS for event, keys in used.items()} == more, "what is named here is logged"
