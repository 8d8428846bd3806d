"""Sub-issues: what is read of them, where they are put, and what a GitHub does that has none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.changes import Delivery, Secrets
from connectors.errors import Park, ParkClass
from connectors.github.conftest import REPOSITORY, fetched
from connectors.github.session import GitHubSession
from connectors.github.simulator import WEBHOOK_SECRET, GitHubSimulator
from connectors.github.webhook import receive
from connectors.records import PARENT, Record, Ref
from connectors.simulation_network import serve_app


async def read(session: GitHubSession, github: GitHubSimulator, issue: str) -> Record:
    repository, found = github.find(issue)
    address = f"{repository.full_name}#{found.number}"
    record = await fetched(session, Ref("github", "github.com", found.kind, issue, address))
    assert isinstance(record, Record)
    return record


async def put(session: GitHubSession, part: Record, whole: Record | None) -> Record:
    """As sync does: the objects that are named come along, with their addresses."""
    named = {whole.ref.id: whole.ref} if whole else {}
    return await session.update(
        part.ref, {PARENT: whole.ref.id if whole else None}, replace(part, named=named)
    )


async def test_it_is_put_below_moved_and_taken_out(github: GitHubSimulator, session: GitHubSession) -> None:
    ids = [github.new(REPOSITORY, title=title) for title in ("One", "Two", "Part")]
    one, two, part = [await read(session, github, each) for each in ids]
    assert part.fields[PARENT] is None
    for whole in (one, two, None, None):
        answer = await put(session, part, whole)
        assert answer.fields[PARENT] == (whole.ref.id if whole else None)
        part = await read(session, github, part.ref.id)
        assert part.fields[PARENT] == answer.fields[PARENT]
    assert github.view(ids[2])["parent"] is None  # type: ignore[index]


async def test_a_parent_in_another_repository_and_one_that_is_hidden(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    other = github.new_container("backend")
    whole, part = github.new(other, title="Whole"), github.new(REPOSITORY, title="Part")
    github.edit(part, parent=whole)
    listed = {change.ref.id: change.record for change in (await session.listing(REPOSITORY, None)).changes}
    assert listed[part].fields[PARENT] == whole  # type: ignore[union-attr]
    github.hide_repo(other)
    hidden = github.new(REPOSITORY, title="Another part")
    github.edit(hidden, parent=github.new(other, title="Never seen"))
    assert PARENT not in (await read(session, github, hidden)).fields, "unknown is not empty"


async def test_a_wrong_place_is_refused_with_what_to_do(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    whole, part = github.new(REPOSITORY, title="Whole"), github.new(REPOSITORY, title="Part")
    github.edit(part, parent=whole)
    one, two = [await read(session, github, each) for each in (whole, part)]
    with pytest.raises(Park) as refused:
        await put(session, one, two)
    assert (refused.value.field, refused.value.park_class) == (PARENT, ParkClass.REJECTED)
    assert "below itself" in refused.value.fix


async def test_without_sub_issues_the_parent_is_unknown_and_cannot_be_written(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    whole, part = github.new(REPOSITORY, title="Whole"), github.new(REPOSITORY, title="Part")
    github.world.sub_issues = False
    one, two = [await read(session, github, each) for each in (whole, part)]
    assert PARENT not in two.fields
    with pytest.raises(Park) as refused:
        await put(session, two, one)
    assert (refused.value.field, refused.value.park_class) == (PARENT, ParkClass.NOT_SUPPORTED)


async def test_a_webhook_tells_of_the_part(github: GitHubSimulator, session: GitHubSession) -> None:
    whole, part = github.new(REPOSITORY, title="Whole"), github.new(REPOSITORY, title="Part")

    async with serve_app(_accepting) as url:
        await session.subscribe(REPOSITORY, f"{url}/hook", WEBHOOK_SECRET)
        github.edit(part, parent=whole)
        await github.outbox.idle()
    told = [sent for sent in github.outbox.sent if sent.headers["X-GitHub-Event"] == "sub_issues"]
    assert len(told) == 2
    for sent in told:
        headers = {name.lower(): value for name, value in sent.headers.items()}
        read = receive(
            Delivery(headers=headers, body=sent.body), Secrets(active=(WEBHOOK_SECRET,)), "github.com"
        )
        assert [change.ref.id for change in read.changes] == [part]


async def test_an_older_github_gets_a_webhook_without_the_event(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    github.world.sub_issues = False
    async with serve_app(_accepting) as url:
        await session.subscribe(REPOSITORY, f"{url}/hook", WEBHOOK_SECRET)
    (hook,) = github.webhooks.hooks.values()
    assert "issues" in hook.events
    assert "sub_issues" not in hook.events


async def _accepting(scope: Scope, receive: Receive, send: Send) -> None:
    await Response()(scope, receive, send)
