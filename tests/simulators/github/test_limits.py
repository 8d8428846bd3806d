"""How often a simulated GitHub may be asked; every quirk has a test that names it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

import httpx
import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault

REPO = "acme/website"

PathOf: TypeAlias = Callable[[str], str]


async def test_an_etag_gives_a_free_304(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    id = github.new(REPO, title="one")
    first = await api.get(path_of(id))
    assert first.headers["x-ratelimit-used"] == "1"
    for _ in range(3):
        again = await api.get(path_of(id), headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["x-ratelimit-used"]) == (304, b"", "1")
    github.edit(id, title="two")
    changed = await api.get(path_of(id), headers={"If-None-Match": first.headers["etag"]})
    assert (changed.status_code, changed.headers["x-ratelimit-used"]) == (200, "2")


async def test_every_answer_tells_quota_request_id_media_type_and_date(api: httpx.AsyncClient) -> None:
    for answer in (await api.get("/user"), await api.get("/repos/acme/nothing")):
        told = answer.headers
        assert int(told["x-ratelimit-limit"]) == int(told["x-ratelimit-remaining"]) + int(
            told["x-ratelimit-used"]
        )
        assert told["x-github-request-id"]
        assert told["x-github-media-type"] == "github.v3; format=json"
        assert told["date"].endswith("GMT")
        assert told["x-oauth-scopes"] == "repo, admin:repo_hook"


async def test_the_primary_limit_refuses_until_reset_and_asking_for_it_is_free(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.requests_per_hour = 1
    assert (await api.get("/user")).status_code == 200
    refused = await api.get("/user")
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert "rate limit" in refused.json()["message"]
    assert (await api.get("/rate_limit")).json()["rate"]["remaining"] == 0
    reset = int(refused.headers["x-ratelimit-reset"])
    github.clock.advance(reset - github.clock.now().timestamp())
    assert (await api.get("/user")).status_code == 200


async def test_the_81st_creation_a_minute_is_refused_sometimes_without_retry_after(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.as_documented()
    answers = [await api.post(f"/repos/{REPO}/issues", json={"title": "again"}) for _ in range(82)]
    assert [answer.status_code for answer in answers] == [201] * 80 + [403] * 2
    assert [answer.headers.get("retry-after") for answer in answers[-2:]] == ["60", None]
    assert "secondary rate limit" in answers[-1].json()["message"]
    assert len(github.objects(REPO)) == 80


async def test_the_501st_creation_an_hour_is_refused(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    github.creations_per_hour, github.limited_status = 2, 429
    statuses = []
    for _ in range(3):
        statuses.append((await api.post(f"/repos/{REPO}/issues", json={"title": "again"})).status_code)
        github.clock.advance(600)
    assert statuses == [201, 201, 429]


async def test_calls_while_blocked_prolong_the_block(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    github.points_per_minute = 1
    assert (await api.get("/user")).status_code == 200
    assert (await api.get("/user")).status_code == 403
    github.points_per_minute = 1000
    github.clock.advance(40)
    assert (await api.get("/user")).status_code == 403
    github.clock.advance(40)
    assert (await api.get("/user")).status_code == 403
    github.clock.advance(61)
    assert (await api.get("/user")).status_code == 200


async def test_the_101st_concurrent_request_is_refused(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.concurrent = 1
    github.faults.add(Fault(kind="slow", seconds=0.1, times=None))
    answers = await asyncio.gather(*(api.get("/user") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 403]


async def test_an_unanswered_request_costs_extra(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    github.faults.add(Fault(kind="timeout_before"))
    with pytest.raises(httpx.ReadTimeout):
        await api.get("/user", timeout=0.1)
    assert (await api.get("/user")).headers["x-ratelimit-used"] == str(2 + github.timeout_cost)
