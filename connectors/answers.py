"""Reading one answer of a provider: pure. What its status means, its message, what it says of limits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    ParkClass,
    PauseConnection,
    ReplanNeeded,
    RetryLater,
)

SILENCE_S = 60.0
"""How long we are silent after a 429 that does not say how long."""

_LONGEST_SILENCE_S = 86_400.0
_EPOCH_FROM = 1_000_000_000
"""Smaller numbers in a reset header are seconds from now, larger ones a time."""

_UNSTORABLE = re.compile(rb"\\u(?:d[89a-f]|0000)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; header names are lower case, ``data`` is parsed JSON or None where there is no body."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(frozen=True, slots=True)
class Quota:
    """What the provider says is left."""

    limit: int | None
    remaining: int | None
    reset_at: datetime | None


Classify: TypeAlias = Callable[[Answer, bool], ConnectorError | None]
"""(answer, was it a write) -> the error it means, None to leave it to the general table."""


def meaning(answer: Answer, write: bool, host: str) -> ConnectorError:
    """The error a status outside 2xx means, by the general table."""
    status, message = answer.status, provider_message(answer.data)
    reason = f"{host} answered {status}" + (f": {message}" if message else "")
    if status == 401:
        return PauseConnection(reason, provider_message=message, status=status)
    if status == 429:
        after = retry_after(answer.headers)
        after = SILENCE_S if after is None else after
        return RetryLater(reason, after=after, limited=True, provider_message=message, status=status)
    if status == 412:
        return ReplanNeeded(reason, provider_message=message, status=status)
    if status == 408 or status >= 500:
        if write:
            return OutcomeUnknown(reason, provider_message=message, status=status)
        after = retry_after(answer.headers)
        limited = after is not None
        return RetryLater(reason, after=after, limited=limited, provider_message=message, status=status)
    return Park(reason, park_class=_park_class(status), provider_message=message, status=status)


def _park_class(status: int) -> ParkClass:
    if status == 402:
        return ParkClass.NOT_SUPPORTED
    if status in (403, 404, 410, 451):
        return ParkClass.PERMISSION
    return ParkClass.REJECTED


def provider_message(data: Any) -> str:
    """What the provider says in ``message`` and ``errors[]``, joined; empty where it says nothing."""
    return "; ".join(dict.fromkeys(text for text in _messages(data) if text))


def _messages(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from _messages(item)
    elif isinstance(data, Mapping):
        message = data.get("message")
        if isinstance(message, str):
            yield message
        elif isinstance(data.get("code"), str):  # GitHub: {"resource", "field", "code"} without words
            yield " ".join(str(data[key]) for key in ("resource", "field", "code") if data.get(key))
        errors = data.get("errors")
        if isinstance(errors, list | str):
            yield from _messages(errors)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of the Retry-After header (number or date, RFC 9110 10.2.3); None where there are none."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until, now = http_date(text), http_date(headers.get("date", "")) or datetime.now(UTC)
        if until is None:
            return None
        seconds = (until - now).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), _LONGEST_SILENCE_S)


def http_date(text: str) -> datetime | None:
    """The time of a Date or Retry-After header as aware UTC, None where it is not one."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def quota(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """The ``x-ratelimit-*`` headers, None where the provider sends none."""
    limit, remaining, reset = (_number(headers, name) for name in ("limit", "remaining", "reset"))
    if limit is None and remaining is None:
        return None
    reset_at = None
    if reset is not None and reset < 100 * _EPOCH_FROM:
        reset_at = (
            datetime.fromtimestamp(reset, UTC) if reset >= _EPOCH_FROM else now + timedelta(seconds=reset)
        )
    return Quota(limit, remaining, reset_at)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"x-ratelimit-{name}", "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def parsed(body: bytes) -> Any:
    """The JSON of a body, None for an empty one; its texts can be stored and sent everywhere.

    Raises:
        ValueError: not JSON, or JSON made to break parsers (depth, length of numbers).
    """
    if not body.strip():
        return None
    try:
        data = json.loads(body)
        return _storable(data) if _UNSTORABLE.search(body) else data
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _storable(data: Any) -> Any:
    """Half surrogate pairs and NUL become U+FFFD: UTF-8 cannot hold the first, PostgreSQL not the second."""
    if isinstance(data, str):
        whole = data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "\ufffd")
    if isinstance(data, list):
        return [_storable(item) for item in data]
    if isinstance(data, dict):
        return {_storable(name): _storable(value) for name, value in data.items()}
    return data
