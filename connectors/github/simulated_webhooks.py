"""The webhooks of a simulated GitHub: hooks, signed deliveries, their log and redelivery.

A delivery that is not answered 2xx within 10 s has failed; nobody repeats it. For three days it is
kept and sent again on request, with the same GUID.
https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

from connectors.github.simulated_account_shapes import Shape, stamp
from connectors.github.simulated_shapes import Shapes
from connectors.github.simulated_state import Happening, Repository
from connectors.github.simulated_switches import Switches
from connectors.signing import hmac_sha256_hex
from connectors.simulation import Clock, Outbox, Outgoing

KEPT = timedelta(days=3)
_UNUSED = {"code": None, "status": "unused", "message": None}
"""What a ping says of the last response, whatever it was."""
_REASONS = {None: "failed to connect", 200: "OK"}


@dataclass(eq=False, kw_only=True)
class Hook:
    """One webhook of a repository; ``secret`` is never shown again."""

    id: int
    repository: Repository
    url: str
    events: list[str]
    created_at: datetime
    updated_at: datetime
    content_type: str = "form"
    secret: str | None = None
    insecure_ssl: str = "0"
    active: bool = True
    last_status: int | None = None
    called: bool = False


@dataclass(eq=False, kw_only=True)
class Posted:
    """One delivery of a hook's log; ``status`` is None while, and where, nobody answered."""

    id: int
    guid: str
    hook: Hook
    event: str
    payload: Shape
    headers: Mapping[str, str] = field(repr=False)
    put_at: datetime
    redelivery: bool = False
    delivered_at: datetime | None = None
    status: int | None = None


