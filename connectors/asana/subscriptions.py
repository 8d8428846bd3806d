"""Webhooks at Asana: one for each project, found again by its target."""

from __future__ import annotations

from connectors.asana.client import Asana
from connectors.asana.dates import moment
from connectors.asana.translate import Row
from connectors.changes import Subscribed


class Subscriptions:
    """The account's webhooks."""

    def __init__(self, asana: Asana) -> None:
        self._asana = asana

    async def subscribe(self, project: str, target: str, secret: str) -> Subscribed:
        """Adopt the webhook that leads to ``target`` if its secret is known, else make a new one.

        Asana tells a secret once and refuses a second webhook to one target: without the secret the
        old webhook is of no use and goes first.

        Args:
            secret: of the webhook that leads there; empty if there is none.
        """
        for row in await self._asana.webhooks(project):
            if row.get("target") != target:
                continue
            if secret:
                return _subscribed(row, target, secret)
            await self._asana.delete_webhook(row["gid"])
        hook = await self._asana.create_webhook(project, target)
        return _subscribed(hook.row, target, hook.secret)

    async def subscription(self, gid: str) -> Subscribed | None:
        """How the webhook stands; Asana deletes it after 24 hours of failures."""
        row = await self._asana.webhook(gid)
        return None if row is None else _subscribed(row, "", None)

    async def unsubscribe(self, gid: str) -> None:
        await self._asana.delete_webhook(gid)


def _subscribed(row: Row, target: str, secret: str | None) -> Subscribed:
    succeeded_at = moment(row.get("last_success_at"))
    failed_at = moment(row.get("last_failure_at"))
    failing = failed_at is not None and (succeeded_at is None or failed_at > succeeded_at)
    return Subscribed(
        id=row["gid"],
        target=row.get("target") or target,
        active=row.get("active") is True,
        secret=secret,
        reason=str(row.get("last_failure_content") or "the last delivery failed") if failing else "",
        last_delivery_at=succeeded_at,
    )
