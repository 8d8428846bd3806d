"""What ``status`` says below its tables: how far a first sync is, and what helps."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from sync.commands.watching import _show_status

WRITING = {"phase": "writing", "done": 12, "total": 60, "rate_per_s": 16.0, "eta_s": 3.0}
LISTING = {"phase": "listing", "done": 0, "total": None, "rate_per_s": None, "eta_s": None}


def shown(**more: Any) -> str:
    """A mapping and a connection, with these parts of the document."""
    mapping = {
        "name": "web",
        "state": "active",
        "links": {"active": 12},
        "pending": 0,
        "conflicts_open": 0,
        "parked_open": 0,
        "writes_total": {"asana": 12, "external": 0},
        "reason": "",
        "waiting": [],
        "first_sync": None,
        "approval": None,
        "subscriptions": [],
    }
    connection = {
        "name": "gh",
        "connector": "github",
        "state": "ok",
        "account": {"id": "1", "name": "bot"},
        "reason": "",
    }
    said = StringIO()
    seen = {
        "version": "1",
        "instance": {"url": None},
        "quiet": True,
        "paused": False,
        "connections": [connection | {key: more[key] for key in more.keys() & connection.keys()}],
        "mappings": [mapping | {key: more[key] for key in more.keys() - connection.keys()}],
    }
    _show_status(seen, Console(file=said, width=160))
    return said.getvalue()


@pytest.mark.parametrize(
    ("far", "line"),
    [
        (WRITING, "web: first sync, writing: 12 of 60, about 3 s left"),
        (LISTING, "web: first sync, listing\n"),
    ],
)
def test_it_tells_how_far_a_first_sync_is(far: dict[str, Any], line: str) -> None:
    assert line in shown(first_sync=far)
    assert "first sync" not in shown()


def test_it_tells_what_helps_where_credentials_were_refused() -> None:
    assert "asana-sync check gh" in shown(state="needs_reauth")
    assert "asana-sync check" not in shown()
