"""What a preview shows to people: a line for each write, in the width of a terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from sync.commands.preview import _show


def _item(op: str, side: str, key: str, fields: dict[str, tuple[Any, Any]], reason: str) -> dict[str, Any]:
    told = {name: {"before": before, "after": after} for name, (before, after) in fields.items()}
    return {"op": op, "side": side, "source": {"key": key, "title": ""}, "fields": told, "reason": reason}


def test_a_line_for_each_write() -> None:
    made = _item("create", "asana", "acme/web#5", {"title": (None, "A"), "labels": (None, ["x"])}, "new")
    changed = _item(
        "update", "external", "acme/web#6", {"title": ("A", "B"), "labels": (["x"], [])}, "edited"
    )
    none = dict.fromkeys(("create", "update", "comment_add", "attachment_add"), 0)
    lists = {name: [] for name in ("ambiguities", "duplicates", "conflicts", "waiting")}
    document = {
        "mapping": "web",
        "writes": 7,
        "items": [made, changed],
        "counts": {"asana": none, "external": none},
        "matched": 0,
        "in_step": 0,
        "time": {"seconds": 8.0, "governed_by": "writes"},
        **lists,
    }
    shown = StringIO()
    _show(document, Console(file=shown, width=80))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.getvalue().splitlines()]
    assert ["create in asana", "acme/web#5", "title, labels", "new"] in rows
    assert ["update in external", "acme/web#6", "title: A → B", "edited"] in rows
    assert ["", "", "labels: x →", ""] in rows
    assert "5 more: --limit 7" in shown.getvalue()
