"""Reads one webhook call. Pure.

The store signs ``TIMESTAMP.BODY`` with the secret of the webhook: ``X-Memory-Signature`` is ``sha256=`` and
the HMAC-SHA256 in hex, ``X-Memory-Timestamp`` the Unix time.
"""

from __future__ import annotations

from datetime import datetime

from connectors.answers import parsed
from connectors.changes import Delivery, Received, Secrets
from connectors.errors import BadSignature, Unreadable
from connectors.memory import translate
from connectors.signing import matches, within_window


def read(delivery: Delivery, secrets: Secrets, site: str, now: datetime) -> Received:
    """What the call says has changed.

    Raises:
        BadSignature: not signed with one of the secrets, or too old.
        Unreadable: signed, but not what the store documents.
    """
    verify(delivery, secrets, now)
    try:
        body = parsed(delivery.body)
        dedupe, events = str(body["id"]), list(body["events"])
        changes = tuple(filter(None, (translate.change(event, site) for event in events)))
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"unexpected body: {type(error).__name__}") from error
    ignored = "" if changes else "nothing in it is synced"
    return Received(dedupe=dedupe, changes=changes, ignored=ignored)


def verify(delivery: Delivery, secrets: Secrets, now: datetime) -> None:
    """Raises BadSignature."""
    timestamp = delivery.headers.get("x-memory-timestamp", "")
    signed = timestamp.encode(errors="replace") + b"." + delivery.body
    if not matches(secrets.active, signed, delivery.headers.get("x-memory-signature"), "sha256="):
        raise BadSignature("the signature is wrong or missing")
    if not within_window(timestamp, now):
        raise BadSignature("the call is too old")
