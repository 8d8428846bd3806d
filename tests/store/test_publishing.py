"""Counts of many processes are one in the database."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import select
from sqlmodel import col

from sync import metrics
from sync.settings import Settings
from sync.store.database import Database
from sync.store.errors import StoreUnreachable
from sync.store.publishing import Publisher, published, publishing
from sync.store.tables import Tally


class Process:
    """One that counts by itself."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Counter("calls_total", "Calls", ["service"], registry=self.registry)
        self.took = Histogram("took_seconds", "How long", buckets=(1, 10), registry=self.registry)
        self.publisher = Publisher(self.registry)


async def tallies(database: Database) -> dict[tuple[str, str], float]:
    async with database.read() as session:
        rows = (await session.execute(select(Tally).order_by(col(Tally.name), col(Tally.labels)))).scalars()
        return {(row.name, row.labels): row.value for row in rows}


async def test_what_each_process_counts_is_added(database: Database) -> None:
    one, two = Process(), Process()
    one.calls.labels("asana").inc(2)
    await one.publisher.publish(database)
    two.calls.labels("asana").inc()
    two.calls.labels("github").inc()
    await two.publisher.publish(database)
    one.calls.labels("asana").inc()
    await one.publisher.publish(database)
    await one.publisher.publish(database)
    after_restart = Process()
    after_restart.calls.labels("asana").inc()
    await after_restart.publisher.publish(database)
    seen = await tallies(database)
    assert seen["calls_total", '{"service": "asana"}'] == 5
    assert seen["calls_total", '{"service": "github"}'] == 1


async def test_a_histogram_is_published_with_its_empty_buckets(database: Database) -> None:
    process = Process()
    process.took.observe(5)
    await process.publisher.publish(database)
    seen = {key: value for key, value in (await tallies(database)).items() if key[0].startswith("took")}
    assert seen == {
        ("took_seconds_bucket", '{"le": "+Inf"}'): 1,
        ("took_seconds_bucket", '{"le": "1.0"}'): 0,
        ("took_seconds_bucket", '{"le": "10.0"}'): 1,
        ("took_seconds_count", "{}"): 1,
        ("took_seconds_sum", "{}"): 5,
    }


async def test_nothing_new_writes_nothing(database: Database) -> None:
    process = Process()
    await process.publisher.publish(database)
    async with database.write() as session:
        for row in (await session.execute(select(Tally))).scalars():
            await session.delete(row)
    await process.publisher.publish(database)
    assert await tallies(database) == {}


async def test_what_could_not_be_published_comes_next_time(database: Database, settings: Settings) -> None:
    nowhere = Database.open(
        settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    )
    process = Process()
    process.calls.labels("asana").inc()
    with pytest.raises(StoreUnreachable):
        await process.publisher.publish(nowhere)
    await nowhere.close()
    await process.publisher.publish(database)
    assert (await tallies(database))["calls_total", '{"service": "asana"}'] == 1


async def test_the_end_of_a_process_publishes_what_is_left(database: Database) -> None:
    async with publishing(database):
        metrics.LAG.labels("here", "there").observe(3)
    async with database.read() as session:
        families = {family.name: family for family in await published(session)}
    mine = [
        sample for sample in families["sync_lag_seconds"].samples if sample.labels["service_from"] == "here"
    ]
    edges = [float(sample.labels["le"]) for sample in mine if sample.name == "sync_lag_seconds_bucket"]
    assert edges == sorted(edges)
    assert edges[0] == 0.5
    assert edges[-2:] == [3600, float("inf")]
    assert {sample.name: sample.value for sample in mine if "le" not in sample.labels} == {
        "sync_lag_seconds_count": 1,
        "sync_lag_seconds_sum": 3,
    }
