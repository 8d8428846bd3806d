"""What the account may not do in a repository, and what goes without it: asked by reading alone.

Sources: docs.github.com, "Repository roles for an organization", "Permissions required for fine-grained
personal access tokens". Whether a fine-grained token may write cannot be read; the first write shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.github.client import Client
from connectors.github.fields import Payload

_READ = {
    "/issues": "Issues: read and write: nothing can be synced",
    "/pulls": "Pull requests: read and write: pull requests are not synced",
    "/milestones": "Issues: read: milestones are not synced",
    "/assignees": "Metadata: read: nobody can be assigned",
}
"""List of the repository -> the permission that it takes, and what goes without it."""


async def lacking_in(github: Client, repository: str, *, with_webhooks: bool) -> Sequence[str]:
    """One sentence for each thing that the account cannot do there.

    Args:
        with_webhooks: the connection wants to make webhooks.

    Raises:
        Park: the repository cannot be seen.
    """
    shown = await github.repository(repository)
    role = shown.get("permissions") or {}
    found = [*_of_role(role, with_webhooks=with_webhooks), *_of_repository(shown)]
    if shown.get("has_issues") is not False:
        found += [
            f"The token has not the permission {needed}."
            for path, needed in _READ.items()
            if not await github.serves(f"/repos/{repository}{path}")
        ]
    if (
        with_webhooks
        and role.get("admin") is not False
        and not await github.serves(f"/repos/{repository}/hooks")
    ):
        needed = "Webhooks: read and write: no webhooks, changes are found by polling"
        found.append(f"The token has not the permission {needed}.")
    return found


def _of_role(role: Payload, *, with_webhooks: bool) -> Iterator[str]:
    """By the account's role there; an app's installation is told none."""
    if role.get("triage") is False and role.get("push") is False:
        yield (
            "The account may only read (no triage access): GitHub drops labels, assignees and milestones, "
            "and people's issues cannot be closed or reopened."
        )
    if role.get("push") is False:
        yield "The account has no write access: titles and descriptions of people's issues cannot be changed."
    if role.get("admin") is False and with_webhooks:
        yield "The account has no admin access: no webhooks, changes are found by polling."


def _of_repository(shown: Payload) -> Iterator[str]:
    if shown.get("archived"):
        yield "The repository is archived: nothing can be written there."
    if shown.get("has_issues") is False:
        yield "Issues are switched off in the repository: nothing can be synced."
