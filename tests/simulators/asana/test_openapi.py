"""The answers of a simulated Asana against the published OpenAPI."""

from __future__ import annotations

from typing import Any

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api, Receiver, first_token
from tests.specification.documents import required
from tests.specification.watch import Watch


async def test_answers_conform_to_the_published_openapi(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    required()
    watch = Watch()
    with watch.watching(asana):
        await _everything(asana, api, project, receiver[1])
    assert watch.findings() == []


async def _everything(asana: AsanaSimulator, api: Api, project: str, target: str) -> None:
    """One request at least to each endpoint."""
    http, workspace = api.http, asana.workspace.gid
    section = asana.workspace.projects[project].sections[1]
    task = asana.new(project, title="Broken", notes="<em>x</em>", assignee="bob", labels=["bug"])
    tag = next(iter(asana.workspace.tags))
    asana.edit(task, title="Mended", state="closed", section="Done")
    comment = asana.comment(task, "hello")
    token = await first_token(api, project)
    asana.edit(task, labels=["ui"], assignee="ada")

    every = (
        "name,html_notes,notes,completed_at,memberships.(project|section).name,tags.name,followers.name,"
        "created_by,assignee.name,modified_at,external,parent,num_subtasks"
    )
    reads = [
        "/users/me",
        f"/users?workspace={workspace}",
        "/workspaces",
        f"/workspaces/{workspace}",
        f"/projects?workspace={workspace}&limit=1",
        f"/projects/{project}",
        f"/projects/{project}/sections",
        f"/projects/{project}/custom_field_settings",
        f"/projects/{project}/tasks",
        f"/sections/{section}",
        f"/sections/{section}/tasks",
        f"/tags?workspace={workspace}",
        f"/tags/{tag}/tasks",
        f"/tasks?project={project}&limit=1&opt_fields={every}",
        f"/tasks/{task}",
        f"/tasks/{task}/subtasks",
        f"/tasks/{task}/tags",
        f"/tasks/{task}/projects",
        f"/tasks/{task}/stories?limit=2",
        f"/stories/{comment}",
        f"/attachments?parent={task}",
        f"/events?resource={project}&sync={token}",
    ]
    for path in reads:
        assert (await http.get(path)).status_code == 200, path
    assert (await http.get(f"/events?resource={project}")).status_code == 412
    assert (await http.get("/tasks/99")).status_code == 404
    for story in await api.get(f"/tasks/{task}/stories"):
        assert (await http.get(f"/stories/{story['gid']}")).status_code == 200

    async def write(method: str, path: str, **data: Any) -> Any:
        answer = await http.request(method, path, json={"data": data} if data else None)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    made = (await write("POST", "/tasks", name="x", projects=[project]))["gid"]
    at = f"/tasks/{made}"
    await write("PUT", at, completed=True, due_on="2026-05-01")
    tag = (await write("POST", "/tags", name="new", workspace=workspace))["gid"]
    bob = asana.people["bob"].gid
    await write("POST", at + "/addTag", tag=tag)
    await write("POST", at + "/removeTag", tag=tag)
    await write("POST", at + "/addFollowers", followers=[bob])
    await write("POST", at + "/removeFollowers", followers=[bob])
    await write("POST", at + "/setParent", parent=task)
    await write("POST", at + "/addProject", project=project)
    await write("POST", f"/sections/{section}/addTask", task=made)
    story = (await write("POST", at + "/stories", text="hi"))["gid"]
    await write("PUT", f"/stories/{story}", html_text="<body>ho</body>")
    await write("DELETE", f"/stories/{story}")
    await write("POST", at + "/removeProject", project=project)
    await write("DELETE", at)
    hook = (await write("POST", "/webhooks", resource=project, target=target))["gid"]
    await asana.outbox.idle()
    assert (await http.get(f"/webhooks?workspace={workspace}")).status_code == 200
    await write("DELETE", f"/webhooks/{hook}")


async def test_attachments_conform_to_the_published_openapi(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    required()
    http, task = api.http, asana.new(project, title="Broken")
    external = {"resource_subtype": "external", "name": "Draft", "url": "http://127.0.0.1/draft"}
    uploads: tuple[dict[str, Any], ...] = (
        {"data": {"parent": task}, "files": {"file": ("log.txt", b"it broke")}},
        {"data": {"parent": task}, "files": {name: (None, value) for name, value in external.items()}},
    )
    watch = Watch()
    with watch.watching(asana):
        for upload in uploads:
            made = await http.post("/attachments", **upload)
            assert made.status_code == 200, made.text
            path = f"/attachments/{made.json()['data']['gid']}"
            assert (await http.get(path)).status_code == 200
        assert (await http.get(f"/attachments?parent={task}")).status_code == 200
        stories = await api.get(f"/tasks/{task}/stories")
        assert (await http.get(f"/stories/{stories[-1]['gid']}")).status_code == 200
        assert (await http.delete(path)).status_code == 200
    assert watch.findings() == []
