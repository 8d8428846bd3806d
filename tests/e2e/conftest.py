"""Towns: one of its own for a test, or one shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.town import Town, town
from tests.stores import own_stores


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]) -> AsyncIterator[Town]:
    """A running town with the mapping ``main``; tests make objects of their own in it."""
    async with town(tmp_path_factory.mktemp("town"), **await own_stores(servers)) as made:
        made.found("main", limits={"deletes_percent": 100, "creates_per_hour": 10000})
        await made.up()
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def empty(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, str]) -> AsyncIterator[Town]:
    """A town where nothing runs yet."""
    async with town(tmp_path_factory.mktemp("town"), **await own_stores(servers)) as made:
        yield made
