"""Asana's cost limit: what a request costs is known after it, so the balance may fall below zero.

https://developers.asana.com/docs/rate-limits#cost-limits
"""

from __future__ import annotations

from datetime import datetime

from connectors.simulation import Clock

SEARCHES_PER_MINUTE = 60


class CostLimit:
    """A balance per token, refilled at an even rate up to one minute's allowance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._balances: dict[str, tuple[float, datetime]] = {}

    def wait(self, token: str, per_minute: float | None) -> float | None:
        """Seconds until the balance is no more negative; None: it is not."""
        if per_minute is None:
            return None
        balance = self._balance(token, per_minute)
        return -balance / per_minute * 60 if balance < 0 else None

    def charge(self, token: str, per_minute: float | None, cost: float) -> None:
        if per_minute is not None:
            self._balances[token] = (self._balance(token, per_minute) - cost, self._clock.now())

    def _balance(self, token: str, per_minute: float) -> float:
        now = self._clock.now()
        balance, at = self._balances.get(token, (per_minute, now))
        return min(per_minute, balance + (now - at).total_seconds() * per_minute / 60)
