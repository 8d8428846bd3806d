"""Where the providers' published documents are; nothing of them is part of the repository."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "fixtures"

OPENAPI = {
    "asana": "asana/openapi/asana_oas.sync-reduced.json",
    "github": "github/openapi/api.github.com.reduced.json",
}
"""By the name of the connector."""
GITHUB_WEBHOOKS = "github/webhooks-schema.json"


def missing() -> list[Path]:
    """Documents that are not there."""
    return [path for name in (*OPENAPI.values(), GITHUB_WEBHOOKS) if not (path := FOLDER / name).exists()]


@cache
def document(name: str) -> Any:
    """The content of a document, read once per process."""
    return json.loads((FOLDER / name).read_text())


def required() -> None:
    """Skip the test at hand, in CI fail it, where documents are missing."""
    if paths := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason(paths))


def reason(paths: Sequence[Path]) -> str:
    names = ", ".join(str(path) for path in paths)
    return f"NOT VALIDATED against the published specifications, for these are missing: {names}"
