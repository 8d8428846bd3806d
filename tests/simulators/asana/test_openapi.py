"""The answers of a simulated Asana against the published OpenAPI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api, Receiver, first_token


@pytest.fixture(scope="module")
def openapi(fixtures: Path) -> dict[str, Any]:
    document = json.loads((fixtures / "openapi" / "asana_oas.sync-reduced.json").read_text())
    published: dict[str, Any] = _nullable(document)
    return published


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0's ``nullable`` said the JSON Schema way; Asana marks compact references with it."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    said = {key: _nullable(value) for key, value in schema.items()}
    if said.get("nullable") or any(
        isinstance(p, dict) and p.get("nullable") for p in schema.get("allOf", ())
    ):
        return {"anyOf": [{"type": "null"}, said]}
    return said


KNOWN = {
    ("/events", "user"),
    ("/events", "parent"),
}
"""Where Asana answers null and its OpenAPI does not say so."""


def conforms(openapi: dict[str, Any], method: str, template: str, answer: httpx.Response) -> None:
    """The answer's status and body are those of the published operation."""
    responses = openapi["paths"][template][method]["responses"]
    assert str(answer.status_code) in responses, f"{template}: {answer.status_code} is not published"
    response = responses[str(answer.status_code)]
    if "$ref" in response:
        response = openapi["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"]["application/json"]["schema"]
    validator = jsonschema_rs.Draft202012Validator(
        {**schema, "components": openapi["components"]}, validate_formats=True
    )
    body = answer.json()
    for name in (field for path, field in KNOWN if path == template):
        for row in body["data"] if isinstance(body.get("data"), list) else ():
            if row.get(name, ...) is None:
                del row[name]
    errors = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(body)]
    assert not errors, f"{method} {template}: {errors}"


