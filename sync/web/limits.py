"""Bounds on what strangers may send: body size and time, before anything else looks at it."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

MAX_BODY = 25 * 1024 * 1024
"""GitHub delivers up to 25 MB (docs.github.com, "Webhook events and payloads")."""

BODY_SECONDS = 10.0


class TooLarge(Exception):
    """The body is larger than any provider sends."""


class Incomplete(Exception):
    """The body did not come within the deadline, or the sender went away."""


async def body_of(request: Request, *, limit: int = MAX_BODY, seconds: float = BODY_SECONDS) -> bytes:
    """The raw body.

    Raises:
        TooLarge: by the header, or by what really came.
        Incomplete: not all of it came in time.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and (len(declared) > 15 or int(declared) > limit):
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise TooLarge
                parts.append(part)
    except (TimeoutError, ClientDisconnect) as error:
        raise Incomplete from error
    return b"".join(parts)
