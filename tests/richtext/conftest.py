"""Recorded cases of other people's converters, and texts made to hurt."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("richtext", deadline=None, database=None, max_examples=50)
settings.load_profile("richtext")

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "richtext"


def recorded(path: str) -> list[dict[str, Any]]:
    """The cases of a fixture file; without the folder the test is skipped, but never in CI."""
    file = FIXTURES / path
    if not file.is_file():
        reason = f"RECORDED CASES ARE MISSING: {file}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    cases: list[dict[str, Any]] = json.loads(file.read_text())
    return cases


@pytest.fixture(scope="session")
def commonmark() -> list[dict[str, Any]]:
    return recorded("commonmark/commonmark-0.31.2.json")


@pytest.fixture(scope="session")
def sgtm() -> list[dict[str, Any]]:
    return recorded("asana-html/sgtm-github-markdown-to-asana.json")
