"""One running town for the commands that look at a living instance, one data folder where nothing runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.town import Town, town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """``up`` over both simulators, with one pair in step, and a conflict and a comment in its history."""
    async with town(tmp_path_factory.mktemp("running")) as made:
        place = made.found("main", limits={"deletes_percent": 100})
        await made.up()
        issue = made.github.new(place.repo, title="First issue", by="ada", labels=["bug"])
        await made.twin(issue)
        await made.quiet()
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def still(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The providers and a data folder; no ``up``."""
    async with town(tmp_path_factory.mktemp("still")) as made:
        made.found("main")
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
