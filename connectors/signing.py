"""Signatures of webhook calls. Whatever a stranger sends, the answer is False and never an exception."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

_MAX_TIMESTAMP_DIGITS = 12


def hmac_sha256_hex(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the raw body, lower-case hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def matches(secret: str | Sequence[str], body: bytes, signature_header: str | None, prefix: str = "") -> bool:
    """Whether the header is ``prefix`` + HMAC-SHA256 hex of the raw body, compared in constant time.

    Args:
        secret: one, or several while a secret is exchanged, newest first. An empty one never matches.
        prefix: what the provider writes before the digits: ``sha256=`` (GitHub), ``v0=`` (Slack).
    """
    candidates = (secret,) if isinstance(secret, str) else secret
    # bytes: compare_digest raises TypeError for text outside ASCII
    given = (signature_header or "").encode(errors="replace")
    return any(
        hmac.compare_digest((prefix + hmac_sha256_hex(candidate, body)).encode(), given)
        for candidate in candidates
        if candidate
    )


def within_window(timestamp_text: str | None, now: datetime, seconds: float = 300) -> bool:
    """Whether a signed Unix timestamp is at most so many seconds away from ``now``, past or future."""
    text = timestamp_text or ""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_TIMESTAMP_DIGITS):
        return False
    return abs(now.timestamp() - int(text)) <= seconds
