"""What people do on one side arrives on the other, once, and nothing comes back as an echo."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connectors.simulation import Fault
from tests.e2e.town import Town, times

pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_an_issue_becomes_a_task_with_everything_on_it(shared: Town) -> None:
    place = shared.places["main"]
    issue = shared.github.new(
        place.repo,
        title="Pay button is grey",
        notes="It **stays** grey:\n\n- in Firefox\n- in Safari",
        labels=["bug", "shop"],
        assignee="bob",
    )
    task = await shared.twin(issue)
    await shared.quiet()
    view = shared.asana.view(task)
    assert view is not None
    assert "<strong>stays</strong>" in view["notes"]
    assert view["notes"].count("<li>") == 2
    assert view["assignee"] == "bob"
    assert view["labels"] == ["bug", "shop"]
    shared.agree(issue, task)


async def test_a_task_becomes_an_issue_with_everything_on_it(shared: Town) -> None:
    place = shared.places["main"]
    task = shared.asana.new(
        place.project,
        title="Order paper",
        notes="<body>By <strong>Friday</strong></body>",
        labels=["office"],
        assignee="ada",
    )
    issue = await shared.twin(task)
    await shared.quiet()
    view = shared.github.view(issue)
    assert view is not None
    assert "By **Friday**" in view["notes"]
    shared.agree(issue, task)
    assert shared.github.objects(place.repo).count(issue) == 1


async def test_edits_of_each_field_arrive_on_the_other_side(shared: Town) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    issue = github.new(place.repo, title="Edited on both sides", notes="first", labels=["one", "two"])
    task = await shared.twin(issue)
    await shared.quiet()

    github.edit(issue, title="Named by GitHub", labels=["two", "three"], assignee="ada", by="bob")
    await shared.until(
        lambda: (asana.view(task) or {})["title"] == "Named by GitHub", "the title arrives in Asana"
    )
    await shared.quiet()
    shared.agree(issue, task)

    asana.edit(task, title="Named by Asana", labels=["three", "four"], assignee="bob", state="closed")
    await shared.quiet()
    shared.agree(issue, task)
    view = github.view(issue)
    assert view is not None
    assert (view["title"], view["state"], view["assignee"]) == ("Named by Asana", "closed", "bob")
    assert sorted(view["labels"]) == ["four", "three"]

    github.edit(issue, state="open", notes="second")
    asana.edit(task, assignee=None)
    await shared.quiet()
    shared.agree(issue, task)
    there = asana.view(task)
    assert there is not None
    assert there["state"] == "open"
    assert "second" in there["notes"]
    assert there["assignee"] is None
    assert await shared.listing("conflicts") == []


async def test_comments_go_both_ways_and_follow_edits_and_deletes(shared: Town) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    issue = github.new(place.repo, title="Talked about")
    task = await shared.twin(issue)
    there = github.comment(issue, "asked on GitHub", by="bob")
    here = asana.comment(task, "answered in Asana", by="ada")
    github.comment(issue, "same words", by="bob")
    github.comment(issue, "same words", by="bob")
    await shared.quiet()

    def seen() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        return (github.view(issue) or {})["comments"], (asana.view(task) or {})["comments"]

    for side in seen():
        assert times("asked on GitHub", side) == 1
        assert times("answered in Asana", side) == 1
        assert times("same words", side) == 2

    github.edit_comment(there, "asked again on GitHub")
    asana.edit_comment(here, "answered better in Asana")
    await shared.quiet()
    for side in seen():
        assert times("asked again on GitHub", side) == 1
        assert times("answered better in Asana", side) == 1
        assert len(side) == 4

    github.delete_comment(there)
    asana.delete_comment(here)
    await shared.quiet()
    for side in seen():
        assert times("again", side) == times("better", side) == 0
        assert len(side) == 2


async def test_edits_made_at_the_same_time(shared: Town) -> None:
    """Different fields both survive; of one field the newer value wins, Asana where they tie."""
    place, github, asana = shared.places["main"], shared.github, shared.asana
    issues = {
        name: github.new(place.repo, title=f"{name}: start", notes="start")
        for name in ("fields", "asana newer", "github newer", "tie")
    }
    tasks = {name: await shared.twin(issue) for name, issue in issues.items()}
    await shared.quiet()
    await shared.done("pause", "--mapping", "main")

    asana.edit(tasks["fields"], title="fields: renamed")
    github.edit(issues["fields"], labels=["kept"], state="closed")
    github.edit(issues["asana newer"], title="asana newer: from github")
    asana.edit(tasks["github newer"], title="github newer: from asana")
    await asyncio.sleep(2.5)
    asana.edit(tasks["asana newer"], title="asana newer: from asana")
    github.edit(issues["github newer"], title="github newer: from github")
    asana.edit(tasks["tie"], title="tie: from asana")
    github.edit(issues["tie"], title="tie: from github")

    await shared.done("resume", "--mapping", "main")
    await shared.quiet()
    for name, issue in issues.items():
        shared.agree(issue, tasks[name])
    titles = {name: (github.view(issue) or {})["title"] for name, issue in issues.items()}
    assert titles == {
        "fields": "fields: renamed",
        "asana newer": "asana newer: from asana",
        "github newer": "github newer: from github",
        "tie": "tie: from asana",
    }
    fields = asana.view(tasks["fields"])
    assert fields is not None
    assert (fields["state"], fields["labels"]) == ("closed", ["kept"])

    lost = {row["winner"]: row for row in await shared.listing("conflicts") if row["state"] == "open"}
    assert {row["field"] for row in lost.values()} == {"title"}
    assert lost["external"]["asana"]["value"] == "github newer: from asana"
    losers = {
        row["external"]["value"]
        for row in await shared.listing("conflicts")
        if row["winner"] == "asana" and row["state"] == "open"
    }
    assert losers == {"asana newer: from github", "tie: from github"}

    said = await shared.done("conflicts", "restore", str(lost["external"]["id"]), "--timeout", "20")
    assert said["state"] == "restored"
    await shared.quiet()
    assert (github.view(issues["github newer"]) or {})["title"] == "github newer: from asana"
    shared.agree(issues["github newer"], tasks["github newer"])


async def test_a_pull_request_gives_its_state_and_takes_none(shared: Town) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    pull = github.new(place.repo, title="Fix the button", kind="pull")
    task = await shared.twin(pull)
    await shared.quiet()
    asana.edit(task, state="closed", title="Fix the button for good")
    await shared.quiet()
    view = github.view(pull)
    assert view is not None
    assert view["title"] == "Fix the button for good"
    assert (view["state"], view["merged"]) == ("open", False)

    github.edit(pull, state="merged")
    await shared.quiet()
    assert (asana.view(task) or {})["state"] == "closed"


async def test_a_deletion_closes_the_counterpart_and_an_edit_beats_it(shared: Town) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    issues = [github.new(place.repo, title=f"Deleted {n}") for n in range(3)]
    tasks = [await shared.twin(issue) for issue in issues]
    await shared.quiet()
    github.remove(issues[0])
    asana.remove(tasks[1])
    await shared.done("sync", "main", "--once", "--full", "--timeout", "30")
    await shared.until(lambda: (asana.view(tasks[0]) or {})["state"] == "closed", "the task is completed")
    await shared.until(lambda: (github.view(issues[1]) or {})["state"] == "closed", "the issue is closed")

    await shared.done("pause")
    github.edit(issues[2], title="Deleted there, edited here")
    asana.remove(tasks[2])
    await shared.done("resume")
    await shared.quiet()
    survivor = github.view(issues[2])
    assert survivor is not None
    assert survivor["state"] == "open"
    assert survivor["title"] == "Deleted there, edited here"
    kinds = [row["kind"] for row in await shared.listing("conflicts") if row["state"] == "open"]
    assert "edit_vs_delete" in kinds


async def test_nothing_is_written_when_nothing_was_edited(shared: Town) -> None:
    place = shared.places["main"]
    issue = shared.github.new(place.repo, title="Left alone", notes="| a | b |\n|---|---|\n| 1 | 2 |")
    task = await shared.twin(issue)
    shared.asana.comment(task, "left alone, too")
    await shared.quiet()
    before = len(shared.github.journal.writes()), len(shared.asana.journal.writes())
    await shared.done("sync", "main", "--once", "--full", "--timeout", "30")
    await shared.quiet()
    assert (len(shared.github.journal.writes()), len(shared.asana.journal.writes())) == before


async def test_files_arrive_once_though_the_workers_are_killed(shared: Town) -> None:
    place, github, asana = shared.places["main"], shared.github, shared.asana
    image = github.upload(place.repo, "shot.png", b"\x89PNG")
    issue = github.new(place.repo, title="With a file", notes=f"![Shot]({image})")
    task = await shared.twin(issue)
    await shared.quiet()
    assert _files(asana.view(task)) == [("Shot.png", b"\x89PNG")]

    uploads = len(asana.journal.by("POST", "/attachments$"))
    asana.faults.add(Fault(kind="slow", method="POST", path="/attachments$", seconds=2))
    github.attach(issue, "more.gif", b"GIF89a", by="bob")
    await shared.until(
        lambda: len(asana.journal.by("POST", "/attachments$")) > uploads, "an upload is under way"
    )
    await shared.kill_workers()
    asana.attach(task, "plan.pdf", b"%PDF", by="ada")
    await shared.quiet()
    assert sorted(_files(asana.view(task))) == [
        ("Shot.png", b"\x89PNG"),
        ("more.gif", b"GIF89a"),
        ("plan.pdf", b"%PDF"),
    ]
    told = [comment["text"] for comment in (github.view(issue) or {})["comments"]]
    assert len([text for text in told if "attached [plan.pdf](https://app.asana.com/" in text]) == 1
    kinds = [link["kind"] for link in await shared.listing("links", "main")]
    assert kinds.count("attachment") == 3


def _files(view: dict[str, Any] | None) -> list[tuple[str, bytes | None]]:
    assert view is not None
    return [(file["name"], file["content"]) for file in view["attachments"]]
