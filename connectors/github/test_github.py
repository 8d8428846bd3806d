"""What the shared suite cannot know: renames, transfers, conditional requests, GitHub's own refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.discussions import CommentDraft
from connectors.errors import OutcomeUnknown, Park, ParkClass, PauseMapping, ReplanNeeded, RetryLater
from connectors.github import connector
from connectors.github.config import GitHubCredentials, GitHubSettings
from connectors.github.conftest import REPOSITORY, drained, fetched, made, opened
from connectors.github.session import GitHubSession
from connectors.github.simulator import BOT, GitHubSimulator
from connectors.records import Draft, FieldTime, Gone, Hidden, Key, Moved, Ref, Value
from connectors.simulation import Fault

KEY = Key("k1", "https://app.asana.com/0/1/2", "Task")
DATE = "Sun, 09 Sep 2001 01:46:40 GMT"
COMMENT = CommentDraft(text="Hi @bob", author_name="Ada", source_url="https://app.asana.com/0/1/2/3")


# --- identity ------------------------------------------------------------------------------------------


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


# --- polling -------------------------------------------------------------------------------------------


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


# --- writing -------------------------------------------------------------------------------------------


async def test_the_key_is_the_last_line(github: GitHubSimulator, session: GitHubSession) -> None:
    draft = Draft(fields={"title": "T", "notes": "cc @bob", "labels": ("new one",), "assignee": ("ada",)})
    created = await session.create(REPOSITORY, draft, KEY)
    view = github.view(created.ref.id)
    assert view is not None
    line = f"Synced with [{KEY.label}]({KEY.url})"
    assert view["notes"] == f"cc @\u200bbob\n\n{line}\n\n<!-- asana-sync:k1 -->"
    assert (view["labels"], view["assignees"]) == (["new one"], ["ada"])
    assert (created.fields["notes"], created.keys, created.created_by_us) == (
        "cc @bob",
        frozenset({"k1"}),
        True,
    )
    changed = await session.update(created.ref, {"notes": "Other"}, created)
    view = github.view(created.ref.id)
    assert view is not None
    assert view["notes"] == f"Other\n\n{line}\n\n<!-- asana-sync:k1 -->"
    assert changed.keys == {"k1"}
    await session.update(created.ref, {"notes": "Other"}, replace(changed, backlink=None))
    assert (github.view(created.ref.id) or {})["notes"] == "Other\n\n<!-- asana-sync:k1 -->"


async def test_made_closed(github: GitHubSimulator, session: GitHubSession) -> None:
    created = await session.create(REPOSITORY, Draft(fields={"title": "T", "state": "closed"}), KEY)
    assert created.fields["state"] == "closed"
    github.faults.add(Fault(kind="500", method="PATCH"))
    left_open = await session.create(REPOSITORY, Draft(fields={"title": "U", "state": "closed"}), KEY)
    assert left_open.fields["state"] == "open"  # made is made: the next plan closes it


async def test_found_again_among_many(github: GitHubSimulator, session: GitHubSession) -> None:
    start = datetime.now(UTC)
    created = await session.create(REPOSITORY, Draft(fields={"title": "T"}), KEY)
    github.new(REPOSITORY, title="A copy by a person", notes="<!-- asana-sync:k1 -->")
    for number in range(120):
        github.new(REPOSITORY, title=f"Another {number}", by=BOT)
    assert [record.ref for record in await session.find_created(REPOSITORY, KEY, start)] == [created.ref]
    assert await session.find_created(REPOSITORY, KEY, start + timedelta(hours=1)) == []


async def test_sets_are_changed_one_by_one(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session, labels=["bug", "wontfix"], assignees=["ada"])
    github.edit(record.ref.id, labels=["bug", "wontfix", "question"])  # after we read it
    wanted: dict[str, Value] = {"labels": ("Bug", "a/b?c"), "assignee": ("bob",)}
    changed = await session.update(record.ref, wanted, record)
    assert changed.fields["labels"] == ("a/b?c", "bug", "question")
    assert changed.fields["assignee"] == ("bob",)
    assert not github.journal.by("PATCH", "issues")
    cleared = await session.update(record.ref, {"labels": (), "assignee": ()}, changed)
    assert (cleared.fields["labels"], cleared.fields["assignee"]) == ((), ())


async def test_what_is_written_shows_although_reads_lag(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    record = await made(github, session)
    github.visible_after_s = 60
    with pytest.raises(OutcomeUnknown):  # reads do not show the issue itself yet
        await session.update(record.ref, {"labels": ("bug",)}, record)
    github.clock.advance(120)
    changed = await session.update(record.ref, {"labels": ("wontfix",)}, record)
    assert (await fetched(session, record.ref)).fields["labels"] == ("bug",)
    assert changed.fields["labels"] == ("bug", "wontfix")


async def test_dropped_fields_show_in_the_answer(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    changed = await session.update(record.ref, {"assignee": ("nobody-here",), "title": "New"}, record)
    assert (changed.fields["assignee"], changed.fields["title"]) == ((), "New")


async def test_whole_values_are_written_before_elements_of_sets(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    """What is written last is furthest from the reading: elements overwrite nothing."""
    record = await made(github, session)
    fields: dict[str, Value] = {"labels": ("a", "b"), "title": "New", "assignee": ("ada",)}
    changed = await session.update(record.ref, fields, record)
    calls = [(entry.method, entry.path.rpartition("/")[2]) for entry in github.journal.writes()[-3:]]
    assert calls == [
        ("PATCH", str(github.find(record.ref.id)[1].number)),
        ("POST", "labels"),
        ("POST", "assignees"),
    ]
    assert changed.fields.items() >= fields.items()


async def test_half_an_update_is_unknown(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    fields: dict[str, Value] = {"labels": ("bug",), "title": "New"}
    github.faults.add(Fault(kind="429", path="/labels"))
    with pytest.raises(OutcomeUnknown):
        await session.update(record.ref, fields, record)
    github.faults.add(Fault(kind="429", method="PATCH"))
    with pytest.raises(RetryLater):
        await session.update(record.ref, {"title": "New"}, record)


async def test_refused_values_name_their_field(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    values: dict[str, Value] = {"title": "", "labels": ("x" * 300,)}
    for field, value in values.items():
        with pytest.raises(Park) as refused:
            await session.update(record.ref, {field: value}, record)
        assert (refused.value.park_class, refused.value.field) == (ParkClass.REJECTED, field)


async def test_pull_requests_are_never_closed(github: GitHubSimulator, session: GitHubSession) -> None:
    pull = await made(github, session, kind="pull", notes="Fixes #1")
    assert pull.ref.kind == "pull"
    assert {"state", "custom:state_reason"} <= pull.read_only
    with pytest.raises(Park) as refused:
        await session.update(pull.ref, {"state": "closed", "title": "x"}, pull)
    assert (refused.value.park_class, refused.value.field) == (ParkClass.NOT_SUPPORTED, "state")
    await session.update(pull.ref, {"notes": "Fixes #1\n\nfixes #2"}, pull)
    view = github.view(pull.ref.id)
    assert view is not None
    assert view["notes"] == "Fixes #1\n\nfixes \u200b#2"


async def test_what_github_has_no_place_for(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    with pytest.raises(Park) as refused:
        await session.update(record.ref, {"section": "1"}, record)
    assert refused.value.field == "section"
    with pytest.raises(Park) as refused:
        await session.delete(record.ref, record)
    assert refused.value.park_class is ParkClass.NOT_SUPPORTED
    assert refused.value.fix


async def test_an_archived_repository_refuses_writes(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    github.archive_repo(REPOSITORY)
    with pytest.raises(Park) as refused:
        await session.update(record.ref, {"title": "x"}, record)
    assert refused.value.park_class is ParkClass.PERMISSION
    assert refused.value.fix


async def test_history_of_fields(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session, title="One")
    github.edit(record.ref.id, by="bob", title="Two", state="closed", labels=["bug"], assignee="ada")
    github.edit(record.ref.id, by="bob", state="open", notes="No entry", labels=[])
    times = await session.field_times(record.ref, record.created_at)
    told = {(entry.field, entry.before, entry.after) for entry in times if entry.has_values}
    assert told == {("title", "One", "Two"), ("state", "open", "closed"), ("state", "closed", "open")}
    assert [entry.field for entry in times if not entry.has_values].count("labels") == 2
    assert [entry.field for entry in times].count("custom:state_reason") == 2
    assert all(entry.author and entry.author.id == "bob" for entry in times)
    assert isinstance(times[0], FieldTime)
    assert await session.field_times(record.ref, datetime.now(UTC) + timedelta(hours=1)) == []


async def test_history_tells_of_milestones_and_types_what_stood_before(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    one, two = (github.new_milestone(REPOSITORY, title) for title in ("One", "Two"))
    bug, idea = (github.new_issue_type(name) for name in ("Bug report", "Idea"))
    record = await made(github, session)
    edits: list[dict[str, Any]] = [
        {"milestone": one, "type": "Bug report"},
        {"milestone": two, "type": "Idea"},
        {"milestone": None},
    ]
    for values in edits:
        github.edit(record.ref.id, by="bob", **values)
    times = await session.field_times(record.ref, record.created_at)
    told = [(entry.field, entry.before, entry.after) for entry in times if entry.has_values]
    assert told == [
        ("custom:type", None, str(bug)),
        ("milestone", str(one), str(two)),
        ("custom:type", str(bug), str(idea)),
        ("milestone", str(two), None),
    ]


# --- comments ------------------------------------------------------------------------------------------


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


# --- webhooks ------------------------------------------------------------------------------------------


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


# --- the account ---------------------------------------------------------------------------------------


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
