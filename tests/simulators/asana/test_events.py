"""Events and sync tokens of a simulated Asana, quirk by quirk."""

from __future__ import annotations

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api, first_token


async def test_stories_and_subtasks_bubble_up_to_the_project(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    parent = asana.new(project, title="above")
    token = await first_token(api, project)
    child = (await api.post(f"/tasks/{parent}/subtasks", name="below"))["gid"]
    asana.comment(child, "hello")

    events = (await api.ok("GET", "/events", params={"resource": project, "sync": token}))["data"]

    assert {event["resource"]["gid"] for event in events} >= {child}
    assert any(event["resource"].get("resource_subtype") == "comment_added" for event in events)
    assert (await api.get(f"/tasks/{child}", opt_fields="projects"))["projects"] == []


async def test_rules_answer_the_bots_write_as_nobody(asana: AsanaSimulator, api: Api, project: str) -> None:
    asana.rules.append(lambda simulator, task: simulator.edit(task, section="Done", by="system"))
    task = asana.new(project, title="Broken")
    token = await first_token(api, project)

    await api.put(f"/tasks/{task}", completed=True)

    events = (await api.ok("GET", "/events", params={"resource": project, "sync": token}))["data"]
    assert [event["user"] is None for event in events] == [False, False, True, True, True]
    view = asana.view(task)
    assert view
    assert view["section"] == "Done"


async def test_a_first_unknown_or_expired_token_is_412_with_a_fresh_one(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    asana.new(project, title="before")
    token = await first_token(api, project)
    assert await api.get("/events", resource=project, sync=token) == []
    await first_token(api, project, "unknown")

    asana.clock.advance(25 * 3600)
    fresh = await first_token(api, project, token)
    asana.workspace.log.expire_tokens()
    await first_token(api, project, fresh)


async def test_a_superseded_token_is_412_but_the_current_one_may_be_used_again(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    first = await first_token(api, project)
    asana.new(project, title="one")
    second = (await api.ok("GET", "/events", params={"resource": project, "sync": first}))["sync"]
    assert await api.get("/events", resource=project, sync=first)
    assert await api.get("/events", resource=project, sync=second) == []

    await first_token(api, project, first)


async def test_a_token_gives_at_most_100_events(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="0")
    token = await first_token(api, project)
    for number in range(1, 61):
        asana.edit(task, title=str(number))

    first = await api.ok("GET", "/events", params={"resource": project, "sync": token})
    second = await api.ok("GET", "/events", params={"resource": project, "sync": first["sync"]})

    assert (len(first["data"]), first["has_more"]) == (100, True)
    assert (len(second["data"]), second["has_more"]) == (20, False)


async def test_events_may_be_late_or_lost(asana: AsanaSimulator, api: Api, project: str) -> None:
    token = await first_token(api, project)
    asana.workspace.log.after_s = 30
    asana.new(project, title="late")
    assert await api.get("/events", resource=project, sync=token) == []
    asana.clock.advance(31)
    late = await api.ok("GET", "/events", params={"resource": project, "sync": token})
    assert late["data"]

    asana.workspace.log.after_s, asana.workspace.log.lost = 0, True
    asana.new(project, title="lost")
    assert await api.get("/events", resource=project, sync=late["sync"]) == []
