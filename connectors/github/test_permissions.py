"""What the account cannot do in a repository is said before anything is refused."""

from __future__ import annotations

import pytest

from connectors.errors import PauseMapping
from connectors.github.conftest import REPOSITORY, opened
from connectors.github.session import GitHubSession
from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault


async def test_an_account_that_may_do_everything_lacks_nothing(session: GitHubSession) -> None:
    assert await session.lacks(REPOSITORY) == []


async def test_a_role_says_what_it_costs(github: GitHubSimulator, session: GitHubSession) -> None:
    github.admin_access = False
    assert [said.split(":")[0] for said in await session.lacks(REPOSITORY)] == [
        "The account has no admin access"
    ]
    async with opened(github, subscriptions="off") as polling:
        assert await polling.lacks(REPOSITORY) == [], "who wants no webhooks needs no admin"
    github.push_access = False
    assert [said.split(":")[0] for said in await session.lacks(REPOSITORY)] == [
        "The account may only read (no triage access)",
        "The account has no write access",
        "The account has no admin access",
    ]


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("/issues", "Issues: read and write"),
        ("/pulls", "Pull requests: read and write"),
        ("/assignees", "Metadata: read"),
        ("/hooks", "Webhooks: read and write"),
    ],
)
async def test_what_a_token_may_not_list_is_named(
    github: GitHubSimulator, session: GitHubSession, path: str, needed: str
) -> None:
    github.faults.add(Fault(kind="403", path=rf"{path}$", times=None))
    (said,) = await session.lacks(REPOSITORY)
    assert said.startswith(f"The token has not the permission {needed}: ")


async def test_a_repository_at_rest_says_so(github: GitHubSimulator, session: GitHubSession) -> None:
    github.archive_repo(REPOSITORY)
    github.disable_issues(REPOSITORY)
    assert [said.split(":")[0] for said in await session.lacks(REPOSITORY)] == [
        "The repository is archived",
        "Issues are switched off in the repository",
    ]


async def test_a_repository_out_of_sight(github: GitHubSimulator, session: GitHubSession) -> None:
    github.hide_repo(REPOSITORY)
    with pytest.raises(PauseMapping):
        await session.lacks(REPOSITORY)
