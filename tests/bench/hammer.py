"""Webhook calls as fast as they are taken, or so many a second; over connections that stay open.

``python -m tests.bench.hammer < plan.json`` prints ``{"sent", "seconds", "p99_s", "statuses"}``. The plan:
``{"url", "headers", "bodies", "seconds", "connections", "per_s"}``; ``per_s`` null is as fast as possible.
Bytes over plain streams: a client that costs more than the server would measure itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
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
        self.bodies = [body.encode() for body in plan["bodies"]]
        self.signed = [
            hmac.new(plan["secret"].encode(), body, hashlib.sha256).hexdigest() for body in self.bodies
        ]
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
            writer.write(self._request(number % len(self.bodies)))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.took.append(time.perf_counter() - due)
            self.statuses[int(head.split()[1])] += 1
        writer.close()

    def _request(self, number: int) -> bytes:
        body = self.bodies[number]
        head = (
            f"POST {self.url.path} HTTP/1.1\r\nHost: {self.url.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-GitHub-Event: issues\r\n"
            f"X-GitHub-Delivery: {uuid.uuid4()}\r\nX-Hub-Signature-256: sha256={self.signed[number]}\r\n\r\n"
        )
        return head.encode() + body


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Hammer(json.load(sys.stdin)).run())))
