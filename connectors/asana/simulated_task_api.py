"""The endpoints of tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from connectors.asana.simulated_call import Call
from connectors.asana.simulated_custom_values import custom_values
from connectors.asana.simulated_dates import read_moment
from connectors.asana.simulated_records import Link, Task
from connectors.asana.simulated_sight import checked_gid
from connectors.asana.simulated_task_values import PLACING, WRITABLE, task_values
from connectors.asana.simulated_workspace import END, START
from connectors.simulation import Refused


def list_tasks(call: Call) -> Response:
    """By project, section, tag, or assignee and workspace."""
    for filter_, find in (("project", in_project), ("section", in_section), ("tag", with_tag)):
        gid = call.query(filter_)
        if gid is not None:
            return tasks_page(call, partial(find, call, gid))
    if not (call.query("assignee") and call.query("workspace")):
        raise Refused(400, "You should specify one of project, tag, section, or assignee and workspace")
    return tasks_page(call, partial(with_assignee, call, call.user("assignee", call.query("assignee")).gid))


def in_project(call: Call, gid: str) -> list[Task]:
    """In the order of the project's sections."""
    sections = call.answers.project_seen(gid).sections
    tasks = [task for task in call.answers.tasks_seen() if gid in task.places]
    return sorted(tasks, key=lambda task: (sections.index(task.places[gid].section), task.places[gid].rank))


def in_section(call: Call, gid: str) -> list[Task]:
    project = section_seen(call, gid)
    return [task for task in in_project(call, project) if task.places[project].section == gid]


def with_tag(call: Call, gid: str) -> list[Task]:
    return [task for task in call.answers.tasks_seen() if gid in task.tags]


def with_assignee(call: Call, gid: str) -> list[Task]:
    return [task for task in call.answers.tasks_seen() if task.assignee == gid]


def tasks_page(call: Call, listed: Callable[[], list[Task]]) -> Response:
    """``modified_since`` counts associations (``touched_at``) and is inclusive."""
    modified, completed = _moment(call, "modified_since"), _moment(call, "completed_since")

    def wanted(task: Task) -> bool:
        modified_since = modified is None or task.touched_at >= modified
        return modified_since and (
            completed is None or task.completed_at is None or task.completed_at >= completed
        )

    def find(gid: str) -> dict[str, Any] | None:
        task = call.workspace.tasks.seen(gid, call.lag_s)
        return call.answers.task(task) if task and call.answers.sees(task) else None

    return call.listing("task", lambda: [task.gid for task in listed() if wanted(task)], find)


def get_task(call: Call) -> Response:
    task = call.answers.task_seen(call.path("task"))
    return call.object("task", call.answers.task(task))


def create_task(call: Call) -> Response:
    return _create(call, call.data.get("parent"))


def create_subtask(call: Call) -> Response:
    return _create(call, _task(call).gid)


def _create(call: Call, parent: str | None) -> Response:
    data = call.data
    places: dict[str, str | None] = dict.fromkeys(_gids("projects", data.get("projects") or []))
    for membership in data.get("memberships") or []:
        places[membership["project"]] = membership.get("section")
    if not (places or parent or data.get("workspace")):
        raise Refused(400, "You should specify one of workspace, parent, projects")
    for project, section in places.items():
        _check_section(call, project, section)
    values = task_values(call, data, WRITABLE | PLACING)
    values["custom"] = custom_values(call, data.get("custom_fields"), places)
    if parent is not None:
        values["parent"] = call.answers.task_seen(parent).gid
    task = call.workspace.add_task(
        call.me,
        source="api",
        places=places.items(),
        followers=[call.user("followers", ref).gid for ref in data.get("followers") or []],
        tags=[tag_seen(call, gid) for gid in data.get("tags") or []],
        **{"name": "", **values},
    )
    call.made = task.gid
    return call.written(Link("task", task.gid), 201)


def update_task(call: Call) -> Response:
    task = _task(call)
    values = task_values(call, call.data, WRITABLE, task)
    if custom := custom_values(call, call.data.get("custom_fields"), task.places, task):
        values["custom"] = custom
    call.workspace.change(task.gid, call.me, source="api", **values)
    return call.written(Link("task", task.gid))


