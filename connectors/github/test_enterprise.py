"""GitHub Enterprise Server: the API lies below a path of the company's host."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.discussions import CommentDraft
from connectors.github.conftest import REPOSITORY, drained, fetched, listed, made, opened
from connectors.github.session import GitHubSession
from connectors.github.simulator import GitHubSimulator
from connectors.records import Draft, Key
from connectors.simulation import serve

KEY = Key("k1", "https://app.asana.com/0/1/2", "Task")


@pytest.fixture
async def github() -> AsyncIterator[GitHubSimulator]:
    simulator = GitHubSimulator(enterprise=True)
    simulator.new_container(REPOSITORY)
    async with serve(simulator):
        yield simulator


async def test_everything_lies_below_the_path(github: GitHubSimulator, session: GitHubSession) -> None:
    account = await session.check()
    assert account.site == "127.0.0.1"
    assert (await session.container(REPOSITORY)).url == "https://ghe.example.com/acme/website"
    for number in range(101):
        github.new(REPOSITORY, title=f"Issue {number}")
    records = await listed(session)
    assert len(records) == 101, "paging links lead below the path, too"
    record = next(iter(records.values()))
    assert record.url.startswith("https://ghe.example.com/acme/website/issues/")
    created = await session.create(REPOSITORY, Draft(fields={"title": "T", "labels": ("bug",)}), KEY)
    draft = CommentDraft(text="said", author_name="Ada", source_url="https://app.asana.com/0/1/2/3")
    comment = await session.add_comment(created.ref, draft)
    assert comment.url.startswith(created.url)
    assert [found.ref for found in await session.find_created(REPOSITORY, KEY, created.created_at)] == [
        created.ref
    ]
    assert all(exchange.path.startswith("/api/v3/") for exchange in github.journal)


async def test_changes_and_moves_are_followed(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    _, cursor = await drained(session, None)
    github.rename_repo(REPOSITORY, "site")
    github.edit(record.ref.id, title="After the rename")
    changes, _ = await drained(session, cursor)
    assert [change.ref for change in changes] == [record.ref]
    written = await session.update(record.ref, {"title": "Written"}, await fetched(session, record.ref))
    assert written.fields["title"] == "Written"


async def test_webhooks_and_apps(github: GitHubSimulator) -> None:
    app = github.connection_as_app(github.base_url)
    async with opened(github, credentials=app["credentials"]) as session:
        assert (await session.check()).missing == ()
        subscribed = await session.subscribe(REPOSITORY, f"{github.base_url}/nowhere", "secret")
        assert subscribed.active
        assert await session.subscription(REPOSITORY, subscribed.id)
        assert [container.id for container in await session.containers()] == [REPOSITORY]
