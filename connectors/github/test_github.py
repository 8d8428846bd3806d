"""What the shared suite cannot know: comments, taking webhooks over, what a token lacks."""

from __future__ import annotations

import pytest

from connectors.discussions import CommentDraft
from connectors.errors import Park, ParkClass, ReplanNeeded
from connectors.github import connector
from connectors.github.config import GitHubCredentials, GitHubSettings
from connectors.github.conftest import REPOSITORY, made, opened
from connectors.github.session import GitHubSession
from connectors.github.simulator import BOT, GitHubSimulator

COMMENT = CommentDraft(text="Hi @bob", author_name="Ada", source_url="https://app.asana.com/0/1/2/3")


async def test_a_copied_comment(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    posted = await session.add_comment(record.ref, COMMENT)
    view = github.view(record.ref.id)
    assert view is not None
    assert view["comments"][0]["text"] == "**[Ada](https://app.asana.com/0/1/2/3)**\n\nHi @\u200bbob"
    assert (posted.text, posted.source_url, posted.by_us) == ("Hi @bob", COMMENT.source_url, True)
    async with opened(github) as other:
        draft = CommentDraft(text="Edited", author_name="Ada", source_url=COMMENT.source_url)
        edited = await other.edit_comment(posted.ref, draft)
    assert (edited.ref, edited.parent, edited.text) == (posted.ref, record.ref, "Edited")
    github.comment(record.ref.id, "**[Ada](https://evil.test)**\n\nquoted")
    quoted = (await session.comments(record.ref))[1]
    assert (quoted.source_url, quoted.by_us) == (None, False)
    assert quoted.text.startswith("**[Ada]")


async def test_a_comment_that_is_gone(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    posted = await session.add_comment(record.ref, COMMENT)
    await session.delete_comment(posted.ref)
    await session.delete_comment(posted.ref)
    with pytest.raises(ReplanNeeded):
        await session.edit_comment(posted.ref, COMMENT)


async def test_more_comments_than_a_page(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    for number in range(130):
        github.comment(record.ref.id, f"Comment {number}")
    comments = await session.comments(record.ref)
    assert [comment.text for comment in comments] == [f"Comment {number}" for number in range(130)]


async def test_a_webhook_is_taken_over(github: GitHubSimulator, session: GitHubSession) -> None:
    target = f"{github.base_url}/nowhere"
    first = await session.subscribe(REPOSITORY, target, "one")
    second = await session.subscribe(REPOSITORY, target, "two")
    assert (first.id, second.secret, second.target) == (second.id, "two", target)
    assert len(github.journal.by("POST", "/hooks$")) == 1
    await github.outbox.idle()
    seen = await session.subscription(REPOSITORY, first.id)
    assert seen is not None
    assert "the last delivery was answered with 4" in seen.reason


async def test_webhooks_need_an_administrator(github: GitHubSimulator, session: GitHubSession) -> None:
    github.admin_access = False
    with pytest.raises(Park) as refused:
        await session.subscribe(REPOSITORY, "https://sync.test/webhooks/a/b", "s")
    assert refused.value.park_class is ParkClass.PERMISSION
    assert "admin:repo_hook" in refused.value.fix


async def test_webhooks_switched_off(github: GitHubSimulator) -> None:
    async with opened(github, subscriptions="off") as session:
        with pytest.raises(Park) as refused:
            await session.subscribe(REPOSITORY, "https://sync.test/webhooks/a/b", "s")
        assert refused.value.park_class is ParkClass.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("scopes", "sentences"),
    [(("repo",), 0), (None, 0), (("public_repo",), 2), (("public_repo", "admin:repo_hook"), 1), ((), 1)],
)
async def test_what_the_token_lacks(
    github: GitHubSimulator, session: GitHubSession, scopes: tuple[str, ...] | None, sentences: int
) -> None:
    github.scopes = scopes
    account = await session.check()
    assert (account.name, account.site) == (BOT, "127.0.0.1")
    assert len(account.missing) == sentences


async def test_pickers(session: GitHubSession) -> None:
    assert [container.id for container in await session.containers()] == [REPOSITORY]
    assert {"ada", "bob"} <= {user.id for user in await session.people(REPOSITORY)}


def test_sites() -> None:
    assert connector.site(GitHubSettings()) == "github.com"
    assert connector.site(GitHubSettings(base_url="https://git.acme.com/api/v3/")) == "git.acme.com"


def test_an_empty_webhook_secret_is_none() -> None:
    credentials = GitHubCredentials.model_validate({"token": " t ", "webhook_secret": ""})
    assert credentials.webhook_secret is None
    assert credentials.token is not None
    assert credentials.token.get_secret_value() == "t"
