"""PyGithub, the client that GitHub's documentation lists for Python, against the simulated GitHub.

GitHub's REST API takes no uploads for issues and comments (the web page puts files elsewhere and writes
their address into the text), so nothing is attached here; and instead of sections it has milestones.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from github import Auth, Github, GithubRetry
from github.GithubException import (
    BadCredentialsException,
    GithubException,
    RateLimitExceededExceedsMaxWait,
    RateLimitExceededException,
    UnknownObjectException,
)
from github.Issue import Issue
from github.Repository import Repository

from connectors.github.simulator import BOT, TOKEN, GitHubSimulator
from connectors.simulation import Fault, serve
from tests.clients.conftest import Target

REPO = "acme/website"


@contextmanager
def opened(base_url: str, token: str = TOKEN, retry: GithubRetry | None = None) -> Iterator[Github]:
    """A client without its pauses between requests, and without its retries unless a test is about them."""
    client = Github(
        auth=Auth.Token(token),
        base_url=base_url,
        per_page=3,
        retry=retry,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    try:
        yield client
    finally:
        client.close()


@dataclass
class Bench:
    """A simulated GitHub with the repository acme/website, and a client of the bot that has it."""

    simulator: GitHubSimulator
    base_url: str
    client: Github
    repo: Repository

    def view(self, issue: Issue) -> dict[str, Any]:
        seen = self.simulator.view(issue.node_id)
        assert seen is not None
        return seen

    async def issue(self, **fields: Any) -> Issue:
        """An issue that a person makes, as the client reads it."""
        made = self.simulator.new(REPO, **{"title": "Login fails", **fields})
        return await to_thread(self.repo.get_issue, self.simulator.find(made)[1].number)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = GitHubSimulator()
    simulator.new_container("website")
    async with serve(simulator) as base_url:
        with opened(base_url) as client:
            yield Bench(simulator, base_url, client, await to_thread(client.get_repo, REPO))


async def refused(error: type[GithubException], ask: Callable[..., Any], *args: Any) -> GithubException:
    with pytest.raises(error) as refusal:
        await to_thread(ask, *args)
    return refusal.value


class TestIssues:
    async def test_created_issue_is_there_with_all_it_was_given(self, bench: Bench) -> None:
        milestone = await to_thread(bench.repo.create_milestone, "v1")
        made = await to_thread(
            lambda: bench.repo.create_issue(
                "Login fails",
                body="On **Safari**.",
                labels=["bug", "login"],
                assignees=["ada", "bob"],
                milestone=milestone,
            )
        )
        assert (made.number, made.state, made.user.login) == (1, "open", BOT)
        assert [label.name for label in made.labels] == ["bug", "login"]
        assert made.created_at.tzinfo is not None
        seen = bench.view(made)
        assert (seen["title"], seen["notes"], seen["author"]) == ("Login fails", "On **Safari**.", BOT)
        assert (seen["labels"], seen["assignees"]) == (["bug", "login"], ["ada", "bob"])
        assert seen["milestone"] == "v1"
        assert seen["url"] == made.html_url

    async def test_edit_changes_what_it_names_and_nothing_else(self, bench: Bench) -> None:
        issue = await bench.issue(notes="kept", labels=["bug"])
        await to_thread(lambda: issue.edit(title="Login works", state="closed", state_reason="not_planned"))
        assert (issue.title, issue.state, issue.state_reason) == ("Login works", "closed", "not_planned")
        assert issue.closed_by.login == BOT
        seen = bench.view(issue)
        assert (seen["state"], seen["state_reason"]) == ("closed", "not_planned")
        assert (seen["notes"], seen["labels"]) == ("kept", ["bug"])
        await to_thread(lambda: issue.edit(state="open"))
        assert bench.view(issue)["state"] == "open"

    async def test_reading_again_is_free_while_nothing_changes(self, bench: Bench) -> None:
        issue = await bench.issue()
        used = bench.simulator.limits.used
        assert await to_thread(issue.update) is False
        assert bench.simulator.limits.used == used
        bench.simulator.edit(issue.node_id, title="Login works")
        assert await to_thread(issue.update) is True
        assert issue.title == "Login works"

    async def test_pull_request_shows_as_an_issue_too(self, bench: Bench) -> None:
        issue = await bench.issue(kind="pull")
        pull = await to_thread(issue.as_pull_request)
        assert (pull.number, pull.merged, pull.base.ref) == (issue.number, False, "main")
        assert [one.number for one in await to_thread(list, bench.repo.get_pulls())] == [issue.number]

    async def test_history_tells_what_happened_without_edits_of_the_body(self, bench: Bench) -> None:
        issue = await bench.issue()
        bench.simulator.edit(issue.node_id, title="Login works", notes="new", assignee="bob", state="closed")
        bench.simulator.comment(issue.node_id, "done")
        events = ["renamed", "assigned", "closed"]
        assert [one.event for one in await to_thread(list, issue.get_events())] == events
        timeline = await to_thread(list, issue.get_timeline())
        assert [one.event for one in timeline] == [*events, "commented"]


class TestPaging:
    async def test_list_reads_every_page_by_its_link(self, bench: Bench) -> None:
        for number in range(7):
            bench.simulator.new(REPO, title=f"issue {number}")
        found = bench.repo.get_issues(sort="created", direction="asc")
        assert [one.title for one in await to_thread(list, found)] == [f"issue {n}" for n in range(7)]
        pages = bench.simulator.journal.by("GET", "/issues$")
        assert [(page.query["per_page"], page.query.get("page")) for page in pages] == [
            ("3", None),
            ("3", "2"),
            ("3", "3"),
        ]

    async def test_count_single_page_and_reverse(self, bench: Bench) -> None:
        for number in range(7):
            bench.simulator.new(REPO, title=f"issue {number}")
        found = bench.repo.get_issues(sort="created", direction="asc")
        assert await to_thread(lambda: found.totalCount) == 7
        assert [one.title for one in await to_thread(found.get_page, 2)] == ["issue 6"]
        backwards = await to_thread(lambda: list(found.reversed))
        assert [one.title for one in backwards] == [f"issue {n}" for n in reversed(range(7))]

    async def test_filters(self, bench: Bench) -> None:
        milestone = await to_thread(bench.repo.create_milestone, "v1")
        bench.simulator.new(REPO, title="old", state="closed", labels=["bug"])
        bench.simulator.clock.advance(60)
        since = bench.simulator.clock.now()
        bench.simulator.new(REPO, title="new", by="bob", labels=["bug"], assignee="ada", milestone=1)

        async def titles(**filters: Any) -> list[str]:
            return [one.title for one in await to_thread(list, bench.repo.get_issues(**filters))]

        assert await titles() == ["new"]
        assert await titles(state="all", direction="asc") == ["old", "new"]
        assert await titles(state="closed", labels=["bug"]) == ["old"]
        assert await titles(state="all", since=since) == ["new"]
        assert await titles(assignee="ada", creator="bob", milestone=milestone) == ["new"]
        assert await titles(milestone="none") == []

    async def test_empty_list(self, bench: Bench) -> None:
        found = bench.repo.get_issues()
        assert await to_thread(list, found) == []
        assert await to_thread(lambda: found.totalCount) == 0


class TestComments:
    async def test_comment_is_written_read_changed_and_deleted(self, bench: Bench) -> None:
        issue = await bench.issue()
        made = await to_thread(issue.create_comment, "seen")
        assert (made.body, made.user.login) == ("seen", BOT)
        (seen,) = bench.view(issue)["comments"]
        assert (seen["id"], seen["text"], seen["author"]) == (made.node_id, "seen", BOT)
        await to_thread(made.edit, "mended")
        assert bench.view(issue)["comments"][0]["text"] == "mended"
        assert (await to_thread(issue.get_comment, made.id)).body == "mended"
        await to_thread(made.delete)
        assert bench.view(issue)["comments"] == []
        await refused(UnknownObjectException, issue.get_comment, made.id)

    async def test_comments_by_pages_and_since(self, bench: Bench) -> None:
        issue = await bench.issue()
        for number in range(4):
            bench.simulator.comment(issue.node_id, f"comment {number}")
        texts = [f"comment {number}" for number in range(4)]
        assert [one.body for one in await to_thread(list, issue.get_comments())] == texts
        assert [one.body for one in await to_thread(list, bench.repo.get_issues_comments())] == texts
        bench.simulator.clock.advance(60)
        since = bench.simulator.clock.now()
        bench.simulator.comment(issue.node_id, "late")
        assert [one.body for one in await to_thread(list, issue.get_comments(since=since))] == ["late"]


class TestLabelsAndMilestones:
    async def test_labels_of_an_issue(self, bench: Bench) -> None:
        issue = await bench.issue(labels=["bug"])
        await to_thread(issue.add_to_labels, "area: login/web", "help wanted")
        assert bench.view(issue)["labels"] == ["bug", "area: login/web", "help wanted"]
        await to_thread(issue.remove_from_labels, "area: login/web")
        assert [one.name for one in await to_thread(list, issue.get_labels())] == ["bug", "help wanted"]
        await to_thread(issue.set_labels, "question")
        assert bench.view(issue)["labels"] == ["question"]
        await to_thread(issue.delete_labels)
        assert bench.view(issue)["labels"] == []

    async def test_label_of_the_repository_is_made_renamed_and_deleted(self, bench: Bench) -> None:
        issue = await bench.issue()
        label = await to_thread(bench.repo.create_label, "area: c#/web?", "ff0000", "all of it")
        await to_thread(issue.add_to_labels, label)
        await to_thread(label.edit, "web", "00ff00")
        assert (label.name, label.color, label.description) == ("web", "00ff00", "all of it")
        assert bench.view(issue)["labels"] == ["web"]
        assert (await to_thread(bench.repo.get_label, "WEB")).name == "web"
        await to_thread(label.delete)
        assert bench.view(issue)["labels"] == []
        names = [one.name for one in await to_thread(list, bench.repo.get_labels())]
        assert len(names) == 9
        assert "web" not in names

    async def test_milestone_is_made_set_closed_and_deleted(self, bench: Bench) -> None:
        issue = await bench.issue()
        due = date(2026, 5, 1)
        milestone = await to_thread(
            lambda: bench.repo.create_milestone("v1", description="first", due_on=due)
        )
        assert (milestone.number, milestone.state, milestone.description) == (1, "open", "first")
        before = datetime(2026, 4, 30, 7, tzinfo=UTC)  # it keeps the midnight before in California
        assert milestone.due_on == before
        await to_thread(lambda: issue.edit(milestone=milestone))
        assert bench.view(issue)["milestone"] == "v1"
        await to_thread(lambda: milestone.edit("v1.0", state="closed", due_on=date(2026, 6, 1)))
        assert (milestone.title, milestone.state, milestone.open_issues) == ("v1.0", "closed", 1)
        assert milestone.due_on == before + timedelta(days=31)
        assert await to_thread(list, bench.repo.get_milestones()) == []
        (found,) = await to_thread(list, bench.repo.get_milestones(state="closed"))
        assert found.number == 1
        await to_thread(milestone.delete)
        assert bench.view(issue)["milestone"] is None
        assert (await to_thread(bench.repo.create_milestone, "v2")).number == 2

    async def test_issue_leaves_its_milestone(self, bench: Bench) -> None:
        await to_thread(bench.repo.create_milestone, "v1")
        issue = await bench.issue(milestone=1)
        assert issue.milestone.title == "v1"
        await to_thread(lambda: issue.edit(milestone=None))
        assert bench.view(issue)["milestone"] is None


class TestPeople:
    async def test_who_asks_and_what_the_token_may(self, bench: Bench) -> None:
        me = await to_thread(bench.client.get_user)
        assert await to_thread(lambda: (me.login, me.name)) == (BOT, "Asana Sync")
        assert bench.client.oauth_scopes == ["repo", "admin:repo_hook"]
        assert bench.repo.permissions.push
        assert [one.full_name for one in await to_thread(list, me.get_repos())] == [REPO]
        ada = await to_thread(bench.client.get_user, "Ada")
        assert (ada.login, ada.name, ada.type) == ("ada", "Ada Lovelace", "User")
        await refused(UnknownObjectException, bench.client.get_user, "nobody")

    async def test_assignees_come_and_go(self, bench: Bench) -> None:
        issue = await bench.issue(assignee="ada")
        assert [one.login for one in issue.assignees] == ["ada"]
        (bob,) = [one for one in await to_thread(list, bench.repo.get_assignees()) if one.login == "bob"]
        await to_thread(issue.add_to_assignees, bob)
        assert [one.login for one in issue.assignees] == ["ada", "bob"]
        await to_thread(issue.remove_from_assignees, "ada")
        assert bench.view(issue)["assignees"] == ["bob"]

    async def test_stranger_cannot_be_assigned_and_is_dropped_in_silence(self, bench: Bench) -> None:
        assert await to_thread(bench.repo.has_in_assignees, "ada")
        assert not await to_thread(bench.repo.has_in_assignees, "nobody")
        made = await to_thread(lambda: bench.repo.create_issue("Login fails", assignees=["nobody", "ada"]))
        assert [one.login for one in made.assignees] == ["ada"]


class TestHooks:
    async def test_hook_is_made_with_a_ping_and_tells_signed(self, bench: Bench, target: Target) -> None:
        config = {"url": target.url, "content_type": "json", "secret": "s3cret"}
        hook = await to_thread(bench.repo.create_hook, "web", config, ["issues"], True)
        assert (hook.active, hook.events, hook.config["url"]) == (True, ["issues"], target.url)
        assert hook.config["secret"] == "********"
        issue = await to_thread(bench.repo.create_issue, "Login fails")
        await bench.simulator.outbox.idle()
        assert [headers["x-github-event"] for headers, _ in target.calls] == ["ping", "issues"]
        headers, body = target.calls[-1]
        signature = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={signature}"
        assert json.loads(body)["issue"]["number"] == issue.number

    async def test_hook_is_listed_edited_pinged_and_deleted(self, bench: Bench, target: Target) -> None:
        config = {"url": target.url, "content_type": "json"}
        made = await to_thread(bench.repo.create_hook, "web", config, ["issues", "label"])
        (hook,) = await to_thread(list, bench.repo.get_hooks())
        assert hook.id == made.id
        await to_thread(
            lambda: hook.edit(
                "web", config, add_events=["issue_comment"], remove_events=["label"], active=False
            )
        )
        assert (hook.events, hook.active) == (["issues", "issue_comment"], False)
        await to_thread(hook.ping)
        await to_thread(hook.test)
        await bench.simulator.outbox.idle()
        assert [headers["x-github-event"] for headers, _ in target.calls] == ["ping", "ping"]
        read = await to_thread(bench.repo.get_hook, hook.id)
        assert (read.last_response.code, read.last_response.status) == (200, "active")
        await to_thread(hook.delete)
        assert bench.simulator.webhooks.hooks == {}
        await refused(UnknownObjectException, bench.repo.get_hook, hook.id)

    async def test_deliveries_are_kept_newest_first(self, bench: Bench, target: Target) -> None:
        config = {"url": target.url, "content_type": "json"}
        hook = await to_thread(bench.repo.create_hook, "web", config, ["issues"])
        for number in range(4):
            bench.simulator.new(REPO, title=f"issue {number}")
        await bench.simulator.outbox.idle()
        deliveries = await to_thread(list, bench.repo.get_hook_deliveries(hook.id))
        assert [one.event for one in deliveries] == ["issues"] * 4 + ["ping"]
        newest = await to_thread(bench.repo.get_hook_delivery, hook.id, deliveries[0].id)
        assert newest.status_code == 200
        assert newest.request.payload["issue"]["title"] == "issue 3"


class TestRefusals:
    async def test_unknown_issue(self, bench: Bench) -> None:
        error = await refused(UnknownObjectException, bench.repo.get_issue, 42)
        assert (error.status, error.data["message"], error.data["status"]) == (404, "Not Found", "404")

    async def test_token_that_is_not_known(self, bench: Bench) -> None:
        with opened(bench.base_url, "ghp_wrong") as stranger:
            error = await refused(BadCredentialsException, stranger.get_repo, REPO)
        assert (error.status, error.message) == (401, None)
        assert error.data["message"] == "Bad credentials"

    async def test_archived_repository_refuses_writes(self, bench: Bench) -> None:
        bench.simulator.archive_repo(REPO)
        error = await refused(GithubException, bench.repo.create_issue, "Login fails")
        assert (error.status, error.message) == (403, "Repository was archived so is read-only.")
        assert bench.simulator.objects(REPO) == []

    async def test_invalid_values_are_named_one_by_one(self, bench: Bench) -> None:
        issue = await bench.issue()
        error = await refused(GithubException, lambda: issue.edit(title="x" * 257))
        (told,) = error.data["errors"]
        assert (error.status, error.message) == (422, "Validation Failed")
        assert (told["resource"], told["field"], told["code"]) == ("Issue", "title", "custom")
        error = await refused(GithubException, lambda: issue.edit(state="gone"))
        assert error.data["errors"] == [{"resource": "Issue", "field": "state", "code": "invalid"}]
        assert bench.view(issue)["title"] == "Login fails"

    async def test_names_that_are_taken(self, bench: Bench, target: Target) -> None:
        create, config = bench.repo.create_hook, {"url": target.url, "content_type": "json"}
        await to_thread(create, "web", config, ["issues"])
        await to_thread(bench.repo.create_milestone, "v1")
        codes = {
            "Label": (await refused(GithubException, bench.repo.create_label, "Bug", "ff0000")),
            "Milestone": (await refused(GithubException, bench.repo.create_milestone, "v1")),
            "Hook": (await refused(GithubException, create, "web", config, ["issues"])),
        }
        for resource, error in codes.items():
            (told,) = error.data["errors"]
            assert (error.status, told["resource"]) == (422, resource)
            assert told["code"] == ("custom" if resource == "Hook" else "already_exists")

    async def test_deleted_issue_is_gone_and_moved_one_is_followed(self, bench: Bench) -> None:
        goes, moves = await bench.issue(), await bench.issue(title="moves")
        bench.simulator.remove(goes.node_id)
        error = await refused(GithubException, bench.repo.get_issue, goes.number)
        assert error.status == 410
        bench.simulator.transfer(moves.node_id, bench.simulator.new_container("shop"))
        found = await to_thread(bench.repo.get_issue, moves.number)
        assert (found.title, found.repository.full_name) == ("moves", "acme/shop")

    async def test_renamed_repository_is_followed(self, bench: Bench) -> None:
        bench.simulator.rename_repo(REPO, "site")
        assert (await to_thread(bench.client.get_repo, REPO)).full_name == "acme/site"

    async def test_account_without_push_access_changes_no_labels(self, bench: Bench) -> None:
        issue = await bench.issue(labels=["bug"])
        bench.simulator.push_access = False
        await to_thread(issue.add_to_labels, "web")
        assert bench.view(issue)["labels"] == ["bug"]
        await refused(UnknownObjectException, bench.repo.create_milestone, "v1")


class TestRateLimits:
    async def test_every_answer_and_the_overview_tell_what_is_left(self, bench: Bench) -> None:
        bench.simulator.as_documented()
        await to_thread(bench.client.get_repo, REPO)
        assert bench.client.rate_limiting == (4998, 5000)
        overview = await to_thread(bench.client.get_rate_limit)
        core = overview.resources.core
        assert (core.limit, core.used, core.remaining) == (5000, 2, 4998)
        assert overview.rate.remaining == 4998
        assert timedelta() < core.reset - bench.simulator.clock.now() <= timedelta(hours=1, seconds=1)
        assert bench.client.rate_limiting_resettime == core.reset.timestamp()

    async def test_used_up_quota_is_an_exception_until_the_hour_is_over(self, bench: Bench) -> None:
        bench.simulator.requests_per_hour = bench.simulator.limits.used
        error = await refused(RateLimitExceededException, bench.client.get_repo, REPO)
        assert error.status == 403
        assert error.headers["x-ratelimit-remaining"] == "0"
        assert "retry-after" not in error.headers
        assert (await to_thread(bench.client.get_rate_limit)).rate.remaining == 0
        bench.simulator.clock.advance(3600)
        assert (await to_thread(bench.client.get_repo, REPO)).full_name == REPO

    async def test_secondary_limit_is_the_same_exception_with_its_time(self, bench: Bench) -> None:
        bench.simulator.creations_per_minute, bench.simulator.hints = 1, "always"
        await to_thread(bench.repo.create_issue, "one")
        error = await refused(RateLimitExceededException, bench.repo.create_issue, "two")
        assert error.data["message"].startswith("You have exceeded a secondary rate limit")
        assert (error.status, error.headers["retry-after"]) == (403, "60")
        assert int(error.headers["x-ratelimit-remaining"]) > 0
        assert len(bench.simulator.objects(REPO)) == 1
        bench.simulator.clock.advance(61)
        await to_thread(bench.repo.create_issue, "two")

    async def test_limit_that_is_answered_429_is_a_plain_exception(self, bench: Bench) -> None:
        bench.simulator.limited_status, bench.simulator.requests_per_hour = 429, 0
        error = await refused(GithubException, bench.client.get_repo, REPO)
        assert (type(error), error.status) == (GithubException, 429)
        assert error.message.startswith("API rate limit exceeded")

    async def test_client_waits_as_long_as_it_is_told(self, bench: Bench) -> None:
        bench.simulator.faults.add(Fault(kind="403", method="POST", retry_after=1))
        with opened(bench.base_url, retry=GithubRetry(total=1)) as client:
            repo, began = await to_thread(client.get_repo, REPO), time.monotonic()
            await to_thread(repo.create_issue, "Login fails")
        assert time.monotonic() - began >= 1
        assert [asked.status for asked in bench.simulator.journal.by("POST", "/issues$")] == [403, 201]
        assert len(bench.simulator.objects(REPO)) == 1

    async def test_client_waits_by_itself_where_a_secondary_limit_names_no_time(self, bench: Bench) -> None:
        """The block ends with the first refusal, for each starts it anew: this time for no time at all."""
        simulator = bench.simulator
        simulator.hints, simulator.penalty_s = "never", 0.0
        with opened(bench.base_url, retry=GithubRetry(total=1, secondary_rate_wait=0.2)) as client:
            repo = await to_thread(client.get_repo, REPO)
            simulator.limits.blocked_until = simulator.clock.now() + timedelta(seconds=60)
            await to_thread(repo.create_issue, "Login fails")
        refusal, created = simulator.journal.by("POST", "/issues$")
        assert (refusal.status, created.status) == (403, 201)
        assert "retry-after" not in refusal.answer_headers
        assert (created.at - refusal.at).total_seconds() >= 0.2

    async def test_client_that_would_wait_too_long_says_so(self, bench: Bench) -> None:
        bench.simulator.requests_per_hour = 0
        retry = GithubRetry(total=1, max_rate_limit_wait=60)
        with opened(bench.base_url, retry=retry) as client:
            error = await refused(RateLimitExceededExceedsMaxWait, client.get_repo, REPO)
        assert 60 < error.wait <= 3602
