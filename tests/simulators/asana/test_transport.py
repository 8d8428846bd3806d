"""How a simulated Asana is spoken to: credentials, fields, pages, limits."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from connectors.asana.simulated_call import Token
from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import Fault
from tests.simulators.asana.client import Api, gids


async def test_a_wrong_or_revoked_token_is_401(asana: AsanaSimulator, api: Api) -> None:
    assert await api.refused("GET", "/users/me", headers={"Authorization": "Bearer wrong"}) == 401
    asana.tokens.clear()
    assert await api.refused("GET", "/users/me") == 401


async def test_unknown_addresses_are_404_in_the_envelope(api: Api) -> None:
    assert await api.refused("GET", "/nowhere") == 404


async def test_lists_are_compact_and_objects_full(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="Broken", notes="<strong>really</strong>")

    (row,) = await api.get("/tasks", project=project)
    assert row == {
        "gid": task,
        "resource_type": "task",
        "name": "Broken",
        "resource_subtype": "default_task",
    }
    full = await api.get(f"/tasks/{task}")
    assert full["notes"] == "really"
    opt_in = {"html_notes", "created_by", "num_subtasks", "external", "assigned_by", "dependencies"}
    assert opt_in.isdisjoint(full)


async def test_opt_fields_choose_and_always_bring_the_gid(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="Broken", assignee="bob", section="Backlog")

    chosen = await api.get(
        f"/tasks/{task}", opt_fields="name,this.(assignee|created_by).email,memberships.section.name,tags"
    )

    bob, ada = asana.people["bob"], asana.people["ada"]
    section = asana.workspace.tasks[task].places[project].section
    assert chosen == {
        "gid": task,
        "name": "Broken",
        "assignee": {"gid": bob.gid, "email": "bob@example.com"},
        "created_by": {"gid": ada.gid, "email": "ada@example.com"},
        "memberships": [{"section": {"gid": section, "name": "Backlog"}}],
        "tags": [],
    }


async def test_a_write_takes_its_fields_from_options(asana: AsanaSimulator, api: Api, project: str) -> None:
    made = await api.post("/tasks", "html_notes", name="x", notes="a < b", projects=[project])

    assert made == {"gid": made["gid"], "html_notes": "<body>a &lt; b</body>"}
    task = asana.new(project, title="y")
    assert await api.put(f"/tasks/{task}", "name", name="z") == {"gid": task, "name": "z"}


async def test_created_is_201_with_its_location(api: Api, project: str) -> None:
    answer = await api.http.post("/tasks", json={"data": {"name": "x", "projects": [project]}})

    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/tasks/{answer.json()['data']['gid']}")


@pytest.mark.parametrize(
    "body", [b"no json", b"[]", b'{"data": 1}', b'{"data": {"name": 5}}', b'{"data": {"nam": "x"}}']
)
async def test_unreadable_bodies_are_400(api: Api, body: bytes) -> None:
    assert await api.refused("POST", "/tasks", content=body) == 400


async def test_pages_lead_on_by_offset(asana: AsanaSimulator, api: Api, project: str) -> None:
    tasks = [asana.new(project, title=str(number)) for number in range(5)]

    first = await api.ok("GET", "/tasks", params={"project": project, "limit": 2})
    second = (await api.http.get(first["next_page"]["uri"])).json()
    third = await api.ok(
        "GET", "/tasks", params={"project": project, "limit": 2, "offset": second["next_page"]["offset"]}
    )

    assert gids(first["data"] + second["data"] + third["data"]) == tasks
    assert third["next_page"] is None


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
async def test_limits_outside_1_to_100_are_400(api: Api, project: str, limit: str) -> None:
    assert await api.refused("GET", "/tasks", params={"project": project, "limit": limit}) == 400


async def test_an_old_or_foreign_offset_is_400(asana: AsanaSimulator, api: Api, project: str) -> None:
    for number in range(3):
        asana.new(project, title=str(number))
    page = await api.ok("GET", "/tasks", params={"project": project, "limit": 1})
    query = {"limit": 1, "offset": page["next_page"]["offset"]}

    assert await api.refused("GET", "/users", params=query) == 400
    asana.clock.advance(asana.pages.life_s + 1)
    assert await api.refused("GET", "/tasks", params={"project": project, **query}) == 400


async def test_without_a_limit_a_listing_ends_at_1000(asana: AsanaSimulator, api: Api, project: str) -> None:
    for number in range(1001):
        asana.new(project, title=str(number))

    answer = await api.ok("GET", "/tasks", params={"project": project})

    assert (len(answer["data"]), answer["next_page"]) == (1000, None)


async def test_refused_requests_count_against_the_rate_limit(asana: AsanaSimulator, api: Api) -> None:
    asana.requests_per_minute = 12
    for _ in range(2):
        await api.get("/users/me")

    refused = await api.http.get("/users/me")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    asana.clock.advance(9)
    assert await api.refused("GET", "/users/me") == 429
    asana.clock.advance(9)
    assert await api.get("/users/me")


async def test_each_token_has_its_own_limit(asana: AsanaSimulator, api: Api) -> None:
    asana.requests_per_minute = 6
    asana.tokens["another"] = Token(asana.people["ada"].gid)

    await api.get("/users/me")
    assert await api.refused("GET", "/users/me") == 429
    assert (await api.http.get("/users/me", headers={"Authorization": "Bearer another"})).is_success


@pytest.mark.parametrize(("method", "path", "allowed"), [("GET", "/users/me", 50), ("POST", "/tasks", 15)])
async def test_one_request_too_many_in_flight_is_429(
    asana: AsanaSimulator, api: Api, project: str, method: str, path: str, allowed: int
) -> None:
    asana.faults.add(Fault(kind="slow", seconds=1.0, times=allowed))
    data = {"name": "x", "projects": [project]}
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(
        base_url=api.http.base_url,
        headers=api.http.headers,
        timeout=20,
        limits=limits,
        trust_env=False,
        verify=False,
    ) as http:
        answers = await asyncio.gather(
            *(http.request(method, path, json={"data": data}) for _ in range(allowed + 1))
        )

    assert [answer.status_code for answer in answers].count(429) == 1


async def test_a_negative_cost_balance_is_429(asana: AsanaSimulator, api: Api, project: str) -> None:
    for number in range(10):
        asana.new(project, title=str(number))
    asana.cost_per_minute = 15

    dear = {"project": project, "opt_fields": "followers.name"}
    assert len(await api.get("/tasks", **dear)) == 10
    assert await api.refused("GET", "/users/me") == 429
    asana.clock.advance(60)
    assert await api.get("/users/me")


async def test_a_500_has_a_phrase_for_support(asana: AsanaSimulator, api: Api) -> None:
    asana.faults.add(Fault(kind="500"))

    assert (await api.http.get("/users/me")).json()["errors"][0]["phrase"]
