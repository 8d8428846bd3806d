"""How a simulated GitHub refuses requests before it looks at them.

No ``User-Agent``, bad token, too many at once, primary limit, secondary limits.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from connectors.github.simulated_switches import Switches
from connectors.simulation import Clock, Exchange, Journal, RateLimit, Refused

CREATING = re.compile(r"/(issues|comments)$")
VERSIONS = ("2022-11-28", "2026-03-10")

_DOCS = "https://docs.github.com/rest"
_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


class Limits:
    """Who may ask, and how often."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        tokens: Callable[[str], str | None],
        switches: Switches,
    ) -> None:
        self.actors: dict[str, str] = {}
        """Who is behind the header of an admitted request."""
        self.used = 0
        """Requests of this hour."""
        self.blocked_until: datetime | None = None
        """End of a secondary limit's block."""
        self._clock = clock
        self._journal = journal
        self._tokens = tokens
        self._switches = switches
        self._window_ends = clock.now() + timedelta(hours=1)
        self._watched: list[Exchange] = []
        self._refused = 0
        self._points = RateLimit(clock, limit=0)
        self._creations = RateLimit(clock, limit=0)
        self._creations_hourly = RateLimit(clock, limit=0, window_s=3600.0)

    def _actor(self, headers: Mapping[str, str]) -> str | None:
        """Login of the account whose token the request carries."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self._tokens(token.strip()) if scheme.lower() in ("bearer", "token") else None

    def admit(self, exchange: Exchange) -> Refused | None:
        if self._clock.now() >= self._window_ends:
            self.used, self._window_ends = 0, self._clock.now() + timedelta(hours=1)
        refused = self._unacceptable(exchange) or self._secondary(exchange)
        if refused is None and not exchange.path.endswith("/rate_limit"):
            refused = self._primary(exchange)
        if refused is not None:
            refused.headers |= self.headers()
        return refused

    def refund(self) -> None:
        """The last request was answered 304: it was free."""
        self.used -= 1

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self._switches.requests_per_hour),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Resource": "core",
        }

    @property
    def remaining(self) -> int:
        return max(0, self._switches.requests_per_hour - self.used)

    @property
    def reset(self) -> int:
        """When the primary limit starts anew, in seconds since 1970."""
        return math.ceil(self._window_ends.timestamp())

    def _unacceptable(self, exchange: Exchange) -> Refused | None:
        if not exchange.headers.get("user-agent"):
            return Refused(
                403,
                "Request forbidden by administrative rules. Please make sure your request has"
                " a User-Agent header (https://docs.github.com/en/rest).",
            )
        version = exchange.headers.get("x-github-api-version", VERSIONS[0])
        if version not in VERSIONS:
            return Refused(400, f"API version '{version}' is not supported", documentation_url=_DOCS)
        switches = self._switches
        try:
            actor = self._actor(exchange.headers)
        except Refused as refused:
            return refused
        if switches.refuse_next > 0 or switches.revoked or actor is None:
            switches.refuse_next = max(0, switches.refuse_next - 1)
            given = "authorization" in exchange.headers
            message = "Bad credentials" if given else "Requires authentication"
            return Refused(401, message, documentation_url=_DOCS)
        self.actors[exchange.headers.get("authorization", "")] = actor
        return None

    def _primary(self, exchange: Exchange) -> Refused | None:
        unanswered = [e for e in self._watched if e.until is not None and e.status == 0]
        self._watched = [*(e for e in self._watched if e.until is None), exchange]
        self.used += self._switches.timeout_cost * len(unanswered)
        if not self.remaining:
            message = "API rate limit exceeded for user ID 1."
            return Refused(self._switches.limited_status, message, documentation_url=f"{_DOCS}/rate-limit")
        self.used += 1
        return None

    def _secondary(self, exchange: Exchange) -> Refused | None:
        now, switches = self._clock.now(), self._switches
        too_much = self.blocked_until is not None and now < self.blocked_until
        for _ in range(1 if exchange.method in ("GET", "HEAD") else 5):
            too_much |= _exceeds(self._points, switches.points_per_minute)
        if exchange.method == "POST" and CREATING.search(exchange.path):
            too_much |= _exceeds(self._creations, switches.creations_per_minute)
            too_much |= _exceeds(self._creations_hourly, switches.creations_per_hour)
        if too_much:
            self.blocked_until = now + timedelta(seconds=switches.penalty_s)
        elif len(self._journal.open) <= switches.concurrent:
            return None
        self._refused += 1
        told = switches.hints == "always" or (switches.hints == "alternate" and self._refused % 2 == 1)
        headers = {"Retry-After": str(math.ceil(switches.penalty_s))} if told else {}
        return Refused(switches.limited_status, _SECONDARY, headers, documentation_url=f"{_DOCS}/rate-limit")


def _exceeds(limit: RateLimit, number: int) -> bool:
    limit.limit = number
    return limit.take("") is not None
