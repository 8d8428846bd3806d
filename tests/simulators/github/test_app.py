"""The GitHub App of a simulated GitHub; every quirk has a test that names it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
import jwt
import pytest

from connectors.github.simulated_app import APP_ID, BOT_OF_APP, INSTALLATION_ID, private_key
from connectors.github.simulator import GitHubSimulator

REPO = "acme/website"
TOKENS = f"/app/installations/{INSTALLATION_ID}/access_tokens"

PathOf: TypeAlias = Callable[[str], str]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def of_app(*, iat: float = -60, exp: float = 540, iss: int = APP_ID) -> dict[str, str]:
    """A JSON Web Token whose times are seconds from now."""
    now = int(time.time())
    claims = {"iat": now + iat, "exp": now + exp, "iss": str(iss)}
    return bearer(jwt.encode(claims, private_key(), algorithm="RS256"))


async def fresh(api: httpx.AsyncClient) -> dict[str, str]:
    made = await api.post(TOKENS, headers=of_app())
    assert made.status_code == 201, made.text
    return bearer(made.json()["token"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"iat": 60}, "Issued at"),
        ({"exp": 700}, "too far in the future"),
        ({"exp": -1}, "at which the assertion expires"),
        ({"iss": 1}, "Integration not found"),
    ],
)
async def test_a_future_iat_an_exp_beyond_ten_minutes_and_strangers_are_refused(
    api: httpx.AsyncClient, wrong: dict[str, Any], message: str
) -> None:
    refused = await api.post(TOKENS, headers=of_app(**wrong))
    assert refused.status_code == 401
    assert message in refused.json()["message"]


async def test_a_token_dies_after_an_hour(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    token = await fresh(api)
    assert (await api.get(f"/repos/{REPO}", headers=token)).status_code == 200
    github.clock.advance(3601)
    assert (await api.get(f"/repos/{REPO}", headers=token)).status_code == 401


async def test_a_fresh_token_may_give_one_401(github: GitHubSimulator, api: httpx.AsyncClient) -> None:
    github.fresh_tokens_refused = 1
    token = await fresh(api)
    statuses = [(await api.get(f"/repos/{REPO}", headers=token)).status_code for _ in range(2)]
    assert statuses == [401, 200]


async def test_a_suspended_or_removed_installation_serves_nobody(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    token = await fresh(api)
    github.app_installed.suspended_at = github.clock.now()
    assert (await api.post(TOKENS, headers=of_app())).status_code == 403
    assert (await api.get(f"/repos/{REPO}", headers=token)).status_code == 403
    github.app_installed.installed = False
    assert (await api.get(f"/repos/{REPO}", headers=token)).status_code == 401
    assert (await api.post(TOKENS, headers=of_app())).status_code == 404


async def test_an_app_has_no_user_and_a_user_no_app(api: httpx.AsyncClient) -> None:
    token = await fresh(api)
    assert (await api.get("/user", headers=token)).status_code == 403
    assert (await api.get("/app", headers=token)).status_code == 401
    assert (await api.get("/app")).status_code == 401
    assert (await api.get("/installation/repositories")).status_code == 403
    assert (await api.get("/installation/repositories", headers=token)).json()["total_count"] == 1


async def test_an_edit_by_a_person_keeps_the_app_by_which_an_issue_was_made(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    made = await api.post(f"/repos/{REPO}/issues", json={"title": "one"}, headers=await fresh(api))
    id = made.json()["node_id"]
    assert made.json()["user"] | {"login": BOT_OF_APP, "type": "Bot"} == made.json()["user"]
    github.edit(id, by="ada", title="two")
    read = (await api.get(path_of(id))).json()
    assert (read["title"], read["performed_via_github_app"]["slug"]) == ("two", "acme-sync")
    by_hand = github.new(REPO, title="by hand")
    assert (await api.get(path_of(by_hand))).json()["performed_via_github_app"] is None
