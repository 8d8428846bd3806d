"""Who may see what in a simulated workspace, and how old what they see is."""

from __future__ import annotations

import re

from connectors.asana.simulated_records import Link, Project, Task
from connectors.asana.simulated_workspace import Workspace
from connectors.simulation import Refused

APP = "https://app.asana.com"


class Sight:
    """A workspace as one reader sees it.

    Args:
        reader: gid of the user who asks.
        lag_s: how far behind this reader's view is.
    """

    def __init__(self, workspace: Workspace, reader: str, lag_s: float) -> None:
        self.workspace = workspace
        self.reader = reader
        self.lag_s = lag_s

    def task_seen(self, gid: str) -> Task:
        """Raises Refused: trashed, private, in no project that the reader sees, or none at all: all 404."""
        gid = self._resolved(gid)
        task = self.workspace.tasks.seen(gid, self.lag_s)
        if task is None or not self.sees(task):
            raise Refused(404, f"task: Unknown object: {gid}")
        return task

    def sees(self, task: Task) -> bool:
        if task.trashed or task.private:
            return False
        if self.reader in (task.assignee, *task.followers):
            return True
        if any(not self.workspace.projects[project].private for project in task.places):
            return True
        above = self.workspace.tasks.get(task.parent) if task.parent else None
        return above is not None and self.sees(above)

    def project_seen(self, gid: str) -> Project:
        project = self.workspace.projects.get(checked_gid("project", gid))
        if project is None or project.private:
            raise Refused(404, f"project: Unknown object: {gid}")
        return project

    def tasks_seen(self) -> list[Task]:
        return [task for task in self.workspace.tasks.all_seen(self.lag_s) if self.sees(task)]

    def named(self, gid: str) -> tuple[Link, str, str] | None:
        """What a link with this gid becomes in rich text."""
        workspace = self.workspace
        if gid in workspace.users:
            return Link("user", gid), f"{APP}/0/{gid}/list", workspace.users[gid].name
        if gid in workspace.projects and not workspace.projects[gid].private:
            return Link("project", gid), f"{APP}/0/{gid}/list", workspace.projects[gid].name
        task = workspace.tasks.get(gid)
        if task is not None and self.sees(task):
            return Link("task", gid), f"{APP}/0/0/{gid}", task.name
        return None

    def _resolved(self, gid: str) -> str:
        if not gid.startswith("external:"):
            return checked_gid("task", gid)
        own = gid.removeprefix("external:")
        for task in self.workspace.tasks.values():
            if task.external and task.external.get("gid") == own and not task.trashed:
                return task.gid
        raise Refused(404, f"task: Unknown object: {gid}")


def checked_gid(what: str, gid: object) -> str:
    """Raises Refused: not an id at all, which is 400 and not 404."""
    if not isinstance(gid, str) or not re.fullmatch(r"\d+", gid):
        raise Refused(400, f"{what}: Not a recognized ID: {gid}")
    return gid
