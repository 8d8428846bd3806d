"""One webhook call of Asana: handshake, heartbeat or events. Pure.

The secret comes from Asana, once, in a call that anybody could send: it is taken only while we wait
for it, and never over one that we have (https://developers.asana.com/docs/webhooks-guide#security).
"""

from __future__ import annotations

import hashlib
import re

from connectors import signing
from connectors.answers import parsed
from connectors.asana.events import changes_of
from connectors.changes import Delivery, Handshake, Received, Secrets
from connectors.errors import BadSignature, Unreadable

_SECRET = re.compile(r"[\x21-\x7e]{1,256}")


def receive(delivery: Delivery, secrets: Secrets, site: str) -> Received | Handshake:
    """Check and read one call for a project of the workspace ``site``.

    Raises:
        BadSignature: not signed with our secret, or a handshake that nobody waits for.
        Unreadable: signed, but no list of events.
    """
    signature = delivery.headers.get("x-hook-signature")
    offered = delivery.headers.get("x-hook-secret")
    if offered is not None and signature is None:
        return _handshake(offered, secrets)
    if not signing.matches(secrets.active, delivery.body, signature):
        raise BadSignature("X-Hook-Signature does not match")
    events = _events(delivery.body)
    # Asana gives a delivery no id. Heartbeats are all alike, and nothing is lost with them.
    digest = hashlib.sha256(delivery.body).hexdigest()
    if not events:
        return Received(dedupe=digest, ignored="heartbeat")
    changes, ignored = changes_of(events, site)
    return Received(dedupe=digest, changes=changes, ignored="" if changes else ignored)


def _handshake(offered: str, secrets: Secrets) -> Handshake:
    if not secrets.pending or secrets.active:
        raise BadSignature("a handshake that nobody waits for")
    if not _SECRET.fullmatch(offered):
        raise BadSignature("a handshake with an unusable secret")
    return Handshake(secret=offered, reply_headers={"X-Hook-Secret": offered})


def _events(body: bytes) -> list[object]:
    try:
        payload = parsed(body)
    except ValueError as error:
        raise Unreadable("the body is not JSON") from error
    events = payload.get("events") if isinstance(payload, dict) else None
    if not isinstance(events, list):
        raise Unreadable("the body has no list of events")
    return events
