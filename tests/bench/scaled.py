"""The product's part of the 100,000 links, as a process of its own: ``fill`` links the pairs of standard
input, ``look`` polls and works until nothing is left to do, ``compare`` is a full pass. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import col

from connectors.records import Record, Ref
from sync import logs
from sync.commands.working import opened_engine
from sync.jobs.engine import Engine
from sync.jobs.passing.passes import sync_mapping
from sync.jobs.routing.route import Route, open_route
from sync.jobs.tending import upkeep
from sync.jobs.watching import polling
from sync.jobs.watching.full_pass import full_pass
from sync.reconcile.model import Side
from sync.settings import Settings
from sync.store.cursors import cursors_on
from sync.store.tables import Link, Mapping, Mark, Seen
from sync.store.values import dump
from tests.bench.crowd import Known, sample_of, word

MAPPING = 1
_AT_ONCE = 1000


async def fill(engine: Engine, plan: dict[str, Any]) -> None:
    """Link the pairs as they stand. Only ``samples`` are read: all others look like one of them."""
    route = await open_route(engine, MAPPING)
    assert route is not None
    await upkeep.ensure_cursors(engine)
    samples = [await _read(route, pair) for pair in plan["samples"]]
    pairs, first = plan["pairs"], plan["first"]
    for at in range(0, len(pairs), _AT_ONCE):
        await _link(engine, route, samples, pairs[at : at + _AT_ONCE], first + at)
    async with engine.database.write() as session:
        await session.execute(update(Mapping).values(state="active", full_pass_due=False))
    await _poll(engine)


async def _read(route: Route, pair: Known) -> dict[Side, Record]:
    records: dict[Side, Record] = {}
    for side, ref in _refs(route, pair).items():
        found = (await route.end(side).session.fetch_many([ref]))[ref]
        assert isinstance(found, Record)
        records[side] = found
    return records


def _refs(route: Route, pair: Known) -> dict[Side, Ref]:
    task, _, issue, number, _ = pair
    address = f"{route.end(Side.EXTERNAL).container}#{number}"
    return {
        Side.HUB: route.end(Side.HUB).ref("task", task),
        Side.EXTERNAL: route.end(Side.EXTERNAL).ref("issue", issue, address),
    }


async def _link(
    engine: Engine, route: Route, samples: list[dict[Side, Record]], pairs: Sequence[Known], first: int
) -> None:
    rows, seen = [], []
    for at, pair in enumerate(pairs, first):
        sample, old, new = samples[sample_of(at)], word(sample_of(at)), word(at)
        rows.append(_row(engine, route, sample, pair, at + 1))
        seen += [
            {
                "link_id": at + 1,
                "field": rule.name,
                **{
                    str(side): _renumbered(dump(sample[side].fields.get(rule.field(side))), old, new)
                    for side in Side
                },
                "settled": True,
            }
            for rule in route.rules
        ]
    async with engine.database.write() as session:
        await session.execute(insert(Link), rows)
        await session.execute(insert(Seen), seen)


def _row(
    engine: Engine, route: Route, sample: dict[Side, Record], pair: Known, link_id: int
) -> dict[str, Any]:
    before = engine.now() - timedelta(hours=1)
    row = Link(mapping_id=MAPPING, created_at=before, synced_at=before, comments_at=before).model_dump()
    versions = {Side.HUB: pair[1], Side.EXTERNAL: pair[4]}
    for side, ref in _refs(route, pair).items():
        end = {
            "ref": str(ref),
            "kind": ref.kind,
            "id": ref.id,
            "address": ref.address,
            "url": f"{sample[side].url}?{link_id}",
            "version": versions[side],
            "at": datetime.fromisoformat(versions[side]),
            "comments_version": versions[side],
        }
        row |= {f"{side}_{name}": value for name, value in end.items()}
    return {**row, "id": link_id, "external_key": row["external_address"]}


def _renumbered(value: Any, old: str, new: str) -> Any:
    return value.replace(old, new) if isinstance(value, str) else value


async def look(engine: Engine) -> float:
    """Seconds from a poll that finds edits until a pass has nothing left to do."""
    started = time.perf_counter()
    await _poll(engine)
    await sync_mapping(engine, MAPPING)
    took = time.perf_counter() - started
    await _poll(engine)
    while await _marked(engine):  # what waits for its time
        await sync_mapping(engine, MAPPING)
        await asyncio.sleep(0.2)
    async with engine.database.write() as session:  # as after the next regular look at their comments
        known = {f"{side}_comments_version": getattr(Link, f"{side}_version") for side in Side}
        await session.execute(update(Link).values(known))
    return took


async def compare(engine: Engine) -> dict[str, float]:
    """A full pass, which must not find anything."""
    started = time.perf_counter()
    assert await full_pass(engine, MAPPING), "the full pass was not completed"
    took = time.perf_counter() - started
    assert not await _marked(engine), "nothing differs from what was settled"
    return {"full_pass_100k_s": took, "rss_mb_100k": _peak_mb()}


def _peak_mb() -> float:
    """Of this program: ``getrusage`` counts in what its parent had when it started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024


async def _poll(engine: Engine) -> None:
    async with engine.database.read() as session:
        cursors = await cursors_on(session)
    for cursor in cursors:
        assert await polling.poll(engine, cursor.id, even_if_early=True), "the container was not read"


async def _marked(engine: Engine) -> bool:
    async with engine.database.read() as session:
        return (await session.execute(select(col(Mark.id)).limit(1))).first() is not None


async def main(what: str) -> None:
    settings = Settings()
    logs.configure(settings)
    async with opened_engine(settings) as engine:
        if what == "fill":
            await fill(engine, json.load(sys.stdin))
            print(json.dumps(None))
        else:
            print(json.dumps(await {"look": look, "compare": compare}[what](engine)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
