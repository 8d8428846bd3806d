"""What GitHub makes of what is written, and what its history tells of fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import OutcomeUnknown, Park, ParkClass, RetryLater
from connectors.github.conftest import REPOSITORY, fetched, made
from connectors.github.session import GitHubSession
from connectors.github.simulator import BOT, GitHubSimulator
from connectors.records import Draft, FieldTime, Key, Value
from connectors.simulation import Fault

KEY = Key("k1", "https://app.asana.com/0/1/2", "Task")


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
    changed = await session.update(record.ref, {"labels": ("bug",)}, record)
    assert changed == replace(record, fields={**record.fields, "labels": ("bug",)}), "the call told that much"
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


async def test_a_label_that_github_refuses_keeps_no_issue_away(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    draft = Draft(fields={"title": "T", "labels": ("x" * 300,)})
    created = await session.create(REPOSITORY, draft, KEY)
    assert (created.fields["title"], created.fields["labels"]) == ("T", ())


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
    assert refused.value.fix == "Unarchive the repository, then retry."


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
