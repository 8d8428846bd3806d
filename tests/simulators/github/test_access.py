"""Who may ask a simulated GitHub, and what it hides; every quirk has a test that names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import httpx
import pytest
from dirty_equals import IsPartialDict

from connectors.github.simulator import BOT, TOKEN, GitHubSimulator

REPO = "acme/website"

PathOf: TypeAlias = Callable[[str], str]


async def test_a_bad_token_gets_401_and_a_missing_user_agent_403(api: httpx.AsyncClient) -> None:
    assert (await api.get("/user")).json()["login"] == BOT
    assert (await api.get("/user", headers={"Authorization": f"token {TOKEN}"})).status_code == 200
    bad = await api.get("/user", headers={"Authorization": "Bearer nobody"})
    assert (bad.status_code, bad.json()["message"]) == (401, "Bad credentials")
    assert (await api.get("/user", headers={"User-Agent": ""})).status_code == 403


async def test_a_fresh_token_gives_one_401_and_a_revoked_one_nothing_else(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.refuse_next = 1
    assert [(await api.get("/user")).status_code for _ in range(2)] == [401, 200]
    github.revoked = True
    assert [(await api.get("/user")).status_code for _ in range(2)] == [401, 401]


async def test_an_unknown_api_version_is_refused_and_the_newest_has_no_singular_assignee(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one", assignee="ada"))
    versions = {
        v: await api.get(path, headers={"X-GitHub-Api-Version": v}) for v in ("1999-01-01", "2026-03-10")
    }
    assert versions["1999-01-01"].status_code == 400
    assert "assignee" not in versions["2026-03-10"].json()
    listed = await api.get(f"/repos/{REPO}/issues", headers={"X-GitHub-Api-Version": "2026-03-10"})
    assert "assignee" not in listed.json()[0]
    assert (await api.get(path)).json()["assignee"]["login"] == "ada"


async def test_without_admin_access_hooks_do_not_exist(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.admin_access = False
    assert (await api.get(f"/repos/{REPO}/hooks")).status_code == 404
    assert (await api.get(f"/repos/{REPO}")).json()["permissions"]["admin"] is False


async def test_uninstall_going_private_or_deletion_reads_404_everywhere(
    github: GitHubSimulator, api: httpx.AsyncClient, path_of: PathOf
) -> None:
    path = path_of(github.new(REPO, title="one"))
    github.hide_repo(REPO)
    assert {(await api.get(p)).status_code for p in (path, f"/repos/{REPO}", f"/repos/{REPO}/issues")} == {
        404
    }
    assert (await api.get("/user/repos")).json() == []
    github.hide_repo(REPO, hidden=False)
    assert (await api.get(path)).status_code == 200
    github.delete_repo(REPO)
    assert (await api.get(path)).status_code == 404


async def test_archived_repositories_refuse_writes_and_disabled_issues_answer_410(
    github: GitHubSimulator, api: httpx.AsyncClient
) -> None:
    github.disable_issues(REPO)
    assert (await api.post(f"/repos/{REPO}/issues", json={"title": "one"})).status_code == 410
    github.archive_repo(REPO)
    assert (await api.post(f"/repos/{REPO}/issues", json={"title": "one"})).status_code == 403
    assert (await api.get(f"/repos/{REPO}/issues")).status_code == 200


def test_people_see_what_they_did(github: GitHubSimulator) -> None:
    id = github.new(REPO, title="one", notes="text", labels=["bug"], assignee="ada", by="bob")
    comment = github.comment(id, "said", by="ada")
    github.edit(id, title="two", state="closed", assignees=["ada", "bob"])
    assert github.view(id) == IsPartialDict(
        {
            "title": "two",
            "notes": "text",
            "state": "closed",
            "state_reason": "completed",
            "merged": False,
            "assignee": "ada",
            "assignees": ["ada", "bob"],
            "labels": ["bug"],
            "milestone": None,
            "comments": [IsPartialDict(id=comment, text="said", author="ada")],
            "kind": "issue",
            "locked": False,
            "draft": False,
            "type": None,
            "values": {},
            "author": "bob",
            "container": REPO,
            "number": 1,
            "url": "https://github.com/acme/website/issues/1",
        }
    )
    assert github.objects(REPO) == [id]
    assert {"ada", "bob", BOT} <= set(github.people)
    assert github.people["ada"].email == "ada@example.com"


def test_people_cannot_do_what_github_does_not_know(github: GitHubSimulator) -> None:
    id = github.new(REPO, title="one")
    with pytest.raises(ValueError, match="section"):
        github.edit(id, section="later")
    with pytest.raises(ValueError, match="melted"):
        github.edit(id, state="melted")
    with pytest.raises(ValueError, match="open pull request"):
        github.edit(id, state="merged")
    with pytest.raises(ValueError, match="same owner"):
        github.transfer(id, github.new_container("other/place"))
    with pytest.raises(ValueError, match="exists already"):
        github.rename_repo(REPO, "other/place")
    assert github.new_container("Website") == "acme/Website-1"
    with pytest.raises(KeyError):
        github.edit("I_none", title="two")
    with pytest.raises(KeyError):
        github.delete_comment("IC_none")
