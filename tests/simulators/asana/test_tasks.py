"""Tasks of a simulated Asana, quirk by quirk; and what people see of them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import Fault
from tests.simulators.asana.client import Api, first_token, gids


async def test_due_at_and_due_on_clear_each_other(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="Broken")

    dates = ("due_on", "due_at")
    timed = await api.put(f"/tasks/{task}", *dates, due_at="2026-05-01T10:00:00.000Z")
    assert timed == {"gid": task, "due_on": "2026-05-01", "due_at": "2026-05-01T10:00:00.000Z"}
    assert (await api.put(f"/tasks/{task}", *dates, due_on="2026-05-02"))["due_at"] is None
    both = {"due_on": "2026-05-02", "due_at": "2026-05-01T10:00:00.000Z"}
    assert await api.rejected("PUT", f"/tasks/{task}", **both) == 400
    assert await api.rejected("PUT", f"/tasks/{task}", due_on="soon") == 400


async def test_a_start_needs_a_due_date_in_the_same_request(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="Broken")
    await api.put(f"/tasks/{task}", due_on="2026-05-02")

    assert await api.rejected("PUT", f"/tasks/{task}", start_on="2026-05-01") == 400
    assert await api.put(f"/tasks/{task}", start_on="2026-05-01", due_on="2026-05-02")


@pytest.mark.parametrize(
    ("written", "completed", "status"),
    [
        ({"completed": True}, True, "approved"),
        ({"approval_status": "rejected"}, True, "rejected"),
        ({"approval_status": "changes_requested"}, True, "changes_requested"),
        ({"approval_status": "pending"}, False, "pending"),
    ],
)
async def test_approval_and_completed_drag_each_other(
    asana: AsanaSimulator, api: Api, project: str, written: dict[str, Any], completed: bool, status: str
) -> None:
    task = asana.new(project, title="Approve?", kind="approval")

    read = await api.put(f"/tasks/{task}", "completed", "approval_status", **written)

    assert (read["completed"], read["approval_status"]) == (completed, status)


async def test_external_is_dropped_with_a_personal_token(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    external = {"gid": "asana-sync:k1", "data": "x"}

    dropped = await api.post("/tasks", "external", name="x", projects=[project], external=external)
    assert "external" not in dropped
    assert await api.refused("GET", "/tasks/external%3Aasana-sync%3Ak1") == 404

    asana.tokens[asana.token] = replace(asana.tokens[asana.token], oauth=True)
    kept = await api.post("/tasks", "external", name="x", projects=[project], external=external)
    assert kept["external"] == external
    assert (await api.get("/tasks/external%3Aasana-sync%3Ak1"))["gid"] == kept["gid"]


async def test_a_create_commits_times_out_and_its_repeat_makes_a_second_task(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    asana.faults.add(Fault(kind="timeout_after", method="POST", path="/tasks$"))
    body = {"data": {"name": "x", "projects": [project]}}
    with pytest.raises(httpx.ReadTimeout):
        await api.http.post("/tasks", json=body, timeout=0.3)

    await api.http.post("/tasks", json=body)

    assert len(asana.objects(project)) == 2


async def test_trashed_private_and_removed_are_404_and_only_trash_makes_an_event_and_undeleted_follows(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    trashed, private, removed = (asana.new(project, title=title) for title in ("a", "b", "c"))
    token = await first_token(api, project)

    asana.remove(trashed)
    asana.hide(private)
    asana.remove_from_project(removed, project)

    for task in (trashed, private, removed):
        assert await api.refused("GET", f"/tasks/{task}") == 404
    assert await api.get("/tasks", project=project) == []
    answer = await api.ok("GET", "/events", params={"resource": project, "sync": token})
    assert [e["resource"]["gid"] for e in answer["data"] if e["action"] == "deleted"] == [trashed]
    asana.restore(trashed)
    told = await api.get("/events", resource=project, sync=answer["sync"])
    assert [(e["action"], e["resource"]["gid"]) for e in told] == [("undeleted", trashed)]
    assert (await api.get(f"/tasks/{trashed}"))["name"] == "a"
    assert asana.view(trashed)


async def test_a_hidden_project_is_404(asana: AsanaSimulator, api: Api, project: str) -> None:
    asana.hide(project)

    assert await api.refused("GET", f"/projects/{project}") == 404
    assert await api.refused("GET", "/tasks", params={"project": project}) == 404
    assert await api.get("/projects", workspace=asana.workspace.gid) == []


async def test_no_id_at_all_is_400(api: Api) -> None:
    assert await api.refused("GET", "/tasks/abc") == 400
    assert await api.refused("GET", "/tasks/1234") == 404
    assert await api.refused("GET", "/tasks") == 400


@pytest.mark.parametrize("field", ["projects", "memberships", "tags", "followers", "parent", "workspace"])
async def test_what_places_a_task_is_not_written_by_put(
    asana: AsanaSimulator, api: Api, project: str, field: str
) -> None:
    task = asana.new(project, title="Broken")

    assert await api.rejected("PUT", f"/tasks/{task}", **{field: []}) == 400


async def test_tags_and_followers_change_one_by_one(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="Broken", labels=["bug"])
    tag = (await api.post("/tags", name="ui", workspace=asana.workspace.gid))["gid"]
    bob = asana.people["bob"]

    await api.post(f"/tasks/{task}/addTag", tag=tag)
    assert sorted(t["name"] for t in (await api.get(f"/tasks/{task}"))["tags"]) == ["bug", "ui"]
    await api.post(f"/tasks/{task}/removeTag", tag=tag)
    followers = (await api.post(f"/tasks/{task}/addFollowers", followers=["bob@example.com"]))["followers"]
    assert bob.gid in gids(followers)
    await api.post(f"/tasks/{task}/removeFollowers", followers=[bob.gid])

    view = asana.view(task)
    assert view
    assert (view["labels"], view["followers"]) == (["bug"], ["ada"])
    assert await api.rejected("POST", f"/tasks/{task}/addTag", tag="99") == 404
    assert await api.rejected("POST", f"/tasks/{task}/addTag") == 400


async def test_two_tags_may_have_one_name(asana: AsanaSimulator, api: Api) -> None:
    for _ in range(2):
        await api.post("/tags", name="twin", workspace=asana.workspace.gid)

    tags = await api.get("/tags", workspace=asana.workspace.gid)
    assert [tag["name"] for tag in tags] == ["twin", "twin"]


async def test_a_task_moves_to_the_top_of_a_section(asana: AsanaSimulator, api: Api, project: str) -> None:
    backlog, progress = [s["gid"] for s in await api.get(f"/projects/{project}/sections")][1:3]
    first, second = (asana.new(project, title=title, section="Backlog") for title in ("1", "2"))

    await api.post(f"/sections/{backlog}/addTask", task=second)
    assert gids(await api.get(f"/sections/{backlog}/tasks")) == [second, first]
    await api.post(f"/sections/{backlog}/addTask", task=second, insert_after=first)
    assert gids(await api.get("/tasks", section=backlog)) == [first, second]
    await api.post(f"/tasks/{first}/addProject", project=project, section=progress)
    assert gids(await api.get(f"/projects/{project}/tasks")) == [second, first]
    (membership,) = (await api.get(f"/tasks/{first}"))["memberships"]
    assert membership["section"]["name"] == "In progress"
    await api.post(f"/tasks/{first}/removeProject", project=project)
    assert asana.objects(project) == [second]
    foreign = asana.new_container("Shop")
    wrong = {"project": foreign, "section": progress}
    assert await api.rejected("POST", f"/tasks/{second}/addProject", **wrong) == 400


async def test_at_most_20_projects(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="everywhere")
    for number in range(19):
        asana.add_to_project(task, asana.new_container(str(number)))

    one_more = asana.new_container("one more")
    assert await api.rejected("POST", f"/tasks/{task}/addProject", project=one_more) == 400


async def test_subtasks_are_listed_and_moved(asana: AsanaSimulator, api: Api, project: str) -> None:
    above, below = (asana.new(project, title=title) for title in ("above", "below"))

    assert (await api.post(f"/tasks/{below}/setParent", parent=above))["parent"]["gid"] == above
    assert gids(await api.get(f"/tasks/{above}/subtasks")) == [below]
    assert (await api.get(f"/tasks/{above}", opt_fields="num_subtasks"))["num_subtasks"] == 1
    assert await api.rejected("POST", f"/tasks/{above}/setParent", parent=below) == 400
    await api.post(f"/tasks/{below}/setParent", parent=None)
    assert await api.get(f"/tasks/{above}/subtasks") == []


async def test_a_new_parent_leaves_modified_at_and_the_projects_alone(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    above, below = (asana.new(project, title=title) for title in ("above", "below"))
    before = await api.get(f"/tasks/{below}", opt_fields="modified_at,projects")
    asana.clock.advance(10)
    await api.post(f"/tasks/{below}/setParent", parent=above)
    assert await api.get(f"/tasks/{below}", opt_fields="modified_at,projects") == before


async def test_five_levels_of_subtasks_with_all_that_lies_below(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    chain = [asana.new(project, title=str(level)) for level in range(7)]
    for upper, lower in pairwise(chain[1:]):
        await api.post(f"/tasks/{lower}/setParent", parent=upper)
    assert await api.rejected("POST", f"/tasks/{chain[1]}/setParent", parent=chain[0]) == 400


async def test_the_assignee_is_a_gid_an_address_or_me(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="Broken")

    for ref, name in (
        ("me", "Sync Bot"),
        ("bob@example.com", "Bob Stone"),
        (asana.people["ada"].gid, "Ada Lovelace"),
    ):
        assert (await api.put(f"/tasks/{task}", assignee=ref))["assignee"]["name"] == name
    assert (await api.put(f"/tasks/{task}", assignee=None))["assignee"] is None
    assert await api.rejected("PUT", f"/tasks/{task}", assignee="99") == 400
    mine = await api.get("/tasks", assignee="me", workspace=asana.workspace.gid)
    assert mine == []


async def test_completed_since_leaves_out_what_was_done_before(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    done, open_ = asana.new(project, title="done", state="closed"), asana.new(project, title="open")
    asana.clock.advance(5)

    assert gids(await api.get("/tasks", project=project, completed_since="now")) == [open_]
    assert gids(await api.get("/tasks", project=project)) == [done, open_]


async def test_people_see_what_the_api_wrote(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = (
        await api.post("/tasks", name="by bot", html_notes="<body><em>x</em></body>", projects=[project])
    )["gid"]
    await api.post(f"/tasks/{task}/stories", html_text="<body><strong>Hi</strong></body>")

    view = asana.view(task)
    assert view
    expected = {"title": "by bot", "notes": "<body><em>x</em></body>", "state": "open", "author": "bot"}
    assert view.items() >= expected.items()
    (comment,) = view["comments"]
    assert (comment["text"], comment["author"]) == ("Hi", "bot")
    assert asana.objects(project) == [task]
    await api.ok("DELETE", f"/tasks/{task}")
    assert asana.view(task) is None
    assert asana.objects(project) == []


async def test_users_are_found_by_gid_address_and_me(asana: AsanaSimulator, api: Api) -> None:
    me = await api.get("/users/me")

    assert (me["gid"], me["workspaces"][0]["gid"]) == (asana.people["bot"].gid, asana.workspace.gid)
    assert (await api.get("/users/bob@example.com"))["name"] == "Bob Stone"
    assert await api.refused("GET", "/users/nobody@example.com") == 404
    users = await api.get("/users", workspace=asana.workspace.gid, opt_fields="email")
    assert [user["email"] for user in users] == ["ada@example.com", "bob@example.com", "bot@example.com"]


async def test_a_new_task_takes_places_tags_followers_and_parent(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    done = asana.workspace.projects[project].sections[3]
    tag = asana.workspace.add_tag("bug").gid
    above = asana.new(project, title="above")

    made = await api.post(
        "/tasks",
        name="x",
        memberships=[{"project": project, "section": done}],
        tags=[tag],
        followers=["bob@example.com"],
        parent=above,
        resource_subtype="milestone",
    )

    assert made["memberships"][0]["section"]["name"] == "Done"
    assert gids(made["tags"]) == [tag]
    assert asana.people["bob"].gid in gids(made["followers"])
    assert (made["parent"]["gid"], made["resource_subtype"]) == (above, "milestone")
    assert gids(await api.get("/tasks", tag=tag)) == [made["gid"]]
    placeless = await api.post("/tasks", name="x", workspace=asana.workspace.gid)
    assert (await api.get(f"/tasks/{placeless['gid']}"))["projects"] == []


@pytest.mark.parametrize(
    "data",
    [
        {"name": "nowhere"},
        {"resource_subtype": "epic"},
        {"due_at": "today"},
        {"completed": "yes"},
        {"assignee": "99"},
        {"notes": "a", "html_notes": "<body>a</body>"},
        {"custom_fields": {"1": "x"}},
        {"memberships": [{"project": "PROJECT", "section": "99"}]},
        {"followers": ["nobody"], "projects": ["PROJECT"]},
    ],
)
async def test_a_bad_new_task_is_400_and_not_made(
    asana: AsanaSimulator, api: Api, project: str, data: dict[str, Any]
) -> None:
    data = json.loads(json.dumps(data).replace("PROJECT", project))

    assert await api.rejected("POST", "/tasks", **data) == 400
    assert asana.objects(project) == []


async def test_a_task_is_put_before_or_after_another_of_the_section(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    one, two, three = (asana.new(project, title=title) for title in ("1", "2", "3"))
    section, other = asana.workspace.projects[project].sections[:2]

    await api.post(f"/sections/{section}/addTask", task=three, insert_before=one)
    assert gids(await api.get(f"/sections/{section}/tasks")) == [three, one, two]
    await api.post(f"/sections/{section}/addTask", task=three, insert_before=two)
    assert gids(await api.get(f"/sections/{section}/tasks")) == [one, three, two]
    await api.post(f"/sections/{section}/addTask", task=one, insert_after=three)
    assert gids(await api.get(f"/sections/{section}/tasks")) == [three, one, two]
    await api.post(f"/tasks/{one}/addProject", project=project, section=section, insert_after=None)
    assert gids(await api.get(f"/sections/{section}/tasks")) == [one, three, two]

    add = f"/sections/{section}/addTask"
    assert await api.rejected("POST", add, task=one, insert_before=two, insert_after=three) == 400
    assert await api.rejected("POST", f"/sections/{other}/addTask", task=one, insert_after=two) == 400
    assert await api.rejected("POST", "/sections/99/addTask", task=one) == 404


async def test_what_stands_already_is_added_and_removed_without_a_trace(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task, other = asana.new(project, title="x", labels=["bug"]), asana.new_container("Shop")
    before = asana.workspace.tasks[task]
    (tag,) = before.tags

    await api.post(f"/tasks/{task}/addTag", tag=tag)
    await api.post(f"/tasks/{task}/removeProject", project=other)
    asana.edit(task, section="no such section")

    assert asana.workspace.tasks[task] == before


async def test_a_subtask_of_a_visible_task_is_visible(asana: AsanaSimulator, api: Api, project: str) -> None:
    above = asana.new(project, title="above")
    below = asana.workspace.add_task(asana.people["ada"].gid, source="web", name="below", parent=above).gid

    assert (await api.get(f"/tasks/{below}"))["parent"]["gid"] == above
    asana.hide(above)
    assert await api.refused("GET", f"/tasks/{below}") == 404


async def test_a_task_becomes_an_approval(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="x")

    read = await api.put(f"/tasks/{task}", "approval_status", resource_subtype="approval")

    assert read["approval_status"] == "pending"


async def test_only_the_bots_own_workspace_is_there(asana: AsanaSimulator, api: Api) -> None:
    assert gids(await api.get("/workspaces")) == [asana.workspace.gid]
    assert await api.refused("GET", "/workspaces/99") == 404
    assert await api.refused("GET", "/projects", params={"workspace": "99"}) == 404
    tag = (await api.post(f"/workspaces/{asana.workspace.gid}/tags", name="bug"))["gid"]
    assert (await api.get(f"/tags/{tag}"))["name"] == "bug"
    assert await api.refused("GET", "/tags/99") == 404
