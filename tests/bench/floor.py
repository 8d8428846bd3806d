"""The floor: the same writes by a bare httpx client, with the same number in flight.

``python -m tests.bench.floor < calls.json`` prints how many seconds they took. The document:
``{"in_flight": 15, "headers": {...}, "calls": [[method, url, body], ...]}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import httpx


async def run(in_flight: int, headers: dict[str, str], calls: list[list[Any]]) -> float:
    waiting = iter(calls)
    limits = httpx.Limits(max_connections=in_flight)
    async with httpx.AsyncClient(headers=headers, limits=limits, timeout=30, trust_env=False) as client:

        async def one_after_the_other() -> None:
            for method, url, body in waiting:
                (await client.request(method, url, json=body)).raise_for_status()

        started = time.perf_counter()
        await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
        return time.perf_counter() - started


if __name__ == "__main__":
    print(asyncio.run(run(**json.load(sys.stdin))))