class Webhooks:
    """Turns what happens into deliveries, and keeps their log."""

    def __init__(self, clock: Clock, outbox: Outbox, shapes: Shapes, switches: Switches) -> None:
        self.hooks: dict[int, Hook] = {}
        self.log: list[Posted] = []
        self._clock = clock
        self._outbox = outbox
        self._shapes = shapes
        self._switches = switches
        self._ids: Iterator[int] = count(1_000_001)

    def add(self, repository: Repository, url: str, events: list[str]) -> Hook:
        now = self._clock.now()
        hook = Hook(
            id=next(self._ids), repository=repository, url=url, events=events, created_at=now, updated_at=now
        )
        self.hooks[hook.id] = hook
        return hook

    def of(self, repository: Repository) -> list[Hook]:
        return [hook for hook in self.hooks.values() if hook.repository is repository]

    def announce(self, happening: Happening) -> None:
        """One delivery to each active hook that listens to this event."""
        for hook in self.of(happening.repository):
            if hook.active and {"*", happening.event} & set(hook.events):
                self._post(hook, happening.event, self._payload(happening))

    def ping(self, hook: Hook) -> None:
        payload = {
            "zen": "Anything added dilutes everything else.",
            "hook_id": hook.id,
            "hook": self.shape(hook) | {"last_response": _UNUSED},
            "repository": self._repository(hook.repository),
            "sender": self._shapes.account(hook.repository.owner),
        }
        self._post(hook, "ping", payload)

    def redeliver(self, posted: Posted) -> None:
        self._post(posted.hook, posted.event, posted.payload, guid=posted.guid)

    def kept(self, hook: Hook) -> list[Posted]:
        """The hook's attempted deliveries of the last three days, newest first."""
        since = self._clock.now() - KEPT
        attempted = [p for p in self.log if p.hook is hook and p.delivered_at and p.delivered_at >= since]
        return attempted[::-1]

    def shape(self, hook: Hook) -> Shape:
        url = f"{self._shapes.repository_url(hook.repository)}/hooks/{hook.id}"
        config = {"content_type": hook.content_type, "url": hook.url, "insecure_ssl": hook.insecure_ssl}
        code = hook.last_status
        status = "unused" if not hook.called else "active" if code is not None and code < 300 else "failed"
        message = None if not hook.called else _REASONS.get(code, f"Invalid HTTP Response: {code}")
        return {
            "type": "Repository",
            "id": hook.id,
            "name": "web",
            "active": hook.active,
            "events": hook.events,
            "config": config | ({"secret": "********"} if hook.secret else {}),
            "updated_at": stamp(hook.updated_at),
            "created_at": stamp(hook.created_at),
            "url": url,
            "test_url": f"{url}/test",
            "ping_url": f"{url}/pings",
            "deliveries_url": f"{url}/deliveries",
            "last_response": {"code": code, "status": status, "message": message},
        }

    def delivery(self, posted: Posted, *, whole: bool) -> Shape:
        at = posted.delivered_at or posted.put_at
        shape = {
            "id": posted.id,
            "guid": posted.guid,
            "delivered_at": stamp(at),
            "redelivery": posted.redelivery,
            "duration": round((at - posted.put_at).total_seconds(), 2),
            "status": _REASONS.get(posted.status, f"Invalid HTTP Response: {posted.status}"),
            "status_code": posted.status or 502,
            "event": posted.event,
            "action": posted.payload.get("action"),
            "installation_id": None,
            "repository_id": posted.hook.repository.id,
            "throttled_at": None,
        }
        if whole:
            shape["url"] = posted.hook.url
            shape["request"] = {"headers": dict(posted.headers), "payload": posted.payload}
            shape["response"] = {"headers": {}, "payload": ""}
        return shape

    def _post(self, hook: Hook, event: str, payload: Shape, guid: str | None = None) -> None:
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        if len(body) > self._switches.payload_limit_bytes:
            return
        if hook.content_type == "form":
            body = urlencode({"payload": body}).encode()
        posted = Posted(
            id=next(self._ids),
            guid=guid or str(uuid.uuid4()),
            hook=hook,
            event=event,
            payload=payload,
            headers={},
            put_at=self._clock.now(),
            redelivery=guid is not None,
        )
        posted.headers = _headers(hook, event, posted.guid, body)
        self.log.append(posted)

        def answered(status: int | None) -> None:
            posted.status, posted.delivered_at = status, self._clock.now()
            hook.last_status, hook.called = status, True

        self._outbox.put(Outgoing(target=hook.url, body=body, headers=posted.headers, answered=answered))

    def _repository(self, repository: Repository) -> Shape:
        return self._shapes.repository(repository) | {"custom_properties": {}}

    def _payload(self, happening: Happening) -> Shape:
        repository, shapes = happening.repository, self._shapes
        payload: dict[str, Any] = {"action": happening.action}
        if happening.changes:
            payload["changes"] = happening.changes
        if happening.issue is not None and happening.event == "pull_request":
            payload["number"] = happening.issue.number
            pull = shapes.pull(repository, happening.issue)
            for branch in (pull["head"], pull["base"]):
                branch["repo"] = self._repository(repository)
            payload["pull_request"] = pull
        elif happening.issue is not None:
            payload["issue"] = shapes.issue(repository, happening.issue, related=False)
        if happening.comment is not None:
            payload["comment"] = shapes.comment(repository, happening.comment)
        if happening.label is not None:
            payload["label"] = shapes.label(repository, happening.label)
        if happening.assignee is not None:
            payload["assignee"] = shapes.user(happening.assignee)
        if happening.milestone is not None:
            payload["milestone"] = shapes.milestone(repository, happening.milestone)
        if happening.other is not None:
            end, elsewhere, issue = happening.other
            payload["changes"] = {
                f"{end}_issue": shapes.issue(elsewhere, issue, related=False),
                f"{end}_repository": self._repository(elsewhere),
            }
        for at, (part, (home, issue)) in enumerate(happening.family.items()):
            payload[f"{part}_id"] = issue.id
            payload[part] = shapes.issue(home, issue)
            if at:
                payload[f"{part}_repo"] = self._repository(home)
        payload["repository"] = self._repository(repository)
        payload["sender"] = shapes.user(happening.actor)
        return payload


def _headers(hook: Hook, event: str, guid: str, body: bytes) -> dict[str, str]:
    form = "application/x-www-form-urlencoded"
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json" if hook.content_type == "json" else form,
        "User-Agent": "GitHub-Hookshot/0000000",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(hook.repository.id),
        "X-GitHub-Hook-Installation-Target-Type": "repository",
    }
    if hook.secret:
        headers["X-Hub-Signature-256"] = f"sha256={hmac_sha256_hex(hook.secret, body)}"
    return headers
