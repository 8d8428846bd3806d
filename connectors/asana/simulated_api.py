"""The addresses of a simulated Asana, and the endpoints around tasks.

https://developers.asana.com/reference
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from connectors.asana import simulated_attachment_api as attachments
from connectors.asana import simulated_story_api as stories
from connectors.asana import simulated_task_api as tasks
from connectors.asana.simulated_call import Call
from connectors.asana.simulated_hooks import Hook, Hooks
from connectors.asana.simulated_records import Link
from connectors.asana.simulated_sight import checked_gid
from connectors.simulation import Refused

Endpoint: TypeAlias = Callable[[Call], Response | Awaitable[Response]]
Served: TypeAlias = Callable[[Endpoint], Callable[..., Awaitable[Response]]]


def routes(
    serve: Served, hooks: Hooks, further: Sequence[tuple[str, str, Endpoint]] = ()
) -> Sequence[BaseRoute]:
    """``serve`` makes a Starlette endpoint of ours; it knows who asks. ``further``: as in the table."""
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "/users", list_users),
        ("GET", "/users/{user}", get_user),
        ("GET", "/workspaces", list_workspaces),
        ("GET", "/workspaces/{workspace}", get_workspace),
        ("GET", "/workspaces/{workspace}/users", list_users),
        ("GET", "/workspaces/{workspace}/projects", list_projects),
        ("GET", "/workspaces/{workspace}/tags", list_tags),
        ("POST", "/workspaces/{workspace}/tags", create_tag),
        ("GET", "/projects", list_projects),
        ("GET", "/projects/{project}", get_project),
        ("GET", "/projects/{project}/sections", list_sections),
        ("GET", "/projects/{project}/project_memberships", list_project_memberships),
        ("GET", "/projects/{project}/custom_field_settings", list_custom_field_settings),
        ("GET", "/projects/{project}/tasks", list_project_tasks),
        ("GET", "/custom_fields/{field}", get_custom_field),
        ("GET", "/sections/{section}", get_section),
        ("GET", "/sections/{section}/tasks", list_section_tasks),
        ("POST", "/sections/{section}/addTask", tasks.add_to_section),
        ("GET", "/tags", list_tags),
        ("POST", "/tags", create_tag),
        ("GET", "/tags/{tag}", get_tag),
        ("GET", "/tags/{tag}/tasks", list_tag_tasks),
        ("GET", "/tasks", tasks.list_tasks),
        ("POST", "/tasks", tasks.create_task),
        ("GET", "/tasks/{task}", tasks.get_task),
        ("PUT", "/tasks/{task}", tasks.update_task),
        ("DELETE", "/tasks/{task}", tasks.delete_task),
        ("GET", "/tasks/{task}/subtasks", tasks.subtasks),
        ("POST", "/tasks/{task}/subtasks", tasks.create_subtask),
        ("POST", "/tasks/{task}/setParent", tasks.set_parent),
        ("POST", "/tasks/{task}/addTag", tasks.change_tag("add")),
        ("POST", "/tasks/{task}/removeTag", tasks.change_tag("remove")),
        ("POST", "/tasks/{task}/addFollowers", tasks.change_followers("add")),
        ("POST", "/tasks/{task}/removeFollowers", tasks.change_followers("remove")),
        ("GET", "/tasks/{task}/dependencies", tasks.dependencies),
        ("POST", "/tasks/{task}/addDependencies", tasks.change_dependencies("add")),
        ("POST", "/tasks/{task}/removeDependencies", tasks.change_dependencies("remove")),
        ("POST", "/tasks/{task}/addProject", tasks.add_to_project),
        ("POST", "/tasks/{task}/removeProject", tasks.remove_from_project),
        ("GET", "/tasks/{task}/tags", list_task_tags),
        ("GET", "/tasks/{task}/projects", list_task_projects),
        ("GET", "/tasks/{task}/stories", stories.list_stories),
        ("POST", "/tasks/{task}/stories", stories.create_story),
        ("GET", "/stories/{story}", stories.get_story),
        ("PUT", "/stories/{story}", stories.update_story),
        ("DELETE", "/stories/{story}", stories.delete_story),
        ("GET", "/attachments", attachments.list_attachments),
        ("POST", "/attachments", attachments.create_attachment),
        ("GET", "/attachments/{attachment}", attachments.get_attachment),
        ("DELETE", "/attachments/{attachment}", attachments.delete_attachment),
        ("GET", "/events", list_events),
        *_hook_endpoints(hooks),
        *further,
    ]
    return [
        Mount(
            "/api/1.0",
            routes=[Route(path, serve(endpoint), methods=[method]) for method, path, endpoint in table],
        )
    ]


# people and workspaces


def list_users(call: Call) -> Response:
    _check_workspace(call, call.request.path_params.get("workspace") or call.query("workspace"))
    users = {gid: user for gid, user in call.workspace.users.items() if user.active}
    return call.listing("user", lambda: users, lambda gid: call.answers.user(users[gid]))


def get_user(call: Call) -> Response:
    """By gid, e-mail or ``me``."""
    ref = call.path("user")
    try:
        return call.written(Link("user", call.user("user", ref).gid))
    except Refused as refused:
        raise Refused(404, f"user: Unknown object: {ref}") from refused


def list_workspaces(call: Call) -> Response:
    return call.listing(
        "workspace", lambda: [call.workspace.gid], lambda gid: call.answers.workspace_record()
    )


def get_workspace(call: Call) -> Response:
    _check_workspace(call, call.path("workspace"))
    return call.object("workspace", call.answers.workspace_record())


# projects, sections, tags


def list_projects(call: Call) -> Response:
    _check_workspace(call, call.request.path_params.get("workspace") or call.query("workspace"))
    archived = call.query("archived")
    seen = {
        gid: project
        for gid, project in call.workspace.projects.items()
        if not project.private and archived in (None, "true" if project.archived else "false")
    }
    return call.listing("project", lambda: seen, lambda gid: call.answers.project(seen[gid]))


def get_project(call: Call) -> Response:
    return call.object("project", call.answers.project(call.answers.project_seen(call.path("project"))))


def list_project_memberships(call: Call) -> Response:
    """Of one user; the account that asks is the only one whose access is known."""
    project = call.answers.project_seen(call.path("project"))
    user = call.user("user", call.query("user") or "me")
    membership = {
        "gid": f"{project.gid}{user.gid}",
        "resource_type": "project_membership",
        "access_level": project.access_level,
    }
    return call.listing("project_membership", lambda: [membership["gid"]], lambda gid: membership)


def list_sections(call: Call) -> Response:
    sections = call.workspace.sections
    gids = call.answers.project_seen(call.path("project")).sections
    return call.listing("section", lambda: gids, lambda gid: call.answers.section(sections[gid]))


def get_section(call: Call) -> Response:
    tasks.section_seen(call, call.path("section"))
    return call.written(Link("section", call.path("section")))


def list_custom_field_settings(call: Call) -> Response:
    if not call.workspace.premium:
        raise Refused(402, "Custom Fields are not available for free users")
    project = call.answers.project_seen(call.path("project"))
    return call.listing(
        "custom_field_setting",
        lambda: project.custom_fields,
        lambda gid: call.answers.custom_field_setting(project, gid),
    )


def get_custom_field(call: Call) -> Response:
    field = call.workspace.custom_fields.get(checked_gid("custom_field", call.path("field")))
    if field is None:
        raise Refused(404, f"custom_field: Unknown object: {call.path('field')}")
    return call.object("custom_field", field.definition())


def list_project_tasks(call: Call) -> Response:
    return tasks.tasks_page(call, lambda: tasks.in_project(call, call.path("project")))


def list_section_tasks(call: Call) -> Response:
    return tasks.tasks_page(call, lambda: tasks.in_section(call, call.path("section")))


def list_tags(call: Call) -> Response:
    _check_workspace(call, call.request.path_params.get("workspace") or call.query("workspace"))
    tags = call.workspace.tags
    return call.listing("tag", lambda: tags, lambda gid: call.answers.tag(tags[gid]))


def create_tag(call: Call) -> Response:
    _check_workspace(call, call.request.path_params.get("workspace") or call.needed("workspace"))
    color, notes = call.data.get("color"), call.data.get("notes", "")
    tag = call.workspace.add_tag(str(call.needed("name")), color, notes)
    return call.written(Link("tag", tag.gid), 201)


def get_tag(call: Call) -> Response:
    return call.written(Link("tag", tasks.tag_seen(call, call.path("tag"))))


def list_tag_tasks(call: Call) -> Response:
    tag = tasks.tag_seen(call, call.path("tag"))
    return tasks.tasks_page(call, lambda: tasks.with_tag(call, tag))


def list_task_tags(call: Call) -> Response:
    task, tags = call.answers.task_seen(call.path("task")), call.workspace.tags
    known = [gid for gid in task.tags if gid in tags]
    return call.listing("tag", lambda: known, lambda gid: call.answers.tag(tags[gid]))


def list_task_projects(call: Call) -> Response:
    task, projects = call.answers.task_seen(call.path("task")), call.workspace.projects
    seen = [gid for gid in task.places if not projects[gid].private]
    return call.listing("project", lambda: seen, lambda gid: call.answers.project(projects[gid]))


# what hangs on tasks and projects


def list_events(call: Call) -> Response:
    """Compact objects with names, where webhooks carry ids and types."""
    resource = _resource(call, call.query("resource"))
    events, token, more = call.workspace.log.read(resource.gid, call.query("sync"))
    records = [event.record() | {"type": event.resource.kind} for event in events]
    data = [call.answers.full("event", record, call.tree) for record in records]
    return JSONResponse({"data": data, "sync": token, "has_more": more})


def _hook_endpoints(hooks: Hooks) -> list[tuple[str, str, Endpoint]]:
    def own(call: Call) -> Hook:
        hook = hooks.by_gid.get(checked_gid("webhook", call.path("webhook")))
        if hook is None or hook.owner != call.me:
            raise Refused(404, f"webhook: Unknown object: {call.path('webhook')}")
        return hook

    def filters(call: Call) -> list[dict[str, object]]:
        given = call.data.get("filters") or []
        for one in given:
            if one.get("fields") and one.get("action") != "changed":
                raise Refused(400, "filters: fields are only allowed with the action changed")
        return list(given)

    def listed(call: Call) -> Response:
        _check_workspace(call, call.query("workspace") or "")
        resource = call.query("resource")
        seen = [
            hook.gid
            for hook in hooks.by_gid.values()
            if hook.owner == call.me and resource in (None, hook.resource.gid)
        ]
        return call.listing("webhook", lambda: seen, lambda gid: hooks.by_gid[gid].record())

    async def create(call: Call) -> Response:
        resource, target = _resource(call, call.needed("resource")), str(call.needed("target"))
        gid = call.workspace.mint()
        hook = await hooks.create(gid, call.me, resource, target, filters(call))
        return call.object("webhook", hook.record(), 201, **{"X-Hook-Secret": hook.secret})

    def get(call: Call) -> Response:
        return call.object("webhook", own(call).record())

    def update(call: Call) -> Response:
        hook = own(call)
        hook.filters = filters(call)
        return call.object("webhook", hook.record())

    def delete(call: Call) -> Response:
        del hooks.by_gid[own(call).gid]
        return call.empty()

    return [
        ("GET", "/webhooks", listed),
        ("POST", "/webhooks", create),
        ("GET", "/webhooks/{webhook}", get),
        ("PUT", "/webhooks/{webhook}", update),
        ("DELETE", "/webhooks/{webhook}", delete),
    ]


def _resource(call: Call, gid: object) -> Link:
    """A project or task that can be listened to."""
    known = checked_gid("resource", gid)
    if known in call.workspace.projects:
        return Link("project", call.answers.project_seen(known).gid)
    task = call.answers.task_seen(known)
    return Link("task", task.gid, task.resource_subtype)


def _check_workspace(call: Call, gid: object) -> None:
    if gid is not None and checked_gid("workspace", gid) != call.workspace.gid:
        raise Refused(404, f"workspace: Unknown object: {gid}")