async def test_answers_conform_to_the_published_openapi(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str], openapi: dict[str, Any]
) -> None:
    http, workspace = api.http, asana.workspace.gid
    section = asana.workspace.projects[project].sections[1]
    task = asana.new(project, title="Broken", notes="<em>x</em>", assignee="bob", labels=["bug"])
    tag = next(iter(asana.workspace.tags))
    asana.edit(task, title="Mended", state="closed", section="Done")
    comment = asana.comment(task, "hello")
    token = await first_token(api, project)
    asana.edit(task, labels=["ui"], assignee="ada")

    every = (
        "name,html_notes,notes,completed_at,memberships.(project|section).name,tags.name,followers.email,"
        "created_by,assignee.email,modified_at,external,parent,num_subtasks"
    )
    reads = {
        "/users/{user_gid}": "/users/me",
        "/users": f"/users?workspace={workspace}",
        "/workspaces": "/workspaces",
        "/workspaces/{workspace_gid}": f"/workspaces/{workspace}",
        "/projects": f"/projects?workspace={workspace}&limit=1",
        "/projects/{project_gid}": f"/projects/{project}",
        "/projects/{project_gid}/sections": f"/projects/{project}/sections",
        "/projects/{project_gid}/custom_field_settings": f"/projects/{project}/custom_field_settings",
        "/projects/{project_gid}/tasks": f"/projects/{project}/tasks",
        "/sections/{section_gid}": f"/sections/{section}",
        "/sections/{section_gid}/tasks": f"/sections/{section}/tasks",
        "/tags": f"/tags?workspace={workspace}",
        "/tags/{tag_gid}/tasks": f"/tags/{tag}/tasks",
        "/tasks": f"/tasks?project={project}&limit=1&opt_fields={every}",
        "/tasks/{task_gid}": f"/tasks/{task}",
        "/tasks/{task_gid}/subtasks": f"/tasks/{task}/subtasks",
        "/tasks/{task_gid}/tags": f"/tasks/{task}/tags",
        "/tasks/{task_gid}/projects": f"/tasks/{task}/projects",
        "/tasks/{task_gid}/stories": f"/tasks/{task}/stories?limit=2",
        "/stories/{story_gid}": f"/stories/{comment}",
        "/attachments": f"/attachments?parent={task}",
        "/events": f"/events?resource={project}&sync={token}",
    }
    for template, path in reads.items():
        conforms(openapi, "get", template, await http.get(path))
    conforms(openapi, "get", "/events", await http.get(f"/events?resource={project}"))
    conforms(openapi, "get", "/tasks/{task_gid}", await http.get("/tasks/99"))
    for story in await api.get(f"/tasks/{task}/stories"):
        conforms(openapi, "get", "/stories/{story_gid}", await http.get(f"/stories/{story['gid']}"))

    async def write(method: str, template: str, path: str, **data: Any) -> Any:
        answer = await http.request(method.upper(), path, json={"data": data} if data else None)
        conforms(openapi, method, template, answer)
        return answer.json()["data"]

    made = (await write("post", "/tasks", "/tasks", name="x", projects=[project]))["gid"]
    one, at = "/tasks/{task_gid}", f"/tasks/{made}"
    await write("put", one, at, completed=True, due_on="2026-05-01")
    tag = (await write("post", "/tags", "/tags", name="new", workspace=workspace))["gid"]
    bob = asana.people["bob"].gid
    await write("post", one + "/addTag", at + "/addTag", tag=tag)
    await write("post", one + "/removeTag", at + "/removeTag", tag=tag)
    await write("post", one + "/addFollowers", at + "/addFollowers", followers=[bob])
    await write("post", one + "/removeFollowers", at + "/removeFollowers", followers=[bob])
    await write("post", one + "/setParent", at + "/setParent", parent=task)
    await write("post", one + "/addProject", at + "/addProject", project=project)
    await write("post", "/sections/{section_gid}/addTask", f"/sections/{section}/addTask", task=made)
    story = (await write("post", one + "/stories", at + "/stories", text="hi"))["gid"]
    await write("put", "/stories/{story_gid}", f"/stories/{story}", html_text="<body>ho</body>")
    await write("delete", "/stories/{story_gid}", f"/stories/{story}")
    await write("post", one + "/removeProject", at + "/removeProject", project=project)
    await write("delete", one, at)
    hook = (await write("post", "/webhooks", "/webhooks", resource=project, target=receiver[1]))["gid"]
    await asana.outbox.idle()
    conforms(openapi, "get", "/webhooks", await http.get(f"/webhooks?workspace={workspace}"))
    await write("delete", "/webhooks/{webhook_gid}", f"/webhooks/{hook}")


async def test_attachments_conform_to_the_published_openapi(
    asana: AsanaSimulator, api: Api, project: str, openapi: dict[str, Any]
) -> None:
    http, task = api.http, asana.new(project, title="Broken")
    external = {"resource_subtype": "external", "name": "Draft", "url": "http://127.0.0.1/draft"}
    uploads: tuple[dict[str, Any], ...] = (
        {"data": {"parent": task}, "files": {"file": ("log.txt", b"it broke")}},
        {"data": {"parent": task}, "files": {name: (None, value) for name, value in external.items()}},
    )
    for upload in uploads:
        made = await http.post("/attachments", **upload)
        conforms(openapi, "post", "/attachments", made)
        path = f"/attachments/{made.json()['data']['gid']}"
        conforms(openapi, "get", "/attachments/{attachment_gid}", await http.get(path))
    conforms(openapi, "get", "/attachments", await http.get(f"/attachments?parent={task}"))
    stories = await api.get(f"/tasks/{task}/stories")
    conforms(openapi, "get", "/stories/{story_gid}", await http.get(f"/stories/{stories[-1]['gid']}"))
    conforms(openapi, "delete", "/attachments/{attachment_gid}", await http.delete(path))
    conforms(openapi, "post", "/attachments", await http.post("/attachments", data={"parent": task}))
