"""What the account may not do in a project, and what goes without it: asked by reading alone.

Sources: the scopes at each call in developers.asana.com/reference; help.asana.com, "Project permissions".
A personal access token has no scopes: it can do what its account can.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from connectors.asana.client import Asana

_MAY_WRITE = frozenset({"admin", "editor"})
_ONLY_PAID = 402
_FULL = "default"
_WRITING = {
    "tasks:write": "no task is created or changed",
    "tasks:delete": "no task is deleted, where a mapping's policy says so",
    "stories:write": "no comment is copied to Asana",
    "tags:write": "no new tag is made: a label without one is parked",
    "attachments:write": "no file is copied to Asana",
    "webhooks:write": "no webhooks, changes are found by polling",
    "webhooks:delete": "webhooks that are no longer used stay",
}
"""Scope -> what goes without it."""
_REFUSED = frozenset({_ONLY_PAID, 403, 404})


async def lacking_in(asana: Asana, project: str, account: str) -> AsyncIterator[str]:
    """One sentence for each thing that the account cannot do there.

    Raises:
        PauseMapping: the project cannot be seen.
    """
    row, _ = await asana.project(project)
    if row.get("archived"):
        yield "The project is archived: it is not synced until somebody unarchives it."
    level = await asana.access_level(project, account)
    if level is not None and level not in _MAY_WRITE:
        yield f"The account is no editor of the project ({level}): tasks cannot be created or changed there."
    if await asana.status(f"projects/{project}/sections") in _REFUSED:
        yield _scope("project_sections:read", "sections are not known, and no task is moved between them")
    fields = await asana.status(f"projects/{project}/custom_field_settings")
    if fields == _ONLY_PAID:
        yield "The plan of the workspace has no custom fields: they are not synced."
    elif fields in _REFUSED:
        yield _scope("custom_fields:read", "custom fields are not synced")
    for task in (await asana.tasks(project, ())).rows[:1]:  # an empty project tells nothing about these
        if await asana.status(f"tasks/{task['gid']}/stories") in _REFUSED:
            yield _scope("stories:read", "comments are not synced")
        if await asana.status("attachments", parent=task["gid"]) in _REFUSED:
            yield _scope("attachments:read", "attachments are not synced")


def lacking_of(granted: str) -> Iterator[str]:
    """One sentence for each thing that cannot be done with these scopes; none where they are not known.

    What can only be written shows in no listing. An app with full permissions has one scope, ``default``.
    """
    scopes = granted.split()
    if scopes and _FULL not in scopes:
        yield from (_scope(name, cost) for name, cost in _WRITING.items() if name not in scopes)


def _scope(name: str, cost: str) -> str:
    return f"The app has not the scope {name}: {cost}."
