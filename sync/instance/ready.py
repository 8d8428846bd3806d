"""Waiting until something outside this process answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import urlsplit

from sqlmodel import col, select

from sync.instance.folder import NotReady
from sync.store.database import Database
from sync.store.tables import Worker

_PAUSE_SECONDS = 0.02


async def until(true: Callable[[], Awaitable[bool]], *, within_s: float, otherwise: str) -> None:
    """Ask again and again; raises NotReady(otherwise) when the time is over."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                if await true():
                    return
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError as error:
        raise NotReady(otherwise) from error


async def web_answers(url: str) -> bool:
    """Whether ``/readyz`` says 200. By hand: the HTTP client is for providers, behind its egress guard."""
    address = urlsplit(url)
    request = f"GET /readyz HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(request.encode())
            return (await reader.readline()).split()[1:2] == [b"200"]
        finally:
            writer.close()
    except OSError:
        return False


async def worker_lives(database: Database, since: datetime) -> bool:
    """Whether a worker has shown a sign of life after that time."""
    async with database.read() as session:
        found = await session.scalars(select(Worker.id).where(col(Worker.heartbeat_at) >= since).limit(1))
        return found.first() is not None
