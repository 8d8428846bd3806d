"""What moves a task's time in a simulated Asana, and what is seen late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api, first_token, gids


async def modified_at(api: Api, task: str) -> str:
    at: str = (await api.get(f"/tasks/{task}", opt_fields="modified_at"))["modified_at"]
    assert datetime.fromisoformat(at).tzinfo == UTC
    assert len(at) == len("2026-01-02T03:04:05.678Z")
    return at


async def since(api: Api, project: str, at: str) -> list[str]:
    return gids(await api.get("/tasks", project=project, modified_since=at))


async def test_moves_leave_modified_at_alone(asana: AsanaSimulator, api: Api, project: str) -> None:
    """``modified_since`` shows moves between projects, and not those between sections."""
    other = asana.new_container("Shop")
    task = asana.new(project, title="Broken")
    before = await modified_at(api, task)
    asana.clock.advance(10)
    later = (asana.clock.now() - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    asana.edit(task, section="Done")
    assert await modified_at(api, task) == before
    assert await since(api, project, later) == []
    asana.add_to_project(task, other)
    assert await modified_at(api, task) == before
    assert await since(api, project, later) == [task]


async def test_modified_since_is_inclusive(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="Broken")
    asana.edit(task, title="Mended")

    assert await since(api, project, await modified_at(api, task)) == [task]


async def test_a_comment_moves_modified_at_and_its_edit_does_not(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="Broken")
    asana.clock.advance(10)
    before = await modified_at(api, task)
    comment = asana.comment(task, "first")
    commented = await modified_at(api, task)
    assert commented > before

    asana.clock.advance(10)
    asana.edit_comment(comment, "second")
    assert await modified_at(api, task) == commented
    story = await api.get(f"/stories/{comment}")
    assert (story["is_edited"], story["text"]) == (True, "second")
    asana.delete_comment(comment)
    assert await modified_at(api, task) > commented


async def test_reads_and_lists_may_show_the_state_before(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="old")
    asana.clock.advance(100)
    asana.visible_after_s = 60

    assert (await api.put(f"/tasks/{task}", "name", name="new"))["name"] == "new"
    made = (await api.post("/tasks", name="just made", projects=[project]))["gid"]
    comment = await api.post(f"/tasks/{task}/stories", text="hello")
    assert comment["text"] == "hello"
    assert (await api.get(f"/tasks/{task}"))["name"] == "old"
    assert await api.refused("GET", f"/tasks/{made}") == 404
    assert gids(await api.get("/tasks", project=project)) == [task]
    assert comment["gid"] not in gids(await api.get(f"/tasks/{task}/stories"))

    asana.clock.advance(61)
    assert (await api.get(f"/tasks/{task}"))["name"] == "new"
    assert gids(await api.get("/tasks", project=project)) == [task, made]
    assert comment["gid"] in gids(await api.get(f"/tasks/{task}/stories"))


async def test_a_value_that_stands_there_already_changes_nothing(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="same")
    before, token = await modified_at(api, task), await first_token(api, project)
    asana.clock.advance(10)

    await api.put(f"/tasks/{task}", name="same", completed=False)

    assert await modified_at(api, task) == before
    assert await api.get("/events", resource=project, sync=token) == []
