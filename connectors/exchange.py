"""One request and its answer, read whole: with what it tells on the side: what is left, and the clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from statistics import median
from typing import TypeAlias

import httpx

from connectors.answers import Answer, Quota, http_date, parsed, quota

_MAX_BODY = 32 * 1024 * 1024
_CLOCK_SAMPLES = 31

Observe: TypeAlias = Callable[[int | None, float], None]
"""Told of every request: the answer's status, None where none could be read, and the seconds."""


class UnreadableAnswer(Exception):
    """Bytes came, but nothing that can be worked with."""


class Exchanges:
    """The requests of one connection, whoever makes them. ``quota``: what the provider last said is left."""

    def __init__(self, client: httpx.AsyncClient, observe: Observe) -> None:
        self.quota: Quota | None = None
        self._client = client
        self._observe = observe
        self._offsets: deque[float] = deque(maxlen=_CLOCK_SAMPLES)

    @property
    def clock_offset_s(self) -> float | None:
        """The provider's clock minus ours in seconds, None before the first answer with a Date."""
        return median(self._offsets) if self._offsets else None

    async def send(self, request: httpx.Request) -> Answer:
        """Send one request and read its answer whole.

        Raises:
            httpx.RequestError: as httpx does.
            UnreadableAnswer: too large, or 2xx without JSON.
        """
        status, start = None, time.monotonic()
        try:
            answer = await self._answer_to(request)
            status = answer.status
        finally:
            self._observe(status, time.monotonic() - start)
        return answer

    async def _answer_to(self, request: httpx.Request) -> Answer:
        sent_at, start = datetime.now(UTC), time.monotonic()
        response = await self._client.send(request, stream=True)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._note(headers, sent_at, time.monotonic() - start)
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MAX_BODY:
                    raise UnreadableAnswer("the answer is too large")
        finally:
            await response.aclose()
        try:
            data = parsed(bytes(body))
        except ValueError:
            if response.is_success:
                raise UnreadableAnswer("the answer is not JSON") from None
            data = None
        return Answer(response.status_code, headers, data)

    def _note(self, headers: Mapping[str, str], sent_at: datetime, took_s: float) -> None:
        self.quota = quota(headers, sent_at) or self.quota
        date = http_date(headers.get("date", ""))
        if date is not None:
            # Date is cut to whole seconds: half a second later is the best guess.
            self._offsets.append((date - sent_at).total_seconds() + 0.5 - took_s / 2)