def delete_task(call: Call) -> Response:
    call.workspace.trash(_task(call).gid, call.me)
    return call.empty()


def subtasks(call: Call) -> Response:
    task = call.answers.task_seen(call.path("task"))
    return tasks_page(call, lambda: call.workspace.subtasks(task.gid))


def set_parent(call: Call) -> Response:
    task, parent = _task(call), call.needed("parent")
    gid = call.answers.task_seen(parent).gid if parent is not None else None
    call.workspace.set_parent(task.gid, call.me, gid)
    return call.written(Link("task", task.gid))


def change_tag(action: str) -> Callable[[Call], Response]:
    """``action``: add or remove."""

    def endpoint(call: Call) -> Response:
        task, tag = _task(call), tag_seen(call, call.needed("tag"))
        sets = {action: [tag]}
        call.workspace.change_set(task.gid, call.me, "tags", source="api", **sets)
        return call.empty()

    return endpoint


def change_followers(action: str) -> Callable[[Call], Response]:
    """``action``: add or remove."""

    def endpoint(call: Call) -> Response:
        task = _task(call)
        sets = {action: [call.user("followers", ref).gid for ref in call.needed("followers")]}
        call.workspace.change_set(task.gid, call.me, "followers", source="api", **sets)
        return call.written(Link("task", task.gid))

    return endpoint


def dependencies(call: Call) -> Response:
    """Tasks that the task waits for."""
    task = call.answers.task_seen(call.path("task"))
    return tasks_page(call, lambda: [call.workspace.tasks[gid] for gid in task.dependencies])


def change_dependencies(action: str) -> Callable[[Call], Response]:
    """``action``: add or remove."""

    def endpoint(call: Call) -> Response:
        others = [call.answers.task_seen(gid).gid for gid in call.needed("dependencies")]
        call.workspace.change_dependencies(_task(call).gid, call.me, **{action: others})
        return call.empty()

    return endpoint


def add_to_project(call: Call) -> Response:
    task, project, section = _task(call), call.needed("project"), call.data.get("section")
    _check_section(call, project, section)
    call.workspace.add_to_project(task.gid, call.me, project, section, source="api", at=_position(call, END))
    return call.empty()


def remove_from_project(call: Call) -> Response:
    task, project = _task(call), call.answers.project_seen(call.needed("project"))
    call.workspace.remove_from_project(task.gid, call.me, project.gid, source="api")
    return call.empty()


def add_to_section(call: Call) -> Response:
    """At the top unless told otherwise; the task need not be in the project before."""
    section = call.path("section")
    project = section_seen(call, section)
    task = call.answers.task_seen(call.needed("task"))
    call.workspace.add_to_project(
        task.gid, call.me, project, section, source="api", at=_position(call, START)
    )
    return call.empty()


# what requests name and hold


def section_seen(call: Call, gid: str) -> str:
    """The section's project, once the section is known to be visible."""
    section = call.workspace.sections.get(checked_gid("section", gid))
    if section is None:
        raise Refused(404, f"section: Unknown object: {gid}")
    return call.answers.project_seen(section.project).gid


def _task(call: Call) -> Task:
    return call.answers.task_seen(call.path("task"))


def tag_seen(call: Call, gid: object) -> str:
    if checked_gid("tag", gid) not in call.workspace.tags:
        raise Refused(404, f"tag: Unknown object: {gid}")
    return str(gid)


def _check_section(call: Call, project: object, section: str | None) -> None:
    known = call.answers.project_seen(checked_gid("project", project))
    if section is not None and section not in known.sections:
        raise Refused(400, f"section: Not in the project: {section}")


def _position(call: Call, default: tuple[str, str | None]) -> tuple[str, str | None]:
    given = [where for where in ("before", "after") if f"insert_{where}" in call.data]
    if len(given) > 1:
        raise Refused(400, "You may only specify one of insert_before and insert_after")
    return (given[0], call.data[f"insert_{given[0]}"]) if given else default


def _moment(call: Call, name: str) -> datetime | None:
    value = call.query(name)
    return call.workspace.now() if value == "now" else read_moment(call, name, value)


def _gids(name: str, values: list[Any]) -> list[str]:
    return [checked_gid(name, value) for value in values]
