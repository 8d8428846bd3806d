"""The product's part of the 100,000 links, as a process of its own: ``fill`` makes the links, ``measure``
polls and compares. Settings come from the environment; prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import insert, update

from connectors.records import Record
from sync import logs
from sync.commands.working import opened_engine
from sync.jobs import polling, upkeep
from sync.jobs.engine import Engine
from sync.jobs.full_pass import full_pass
from sync.jobs.passes import sync_mapping
from sync.jobs.route import Route, open_route
from sync.reconcile.model import Side
from sync.settings import Settings
from sync.store import links
from sync.store.cursors import cursors_on
from sync.store.tables import Link, Mapping, Seen
from sync.store.values import dump

MAPPING = 1


async def fill(engine: Engine) -> dict[str, Any]:
    """Links between objects of the same title, settled as they stand."""
    route = await open_route(engine, MAPPING)
    assert route is not None
    tasks = {str(record.fields["title"]): record async for record in _listed(route, Side.HUB)}
    batch: list[tuple[Record, Record]] = []
    count = 0
    async for issue in _listed(route, Side.EXTERNAL):
        batch.append((tasks.pop(str(issue.fields["title"])), issue))
        if len(batch) == 1000:
            count += await _insert(engine, route, batch, count)
            batch = []
    count += await _insert(engine, route, batch, count)
    async with engine.database.write() as session:
        await session.execute(update(Mapping).values(state="active", full_pass_due=False))
    return {"links": count}


async def _listed(route: Route, side: Side) -> AsyncIterator[Record]:
    cursor, more, end = None, True, route.end(side)
    while more:
        page = await end.session.listing(end.container, cursor)
        for change in page.changes:
            if change.record is not None:
                yield change.record
        cursor, more = page.cursor, page.more


async def _insert(engine: Engine, route: Route, pairs: list[tuple[Record, Record]], first: int) -> int:
    now = engine.now()
    rows, seen = [], []
    for at, (task, issue) in enumerate(pairs, first + 1):
        link = Link(id=at, mapping_id=MAPPING, created_at=now, synced_at=now, comments_at=now)
        links.describe(link, Side.HUB, task)
        links.describe(link, Side.EXTERNAL, issue)
        link.hub_comments_version, link.external_comments_version = task.version, issue.version
        rows.append(link.model_dump())
        seen += [
            {
                "link_id": at,
                "field": rule.name,
                "hub": dump(task.fields.get(rule.hub)),
                "external": dump(issue.fields.get(rule.external)),
                "settled": True,
            }
            for rule in route.rules
        ]
    if rows:
        async with engine.database.write() as session:
            await session.execute(insert(Link), rows)
            await session.execute(insert(Seen), seen)
    return len(rows)


async def measure(engine: Engine) -> dict[str, Any]:
    """A poll of both sides and a pass; then a full pass and what it marked."""
    await upkeep.ensure_cursors(engine)
    await _look(engine)
    started = time.perf_counter()
    await _look(engine)
    delta_s = time.perf_counter() - started
    started = time.perf_counter()
    assert await full_pass(engine, MAPPING), "the full pass was not completed"
    await sync_mapping(engine, MAPPING)
    full_s = time.perf_counter() - started
    return {
        "delta_s": delta_s,
        "full_s": full_s,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


async def _look(engine: Engine) -> None:
    async with engine.database.read() as session:
        cursors = await cursors_on(session)
    for cursor in cursors:
        await polling.poll(engine, cursor.id, even_if_early=True)
    await sync_mapping(engine, MAPPING)


async def main(what: str) -> None:
    settings = Settings()
    logs.configure(settings)
    async with opened_engine(settings) as engine:
        print(json.dumps(await {"fill": fill, "measure": measure}[what](engine)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
