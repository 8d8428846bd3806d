"""Our webhook at a repository. Source: docs.github.com/rest/repos/webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from connectors.changes import Subscribed
from connectors.errors import ConnectorError, Park, ParkClass, ReplanNeeded
from connectors.github.client import Client
from connectors.github.fields import Payload
from connectors.github.refusals import UNREACHABLE
from connectors.github.translate import instant
from connectors.github.webhook import DEPENDENCIES, EVENTS, SUB_ISSUES

_NOT_SERVED = frozenset({403, 404, 405, 410, 501})
"""Without the log, polling finds what was missed."""
_FURTHER = ((SUB_ISSUES, DEPENDENCIES), (SUB_ISSUES,), ())
"""Events that Enterprise Servers got one after the other: an unknown one is refused with all the rest."""


async def subscribe(client: Client, container: str, target: str, secret: str) -> Subscribed:
    """Make the webhook, or take over the one that already leads to ``target``.

    GitHub never tells a secret again, so one that is taken over gets ours.
    """
    wanted = {
        "active": True,
        "config": {"url": target, "content_type": "json", "secret": secret, "insecure_ssl": "0"},
    }
    with _webhook_permission(container):
        for further in _FURTHER:
            try:
                hook = await _put(client, container, target, {**wanted, "events": [*EVENTS, *further]})
                break
            except Park as refused:
                if refused.status != 422 or not further:
                    raise
    return _subscribed(hook, secret)


async def _put(client: Client, container: str, target: str, wanted: Mapping[str, Any]) -> Payload:
    hook = await _leading_to(client, container, target)
    if hook is not None:
        return await client.edit_hook(container, str(hook["id"]), wanted)
    return await _made(client, container, target, wanted)


async def subscription(client: Client, container: str, id: str) -> Subscribed | None:
    """How the webhook stands; None if it is gone."""
    try:
        return _subscribed(await client.hook(container, id))
    except Park as refused:
        if refused.status != 404:
            raise
        return None


async def redeliver(client: Client, container: str, id: str, since: datetime) -> int:
    """Ask for each delivery once more that failed since then: GitHub repeats none by itself.

    Source: docs.github.com, "Automatically redelivering failed deliveries for a repository webhook". A
    delivery and its repetitions share a GUID.
    """
    try:
        log = await client.deliveries(container, id, since)
    except ConnectorError as refused:
        if refused.status not in _NOT_SERVED:
            raise
        return 0
    tries: dict[str, list[Payload]] = {}
    for delivery in log:
        if instant(delivery["delivered_at"]) >= since and delivery.get("event") != "ping":
            tries.setdefault(str(delivery["guid"]), []).append(delivery)
    missed = [
        each[0]["id"]
        for each in tries.values()
        if not any(_taken(one) or one.get("redelivery") for one in each)
    ]
    asked = 0
    for delivery_id in reversed(missed):  # oldest first
        with suppress(Park, ReplanNeeded):  # it fell out of the log meanwhile
            await client.redeliver(container, id, delivery_id)
            asked += 1
    return asked


def _taken(delivery: Payload) -> bool:
    code = delivery.get("status_code")
    return isinstance(code, int) and 200 <= code < 300


async def unsubscribe(client: Client, container: str, id: str) -> None:
    """Remove the webhook; already gone is success."""
    try:
        await client.delete_hook(container, id)
    except (Park, ReplanNeeded) as refused:
        if refused.status not in (404, 410):
            raise


async def _made(client: Client, container: str, target: str, wanted: Mapping[str, Any]) -> Payload:
    try:
        return await client.create_hook(container, {"name": "web", **wanted})
    except Park as refused:  # "Hook already exists on this repository": somebody was faster
        hook = await _leading_to(client, container, target) if refused.status == 422 else None
        if hook is None:
            raise
    return await client.edit_hook(container, str(hook["id"]), wanted)


async def _leading_to(client: Client, container: str, target: str) -> Payload | None:
    hooks = await client.hooks(container)
    return next((hook for hook in hooks if (hook.get("config") or {}).get("url") == target), None)


def _subscribed(hook: Payload, secret: str | None = None) -> Subscribed:
    last = hook.get("last_response") or {}
    code = last.get("code")
    failed = isinstance(code, int) and not 200 <= code < 300
    told = ": ".join(str(part) for part in (code, last.get("message")) if part)
    return Subscribed(
        id=str(hook["id"]),
        target=str((hook.get("config") or {}).get("url") or ""),
        active=bool(hook.get("active", True)),
        secret=secret,
        reason=f"the last delivery was answered with {told}" if failed else "",
    )


@contextmanager
def _webhook_permission(container: str) -> Iterator[None]:
    try:
        yield
    except (Park, ReplanNeeded) as refused:
        if refused.status not in UNREACHABLE:
            raise
        raise Park(
            f"the account may not manage webhooks of {container}",
            park_class=ParkClass.PERMISSION,
            fix=(
                "Make the account an administrator of the repository, and give the token the permission "
                "Webhooks: read and write (classic: scope admin:repo_hook). Until then changes are polled."
            ),
            provider_message=refused.provider_message,
            status=refused.status,
        ) from refused
