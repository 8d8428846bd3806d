"""Issues that wait for others: what is read, what is written, and what a GitHub does that has none."""

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
from connectors.records import BLOCKED_BY, Record, Ref
from connectors.simulation import Fault
from connectors.simulation_network import serve_app


async def read(session: GitHubSession, github: GitHubSimulator, issue: str) -> Record:
    repository, found = github.find(issue)
    record = await fetched(
        session, Ref("github", "github.com", found.kind, issue, f"{repository.full_name}#{found.number}")
    )
    assert isinstance(record, Record)
    return record


async def wait(session: GitHubSession, waiting: Record, *blockers: Record) -> Record:
    """As sync does: the objects that are named come along, with their addresses."""
    ids = tuple(sorted(each.ref.id for each in blockers))
    named = {each.ref.id: each.ref for each in blockers}
    return await session.update(waiting.ref, {BLOCKED_BY: ids}, replace(waiting, named=named))


async def test_each_comes_and_goes_by_itself(github: GitHubSimulator, session: GitHubSession) -> None:
    ids = [github.new(REPOSITORY, title=title) for title in ("One", "Two", "Elsewhere", "Part")]
    one, two, three, part = [await read(session, github, each) for each in ids]
    assert part.fields[BLOCKED_BY] == ()
    for blockers in ((one,), (one, two), (two, three), ()):
        answer = await wait(session, part, *blockers)
        assert answer.fields[BLOCKED_BY] == tuple(sorted(each.ref.id for each in blockers))
        part = await read(session, github, part.ref.id)
        assert part.fields[BLOCKED_BY] == answer.fields[BLOCKED_BY]
    calls = [entry.method for entry in github.journal.writes() if "/dependencies/" in entry.path]
    assert calls == ["POST", "POST", "DELETE", "POST", "DELETE", "DELETE"]


async def test_others_that_people_added_meanwhile_stay(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    ids = [github.new(REPOSITORY, title=title) for title in ("One", "Two", "Part")]
    one, two, part = [await read(session, github, each) for each in ids]
    github.edit(part.ref.id, blocked_by=[two.ref.id])
    answer = await wait(session, part, one)
    assert answer.fields[BLOCKED_BY] == tuple(sorted([one.ref.id, two.ref.id]))


async def test_listings_name_them_and_closed_ones_and_other_repositories_count(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    other = github.new_container("backend")
    closed, far = github.new(REPOSITORY, title="Done", state="closed"), github.new(other, title="Far")
    part, alone = github.new(REPOSITORY, title="Part"), github.new(REPOSITORY, title="Alone")
    github.edit(part, blocked_by=[closed, far])
    listed = {change.ref.id: change.record for change in (await session.listing(REPOSITORY, None)).changes}
    assert listed[part].fields[BLOCKED_BY] == tuple(sorted([closed, far]))  # type: ignore[union-attr]
    assert listed[alone].fields[BLOCKED_BY] == ()  # type: ignore[union-attr]
    assert len(github.journal.by("GET", "/dependencies/")) == 1, "only issues that wait cost a call"
    github.faults.add(Fault(kind="404", method="GET", path="/dependencies/", times=1))
    assert BLOCKED_BY not in (await read(session, github, part)).fields, "unknown is not empty"


async def test_a_circle_is_refused_with_what_to_do_and_the_others_stand(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    ids = [github.new(REPOSITORY, title=title) for title in ("One", "Two", "Three")]
    github.edit(ids[1], blocked_by=[ids[0]])
    one, two, three = [await read(session, github, each) for each in ids]
    with pytest.raises(Park) as refused:
        await wait(session, one, two, three)
    assert (refused.value.field, refused.value.park_class) == (BLOCKED_BY, ParkClass.REJECTED)
    assert "wait for itself" in refused.value.fix
    assert github.view(ids[0])["blocked_by"] == [ids[2]]  # type: ignore[index]
    lost = replace(three, ref=replace(three.ref, address=""))
    with pytest.raises(Park, match="nothing tells where"):
        await wait(session, await read(session, github, ids[1]), one, lost)


async def test_without_dependencies_the_field_is_unknown_and_cannot_be_written(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    ids = [github.new(REPOSITORY, title="One"), github.new(REPOSITORY, title="Part")]
    github.world.dependencies = False
    one, part = [await read(session, github, each) for each in ids]
    assert BLOCKED_BY not in part.fields
    with pytest.raises(Park) as refused:
        await wait(session, part, one)
    assert (refused.value.field, refused.value.park_class) == (BLOCKED_BY, ParkClass.NOT_SUPPORTED)
    async with serve_app(_accepting) as url:
        await session.subscribe(REPOSITORY, f"{url}/hook", WEBHOOK_SECRET)
    (hook,) = github.webhooks.hooks.values()
    assert {"issues", "sub_issues"} <= set(hook.events)
    assert "issue_dependencies" not in hook.events


async def test_a_webhook_tells_of_the_one_that_waits(github: GitHubSimulator, session: GitHubSession) -> None:
    one, part = github.new(REPOSITORY, title="One"), github.new(REPOSITORY, title="Part")
    async with serve_app(_accepting) as url:
        await session.subscribe(REPOSITORY, f"{url}/hook", WEBHOOK_SECRET)
        github.edit(part, blocked_by=[one])
        github.edit(part, blocked_by=[])
        await github.outbox.idle()
    told = [sent for sent in github.outbox.sent if sent.headers["X-GitHub-Event"] == "issue_dependencies"]
    assert len(told) == 4, "where either of the two lies"
    for sent in told:
        headers = {name.lower(): value for name, value in sent.headers.items()}
        delivery = Delivery(headers=headers, body=sent.body)
        read = receive(delivery, Secrets(active=(WEBHOOK_SECRET,)), "github.com")
        assert [change.ref.id for change in read.changes] == [part]


async def _accepting(scope: Scope, receive: Receive, send: Send) -> None:
    await Response()(scope, receive, send)
