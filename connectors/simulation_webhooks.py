"""How simulated providers send webhooks: in the background, with switches for all that goes wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

import httpx


@dataclass(kw_only=True)
class Outgoing:
    """One webhook call to make. ``answered`` learns each status, None where nobody answered."""

    target: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    backoff: Sequence[float] = ()
    """Seconds before each repetition of a call that was not acknowledged."""
    again: Callable[[int], Mapping[str, str]] | None = field(default=None, repr=False)
    """The headers of the n-th repetition; None: the same."""
    no_more: str = ""
    """A header by which who is called asks for no repetition."""
    answered: Callable[[int | None], None] = field(default=lambda status: None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One attempt of a webhook call."""

    at: datetime
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes
    status: int | None


class Outbox:
    """Sends webhooks in the background, in order per target unless a switch says otherwise.

    Switches: ``drop`` (all, or those the callable picks), ``duplicate`` (further copies of each),
    ``delay_s`` (late), ``reorder`` (what is put within 50 ms goes out backwards).
    Works while the simulator is served; what is put earlier waits for that.
    """

    def __init__(self, *, timeout_s: float = 10.0) -> None:
        self.drop: bool | Callable[[Outgoing], bool] = False
        self.duplicate = 0
        self.delay_s = 0.0
        self.reorder = False
        self.timeout_s = timeout_s
        self.sent: list[Sent] = []
        self._waiting: list[Outgoing] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None

    def put(self, outgoing: Outgoing) -> None:
        if self.drop(outgoing) if callable(self.drop) else self.drop:
            return
        self._waiting += [outgoing] * (1 + self.duplicate)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._start)

    async def idle(self) -> None:
        """Wait until everything put so far is sent, repetitions included."""
        await asyncio.sleep(0)
        while self._tasks or (self._waiting and self._loop):
            await asyncio.gather(*self._tasks)
            await asyncio.sleep(0)

    async def post(self, outgoing: Outgoing) -> httpx.Response | None:
        """Make one call now; None if nobody answers in time."""
        assert self._client is not None, "the simulator is not served"
        response = None
        with suppress(httpx.HTTPError, httpx.InvalidURL):
            response = await self._client.post(
                outgoing.target, content=outgoing.body, headers=outgoing.headers
            )
        status = response.status_code if response is not None else None
        self.sent.append(
            Sent(
                at=datetime.now(UTC),
                target=outgoing.target,
                headers=outgoing.headers,
                body=outgoing.body,
                status=status,
            )
        )
        outgoing.answered(status)
        return response

    @asynccontextmanager
    async def working(self, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[None]:
        """Send until the context is left; what is unsent then stays unsent.

        Args:
            transport: another wire than the network.
        """
        async with httpx.AsyncClient(
            timeout=self.timeout_s, trust_env=False, verify=_tls(), transport=transport
        ) as client:
            self._client, self._loop = client, asyncio.get_running_loop()
            self._start()
            try:
                yield
            finally:
                self._client, self._loop = None, None
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                self._lanes.clear()

    def _start(self) -> None:
        if self._waiting and self._loop is not None:
            task = self._loop.create_task(self._send_waiting())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send_waiting(self) -> None:
        if self.reorder:
            await asyncio.sleep(0.05)
        batch, self._waiting = self._waiting, []
        if self.reorder:
            batch.reverse()
        await asyncio.gather(*(self._deliver(outgoing) for outgoing in batch))

    async def _deliver(self, outgoing: Outgoing) -> None:
        await asyncio.sleep(self.delay_s)
        async with self._lanes[outgoing.target]:
            response = await self.post(outgoing)
        for number, pause in enumerate(outgoing.backoff, start=1):
            if response is not None and (
                response.is_success or response.status_code == 410 or outgoing.no_more in response.headers
            ):
                return
            await asyncio.sleep(pause)
            headers = outgoing.again(number) if outgoing.again else outgoing.headers
            response = await self.post(replace(outgoing, headers=headers))


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than most tests."""
    return ssl.create_default_context()
