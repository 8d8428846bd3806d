"""The floor of a full pass: the same listings by a bare httpx client, both sides at once.

``python -m tests.bench.scan < listings.json`` prints how many seconds they took. The document:
``[{"url": ..., "headers": {...}}, ...]``, each the first page; the next ones are where the answer says.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx


async def run(listings: Sequence[Mapping[str, Any]]) -> float:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:

        async def to_the_end(url: str | None, headers: Mapping[str, str]) -> None:
            while url is not None:
                answer = await client.get(url, headers=headers)
                url = _next(answer.raise_for_status())

        started = time.perf_counter()
        await asyncio.gather(*(to_the_end(listing["url"], listing["headers"]) for listing in listings))
        return time.perf_counter() - started


def _next(answer: httpx.Response) -> str | None:
    """GitHub says it in ``Link``, Asana in the body."""
    data = answer.json()
    page = (data.get("next_page") or {}).get("uri") if isinstance(data, dict) else None
    return page or answer.links.get("next", {}).get("url")


if __name__ == "__main__":
    print(asyncio.run(run(json.load(sys.stdin))))
