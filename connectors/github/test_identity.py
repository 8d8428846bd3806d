"""Which object is which, what is no container, and what a look at one costs."""

from __future__ import annotations

import pytest

from connectors.discussions import CommentDraft
from connectors.errors import PauseMapping, ReplanNeeded
from connectors.github.conftest import REPOSITORY, drained, fetched, made, opened
from connectors.github.session import GitHubSession
from connectors.github.simulator import GitHubSimulator
from connectors.records import Draft, Gone, Hidden, Key, Moved, Ref

KEY = Key("k1", "https://app.asana.com/0/1/2", "Task")
COMMENT = CommentDraft(text="Hi @bob", author_name="Ada", source_url="https://app.asana.com/0/1/2/3")


async def test_a_renamed_repository_keeps_its_place(github: GitHubSimulator, session: GitHubSession) -> None:
    before = await made(github, session)
    _, cursor = await drained(session, None)
    github.rename_repo(REPOSITORY, "site")
    github.edit(before.ref.id, title="After the rename")
    after = await fetched(session, before.ref)
    assert (after.ref, after.places) == (before.ref, {REPOSITORY: None})
    assert after.key == "acme/site#1"
    changes, _ = await drained(session, cursor)
    assert [(change.ref, change.record and change.record.places) for change in changes] == [
        (before.ref, {REPOSITORY: None})
    ]
    by_webhook = Ref(before.ref.connector, before.ref.site, "issue", before.ref.id, "acme/site#1")
    assert (await fetched(session, by_webhook)).places == {REPOSITORY: None}
    changed = await session.update(after.ref, {"title": "Written under the old name"}, after)
    assert changed.fields["title"] == "Written under the old name"


async def test_a_new_session_learns_the_rename(github: GitHubSimulator, session: GitHubSession) -> None:
    before = await made(github, session)
    github.rename_repo(REPOSITORY, "site")
    async with opened(github) as other:
        assert (await fetched(other, before.ref)).places == {REPOSITORY: None}
        assert (await other.container(REPOSITORY)).name == "acme/site"
    async with opened(github) as another:
        created = await another.create(REPOSITORY, Draft(fields={"title": "New"}), KEY)
        assert created.places == {REPOSITORY: None}


async def test_a_transferred_issue_has_moved(github: GitHubSimulator, session: GitHubSession) -> None:
    before = await made(github, session)
    github.new_container("acme/app")
    new_id = github.transfer(before.ref.id, "acme/app")
    moved = await fetched(session, before.ref)
    assert isinstance(moved, Moved)
    assert (moved.to.id, moved.to.address) == (new_id, "acme/app#1")
    assert (await fetched(session, moved.to)).places == {"acme/app": None}
    with pytest.raises(ReplanNeeded):
        await session.update(before.ref, {"labels": ("bug",)}, before)


async def test_another_repository_under_the_old_name(github: GitHubSimulator, session: GitHubSession) -> None:
    before = await made(github, session)
    github.delete_repo(REPOSITORY)
    assert isinstance(await fetched(session, before.ref), Hidden)
    github.new_container(REPOSITORY)
    github.new(REPOSITORY, title="Has taken number 1")
    assert isinstance(await fetched(session, before.ref), Hidden)


async def test_deleted_is_proven_by_410_alone(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    github.remove(record.ref.id)
    assert await fetched(session, record.ref) == Gone("410")
    for call in (session.comments(record.ref), session.field_times(record.ref, record.created_at)):
        with pytest.raises(ReplanNeeded):
            await call
    with pytest.raises(ReplanNeeded):
        await session.update(record.ref, {"title": "Late"}, record)
    github.deleted_status = 404
    assert isinstance(await fetched(session, record.ref), Hidden)
    with pytest.raises(ReplanNeeded):
        await session.add_comment(record.ref, COMMENT)


async def test_without_an_address_nothing_is_guessed(session: GitHubSession) -> None:
    for address in ("", "acme/website", "acme/../x#1", "a/b#1 "):
        ref = Ref("github", "127.0.0.1", "issue", "I_1", address)
        assert isinstance(await fetched(session, ref), Hidden)
        with pytest.raises(ReplanNeeded):
            await session.comments(ref)
        with pytest.raises(ReplanNeeded):
            await session.delete_comment(ref)


async def test_nothing_new_costs_nothing(github: GitHubSimulator, session: GitHubSession) -> None:
    await made(github, session)
    _, cursor = await drained(session, None)
    _, cursor = await drained(session, cursor)
    before = len(github.journal)
    changes, again = await drained(session, cursor)
    assert (changes, again) == ([], cursor)
    assert [exchange.status for exchange in github.journal[before:]] == [304, 304, 304]


async def test_a_comment_leads_to_its_issue(github: GitHubSimulator, session: GitHubSession) -> None:
    old = await made(github, session)
    github.clock.advance(3600)
    pull = github.new(REPOSITORY, title="A pull request", kind="pull")
    said = github.comment(old.ref.id, "First")
    github.clock.advance(3600)
    async with opened(github) as fresh:
        _, cursor = await drained(fresh, None)
        github.edit_comment(said, "First, edited")
        github.comment(pull, "On the pull request")
        changes, cursor = await drained(fresh, cursor)
        assert {change.ref for change in changes if change.comments} == {
            old.ref,
            Ref("github", old.ref.site, "pull", pull),
        }
        assert (await drained(fresh, cursor))[0] == []
        github.delete_comment(said)
        github.edit(old.ref.id, title="And renamed")
        changes, _ = await drained(fresh, cursor)
        assert [change.ref for change in changes] == [old.ref]


async def test_a_container_that_is_none(github: GitHubSimulator, session: GitHubSession) -> None:
    for container in ("acme", "acme/website/issues", "../website", "acme/..", "acme/nothing"):
        with pytest.raises(PauseMapping):
            await session.changes(container, None)
        with pytest.raises(PauseMapping):
            await session.create(container, Draft(fields={"title": "t"}), KEY)


async def test_issues_switched_off(github: GitHubSimulator, session: GitHubSession) -> None:
    github.disable_issues(REPOSITORY)
    with pytest.raises(PauseMapping):
        await session.container(REPOSITORY)
    with pytest.raises(PauseMapping):
        await session.create(REPOSITORY, Draft(fields={"title": "t"}), KEY)
