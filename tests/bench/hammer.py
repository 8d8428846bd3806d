"""Webhook calls as fast as they are taken, or so many a second; over connections that stay open.

``python -m tests.bench.hammer < plan.json`` prints ``{"sent", "seconds", "p99_s", "statuses"}``. The plan:
``{"url", "calls", "fresh", "seconds", "connections", "per_s"}``. ``calls``: ``{"body", "headers"}``, signed,
sent round and round; ``fresh`` names a header that is new each time, if any; ``per_s`` null is as fast as
possible.
Bytes over plain streams: a client that costs more than the server would measure itself.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
import uuid
from collections import Counter
from typing import Any
from urllib.parse import urlsplit


class Hammer:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.url = urlsplit(plan["url"])
        self.calls = [(_head(each["headers"]), each["body"].encode()) for each in plan["calls"]]
        self.fresh = plan["fresh"]
        self.ends_at = time.perf_counter() + plan["seconds"]
        self.connections, self.per_s = plan["connections"], plan["per_s"]
        self.started = time.perf_counter()
        self.sent = 0
        self.took: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def run(self) -> dict[str, Any]:
        await asyncio.gather(*(self._connection() for _ in range(self.connections)))
        seconds = time.perf_counter() - self.started
        p99 = statistics.quantiles(self.took, n=100)[98]
        return {"sent": len(self.took), "seconds": seconds, "p99_s": p99, "statuses": dict(self.statuses)}

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection(self.url.hostname, self.url.port)
        while time.perf_counter() < self.ends_at:
            number, self.sent = self.sent, self.sent + 1
            due = time.perf_counter()
            if self.per_s is not None:
                due = self.started + number / self.per_s  # late ones count from when they were due
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(self._request(number % len(self.calls)))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.took.append(time.perf_counter() - due)
            self.statuses[int(head.split()[1])] += 1
        writer.close()

    def _request(self, number: int) -> bytes:
        headers, body = self.calls[number]
        fresh = f"{self.fresh}: {uuid.uuid4()}\r\n" if self.fresh else ""
        head = (
            f"POST {self.url.path} HTTP/1.1\r\nHost: {self.url.netloc}\r\nContent-Length: {len(body)}\r\n"
            f"{headers}{fresh}\r\n"
        )
        return head.encode() + body


def _head(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Hammer(json.load(sys.stdin)).run())))
