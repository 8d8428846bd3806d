"""The engine in this process, over simulated providers, with a clock of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from structlog.typing import EventDict

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from connectors.memory.simulator import MemorySimulator
from connectors.simulation import Simulator, serve
from sync.settings import Settings
from sync.store.database import Database
from tests.jobs.world import FAST, World

Build = Callable[..., Awaitable[World]]


@pytest.fixture(autouse=True)
def told() -> Iterator[list[EventDict]]:
    """What is logged."""
    with capture_logs(processors=[merge_contextvars]) as entries:
        yield entries


@pytest.fixture
async def build(settings: Settings, database: Database) -> AsyncIterator[Build]:
    """Makes a World with one mapping between a project and a container of ``external``.

    Args of the maker: ``external`` a simulator class, ``settings`` over the fast ones, ``prepare`` what
    is there before the mapping and tells more of it, everything else as in the mapping of a
    configuration file.
    """
    async with AsyncExitStack() as stack:

        async def make(
            external: type[Simulator] = MemorySimulator,
            *,
            settings_: dict[str, Any] | None = None,
            first: bool = True,
            prepare: Callable[[World], dict[str, Any]] = lambda world: {},
            **mapping: Any,
        ) -> World:
            hub, other = AsanaSimulator(), external()
            urls = {each.name: await stack.enter_async_context(serve(each)) for each in (hub, other)}
            world = World.over(
                settings.model_copy(update={**FAST, **(settings_ or {})}), database, hub, other, urls
            )
            stack.push_async_callback(world.engine.sessions.aclose)
            await world.apply(**mapping, **prepare(world))
            if first:
                await world.settle()
            return world

        yield make


@pytest.fixture
async def world(build: Build) -> World:
    """Memory and Asana, both empty, after the first sync."""
    return await build()


@pytest.fixture
async def github(build: Build) -> World:
    """GitHub and Asana, both empty, after the first sync."""
    return await build(GitHubSimulator)
