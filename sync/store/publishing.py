"""What the processes count (:mod:`sync.metrics`), added up in the database.

Each adds what came since it last did, about once a second and when it ends: a killed one takes the last
second of its counts along. Nothing of it is needed for syncing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry, Metric
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.metrics import REGISTRY
from sync.store import totals
from sync.store.database import Database
from sync.store.errors import StoreError
from sync.store.tables import Tally

_EVERY_S = 1.0

Sample = tuple[str, str]
"""Name, and labels as JSON text."""


class Publisher:
    """One process's counts on their way to the database; counts from before it was made are left out."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._told = dict(_samples(registry))
        self._named: set[Sample] = set()

    async def publish(self, database: Database) -> None:
        """Add what came since the last time. Raises StoreError where it must wait for the next time."""
        counted = dict(_samples(self._registry))
        # a histogram is only whole with its empty buckets: every sample is named once, even at 0
        news = [key for key, value in counted.items() if key not in self._named or value != self._told[key]]
        if not news:
            return
        rows = [
            Tally(name=name, labels=labels, value=counted[name, labels] - self._told.get((name, labels), 0.0))
            for name, labels in news
        ]
        async with database.write() as session:
            await totals.add(session, rows)
        self._told = counted
        self._named |= counted.keys()


@asynccontextmanager
async def publishing(database: Database) -> AsyncIterator[None]:
    """Inside, what this process counts is published."""
    publisher, ends = Publisher(), asyncio.Event()

    async def go_on() -> None:
        while not ends.is_set():
            with suppress(StoreError):
                await publisher.publish(database)
            with suppress(TimeoutError):
                await asyncio.wait_for(ends.wait(), _EVERY_S)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        ends.set()
        await task
        with suppress(StoreError):
            await publisher.publish(database)


async def published(session: AsyncSession) -> list[Metric]:
    """What all processes have counted so far."""
    families = [Metric(each.name, each.documentation, each.type) for each in REGISTRY.collect()]
    metrics = {name: family for family in families for name in _names(family)}
    query = select(Tally).where(col(Tally.name).in_(list(metrics)))
    rows = [(row.name, json.loads(row.labels), row.value) for row in (await session.execute(query)).scalars()]
    for name, labels, value in sorted(rows, key=lambda row: (row[0], _order(row[1]))):
        metrics[name].add_sample(name, labels, value)
    return families


def _samples(registry: CollectorRegistry) -> Iterator[tuple[Sample, float]]:
    for metric in registry.collect():
        names = _names(metric)
        for sample in metric.samples:
            if sample.name in names:
                yield (sample.name, json.dumps(sample.labels, sort_keys=True)), sample.value


def _names(metric: Metric) -> tuple[str, ...]:
    """The samples that are added up; when a process began to count, which it tells as well, is not."""
    ends: Iterable[str] = ("_bucket", "_count", "_sum") if metric.type == "histogram" else ("_total",)
    return tuple(metric.name + end for end in ends)


def _order(labels: dict[str, str]) -> list[tuple[str, float, str]]:
    """Buckets from small to large, everything else by name."""
    return [
        (name, float(value) if name == "le" else 0.0, value)
        for name, value in sorted(labels.items(), key=lambda item: (item[0] == "le", item[0]))
    ]
