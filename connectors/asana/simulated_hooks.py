"""Webhooks of a simulated workspace.

https://developers.asana.com/docs/webhooks-guide: handshake while the create call is open, signed
deliveries, heartbeats, deletion after a day of failures or one 410.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from connectors.asana.simulated_events import Event, seen_by
from connectors.asana.simulated_records import Link, rfc3339
from connectors.simulation import Clock, Outbox, Outgoing, Refused

FAILING_AT_MOST = timedelta(hours=24)


@dataclass(slots=True, kw_only=True)
class Hook:
    gid: str
    owner: str
    resource: Link
    target: str
    secret: str = field(repr=False)
    created_at: datetime
    filters: list[dict[str, Any]] = field(default_factory=list)
    active: bool = False
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_failure_content: str = ""
    failing_since: datetime | None = None
    retries: int = 0

    def record(self) -> dict[str, Any]:
        """Times that never were are left out, for the published schema knows no null there."""
        gives_up = self.failing_since + FAILING_AT_MOST if self.failing_since else None
        times = {
            "last_success_at": self.last_success_at,
            "last_failure_at": self.last_failure_at,
            "failure_deletion_timestamp": gives_up,
        }
        return {
            "gid": self.gid,
            "resource_type": "webhook",
            "active": self.active,
            "resource": self.resource,
            "target": self.target,
            "created_at": rfc3339(self.created_at),
            "last_failure_content": self.last_failure_content,
            "delivery_retry_count": self.retries,
            "filters": self.filters,
        } | {name: rfc3339(at) for name, at in times.items() if at}


class Hooks:
    """The webhooks and their deliveries.

    Switches: ``backoff_s`` (pauses before repetitions), ``allow_loopback_targets`` (Asana itself
    refuses localhost with 403).
    """

    def __init__(self, clock: Clock, outbox: Outbox) -> None:
        self.backoff_s: Sequence[float] = (0.2, 1.0, 5.0)
        self.allow_loopback_targets = True
        self.by_gid: dict[str, Hook] = {}
        self._clock = clock
        self._outbox = outbox

    async def create(
        self, gid: str, owner: str, resource: Link, target: str, filters: list[dict[str, Any]]
    ) -> Hook:
        """Make a webhook once its target has echoed the secret.

        Raises:
            Refused: target not allowed, taken, or without the echo.
        """
        if urlsplit(target).scheme not in ("http", "https") or not urlsplit(target).hostname:
            raise Refused(400, "target: Not a valid URL")
        if not self.allow_loopback_targets and _is_loopback(urlsplit(target).hostname or ""):
            raise Refused(403, "Invalid hostname for the webhook target")
        self._check_free(owner, resource, target)
        secret = secrets.token_hex(32)
        echo = await self._outbox.post(Outgoing(target=target, body=b"", headers={"X-Hook-Secret": secret}))
        if echo is None or echo.status_code not in (200, 204) or echo.headers.get("X-Hook-Secret") != secret:
            raise Refused(400, "The remote server did not respond with the expected handshake")
        self._check_free(owner, resource, target)
        hook = Hook(
            gid=gid,
            owner=owner,
            resource=resource,
            target=target,
            secret=secret,
            created_at=self._clock.now(),
            filters=filters,
        )
        self.by_gid[gid] = hook
        self._deliver(hook, [])
        return hook

    def heartbeat(self) -> None:
        """The empty delivery that every webhook gets every eight hours."""
        for hook in self.by_gid.values():
            self._deliver(hook, [])

    def tell(self, events: Sequence[Event]) -> None:
        """Deliver what one action made to every webhook that it concerns, in one call each."""
        for hook in self.by_gid.values():
            theirs = [e for e in events if hook.resource.gid in e.audience and seen_by(e, hook.filters)]
            if theirs:
                self._deliver(hook, theirs)

    def _deliver(self, hook: Hook, events: Sequence[Event]) -> None:
        body = json.dumps({"events": [_reduced(event.record()) for event in events]}).encode()
        signature = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
        self._outbox.put(
            Outgoing(
                target=hook.target,
                body=body,
                headers={"Content-Type": "application/json", "X-Hook-Signature": signature},
                backoff=self.backoff_s,
                answered=lambda status: self._answered(hook, status),
            )
        )

    def _answered(self, hook: Hook, status: int | None) -> None:
        now = self._clock.now()
        if status in (200, 204):
            hook.active, hook.last_success_at, hook.failing_since, hook.retries = True, now, None, 0
            return
        hook.last_failure_at = now
        hook.last_failure_content = "No answer" if status is None else f"{status} answered"
        hook.failing_since = hook.failing_since or now
        hook.retries += 1
        if status == 410 or now - hook.failing_since >= FAILING_AT_MOST:
            self.by_gid.pop(hook.gid, None)

    def _check_free(self, owner: str, resource: Link, target: str) -> None:
        for hook in self.by_gid.values():
            if (hook.owner, hook.resource.gid, hook.target) == (owner, resource.gid, target):
                raise Refused(403, "Duplicated webhook: this target already listens to the resource")


def _reduced(value: Any) -> Any:
    """Webhooks carry ids and types only."""
    if isinstance(value, Link):
        subtype = {"resource_subtype": value.subtype} if value.subtype else {}
        return {"gid": value.gid, "resource_type": value.kind} | subtype
    if isinstance(value, dict):
        return {key: _reduced(inner) for key, inner in value.items()}
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
