"""Search and batches of a simulated Asana: limits of their own, and no promises."""

from __future__ import annotations

from typing import Any

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api, gids
from tests.specification.documents import required
from tests.specification.watch import Watch


def search_path(asana: AsanaSimulator) -> str:
    return f"/workspaces/{asana.workspace.gid}/tasks/search"


async def test_search_lags_a_minute_behind(asana: AsanaSimulator, api: Api, project: str) -> None:
    path, task = search_path(asana), asana.new(project, title="Broken link")
    assert await api.get(path, text="broken") == []

    asana.clock.advance(61)

    assert gids(await api.get(path, text="broken")) == [task]
    asana.edit(task, state="closed")
    assert gids(await api.get(path, completed="false", **{"projects.any": project})) == [task]


async def test_the_61st_search_of_a_minute_is_429(asana: AsanaSimulator, api: Api) -> None:
    for _ in range(60):
        await api.get(search_path(asana), text="x")
    assert await api.refused("GET", search_path(asana)) == 429
    asana.clock.advance(61)
    assert await api.get(search_path(asana)) == []


async def test_search_shows_one_page_for_paying_customers(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    for number in range(101):
        asana.new(project, title=f"{number}")
    asana.clock.advance(61)

    page = await api.ok("GET", search_path(asana), params={"limit": 100})

    assert (len(page["data"]), list(page)) == (100, ["data"])
    asana.workspace.premium = False
    assert await api.refused("GET", search_path(asana)) == 402


def action(method: str, path: str, **more: Any) -> dict[str, Any]:
    return {"method": method, "relative_path": path, **more}


async def test_a_batch_answers_200_with_mixed_results(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="a")

    made, renamed, read, missing = await api.post(
        "/batch",
        actions=[
            action("post", "/tasks", data={"name": "b", "projects": [project]}),
            action("put", f"/tasks/{task}", data={"name": "c"}, options={"fields": ["name"]}),
            action("get", "/tasks", data={"project": project, "limit": 1}, options={"fields": ["name"]}),
            action("get", "/tasks/1"),
        ],
    )

    assert [answer["status_code"] for answer in (made, renamed, read, missing)] == [201, 200, 200, 404]
    assert made["headers"]["location"].endswith(made["body"]["data"]["gid"])
    assert renamed["body"]["data"] == {"gid": task, "name": "c"}
    assert len(read["body"]["data"]) == 1


async def test_a_batch_is_done_in_any_order(asana: AsanaSimulator, api: Api, project: str) -> None:
    orders = set()
    for _ in range(20):
        before = len(asana.objects(project))
        actions = [action("post", "/tasks", data={"name": name, "projects": [project]}) for name in "abc"]
        await api.post("/batch", actions=actions)
        made = asana.objects(project)[before:]
        orders.add("".join(asana.workspace.tasks[gid].name for gid in made))
    assert len(orders) > 1


async def test_11_actions_are_refused(api: Api) -> None:
    for number in (0, 11):
        assert await api.rejected("POST", "/batch", actions=[action("get", "/users/me")] * number) == 400


async def test_each_action_counts_and_one_too_many_refuses_all(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    asana.requests_per_minute = 36  # six in ten seconds
    actions = [action("post", "/tasks", data={"name": "x", "projects": [project]})] * 6

    assert await api.rejected("POST", "/batch", actions=actions) == 429
    assert asana.objects(project) == []
    asana.clock.advance(11)
    await api.post("/batch", actions=actions[:5])
    assert len(asana.objects(project)) == 5
    assert await api.refused("GET", "/users/me") == 429
    asana.clock.advance(11)
    asana.writes_in_flight = 4
    assert await api.rejected("POST", "/batch", actions=actions[:5]) == 429


async def test_answers_conform_to_the_published_openapi(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    required()
    asana.new(project, title="Broken link")
    asana.clock.advance(61)
    watch = Watch()
    with watch.watching(asana):
        await api.get(search_path(asana), text="broken", opt_fields="name,completed")
        await api.get(search_path(asana))
        await api.post("/batch", actions=[action("get", "/users/me"), action("get", "/tasks/1")])
    found = watch.findings()
    assert found == [], "\n".join(found)
