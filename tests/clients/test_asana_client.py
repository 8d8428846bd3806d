"""Asana's own client, ``asana`` on PyPI, against the simulated Asana.

Each call stands as its documentation has it: a body of ``{"data": ...}``, options as a dictionary,
pages behind an iterator, refusals as ``ApiException``.
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
from pathlib import Path
from typing import Any

import asana
import pytest
import urllib3
from asana.rest import ApiException
from urllib3.util.retry import Retry

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import Fault, serve
from tests.clients.conftest import Target


@contextmanager
def opened(base_url: str, token: str, retry: Retry | bool | None = None) -> Iterator[asana.ApiClient]:
    """A client as its documentation sets it up; ``retry`` replaces its own ``retry_strategy``."""
    configuration = asana.Configuration()
    configuration.host = base_url
    configuration.access_token = token
    if retry is not None:
        configuration.retry_strategy = retry
    client = asana.ApiClient(configuration)
    try:
        yield client
    finally:
        client.rest_client.pool_manager.clear()
        client.pool.close()
        client.pool.join()


@dataclass
class Bench:
    """A simulated workspace with one project, and a client with the bot's token."""

    simulator: AsanaSimulator
    project: str
    base_url: str
    client: asana.ApiClient

    def view(self, gid: str) -> dict[str, Any]:
        seen = self.simulator.view(gid)
        assert seen is not None
        return seen

    def section(self, name: str) -> str:
        sections = self.simulator.workspace.sections.values()
        return next(one.gid for one in sections if (one.project, one.name) == (self.project, name))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = AsanaSimulator()
    project = simulator.new_container("Website")
    async with serve(simulator) as address:
        base_url = simulator.connection(address)["settings"]["base_url"]
        with opened(base_url, simulator.token) as client:
            yield Bench(simulator, project, base_url, client)


async def refused(ask: Callable[..., Any], *args: Any) -> tuple[int, str]:
    """Status and first message of a call that Asana refuses."""
    with pytest.raises(ApiException) as error:
        await to_thread(ask, *args)
    (first,) = json.loads(error.value.body)["errors"]
    assert first["help"]
    return error.value.status, first["message"]


class TestTasks:
    async def test_created_task_is_there_with_all_it_was_given(self, bench: Bench) -> None:
        ada, bob = (bench.simulator.people[name].gid for name in ("ada", "bob"))
        data = {
            "name": "Login fails",
            "html_notes": "<body>On <strong>Safari</strong>.</body>",
            "assignee": ada,
            "followers": [bob],
            "due_on": "2026-05-01",
            "projects": [bench.project],
            "memberships": [{"project": bench.project, "section": bench.section("Backlog")}],
        }
        made = await to_thread(asana.TasksApi(bench.client).create_task, {"data": data}, {})
        assert (made["resource_type"], made["name"], made["due_on"]) == ("task", "Login fails", "2026-05-01")
        assert made["assignee"] == {"gid": ada, "resource_type": "user", "name": "Ada Lovelace"}
        seen = bench.view(made["gid"])
        assert seen["notes"] == "<body>On <strong>Safari</strong>.</body>"
        assert (seen["assignee"], seen["section"], seen["author"]) == ("ada", "Backlog", "bot")
        assert {"ada", "bob"} <= set(seen["followers"])

    async def test_only_the_fields_asked_for_are_read(self, bench: Bench) -> None:
        task = bench.simulator.new(bench.project, title="a", notes="<em>x</em>", labels=["bug"])
        options = {"opt_fields": "html_notes,tags.name,memberships.section.name"}
        assert await to_thread(asana.TasksApi(bench.client).get_task, task, options) == {
            "gid": task,
            "html_notes": "<body><em>x</em></body>",
            "tags": [{"gid": next(iter(bench.simulator.workspace.tags)), "name": "bug"}],
            "memberships": [
                {"section": {"gid": bench.section("Untitled section"), "name": "Untitled section"}}
            ],
        }

    async def test_update_changes_what_it_names_and_nothing_else(self, bench: Bench) -> None:
        task = bench.simulator.new(bench.project, title="a", notes="kept", assignee="ada")
        body = {"data": {"name": "b", "completed": True, "assignee": None}}
        after = await to_thread(asana.TasksApi(bench.client).update_task, body, task, {})
        assert (after["name"], after["completed"], after["assignee"]) == ("b", True, None)
        assert after["completed_at"]
        seen = bench.view(task)
        assert (seen["title"], seen["state"], seen["assignee"], seen["text"]) == ("b", "closed", None, "kept")

    async def test_deleted_task_is_gone(self, bench: Bench) -> None:
        task = bench.simulator.new(bench.project, title="a")
        tasks = asana.TasksApi(bench.client)
        assert await to_thread(tasks.delete_task, task) == {}
        assert bench.simulator.view(task) is None
        assert (await refused(tasks.get_task, task, {}))[0] == 404

    async def test_subtask_hangs_under_its_task(self, bench: Bench) -> None:
        tasks, parent = asana.TasksApi(bench.client), bench.simulator.new(bench.project, title="a")
        child = await to_thread(tasks.create_subtask_for_task, {"data": {"name": "b"}}, parent, {})
        found = await to_thread(list, tasks.get_subtasks_for_task(parent, {}))
        assert [one["gid"] for one in found] == [child["gid"]]
        assert bench.view(child["gid"])["parent"] == parent

    async def test_followers_come_and_go(self, bench: Bench) -> None:
        tasks, task = asana.TasksApi(bench.client), bench.simulator.new(bench.project, title="a", by="ada")
        bob = {"data": {"followers": [bench.simulator.people["bob"].gid]}}
        after = await to_thread(tasks.add_followers_for_task, bob, task, {})
        assert [one["name"] for one in after["followers"]] == ["Ada Lovelace", "Bob Stone"]
        await to_thread(tasks.remove_follower_for_task, bob, task, {})
        assert bench.view(task)["followers"] == ["ada"]


class TestPaging:
    async def test_iterator_reads_every_page_by_its_offset(self, bench: Bench) -> None:
        made = [bench.simulator.new(bench.project, title=f"task {number}") for number in range(7)]
        found = asana.TasksApi(bench.client).get_tasks_for_project(bench.project, {"limit": 3})
        assert [one["gid"] for one in await to_thread(list, found)] == made
        pages = bench.simulator.journal.by("GET", f"/projects/{bench.project}/tasks$")
        assert [len(page.answer["data"]) for page in pages] == [3, 3, 1]
        offsets = [page.answer["next_page"] and page.answer["next_page"]["offset"] for page in pages]
        assert [page.query.get("offset") for page in pages] == [None, *offsets[:2]]
        assert offsets[2] is None

    async def test_iterator_stops_at_its_item_limit(self, bench: Bench) -> None:
        made = [bench.simulator.new(bench.project, title=f"task {number}") for number in range(5)]
        found = asana.TasksApi(bench.client).get_tasks({"project": bench.project, "limit": 2}, item_limit=3)
        assert [one["gid"] for one in await to_thread(list, found)] == made[:3]

    async def test_whole_answer_shows_where_the_next_page_is(self, bench: Bench) -> None:
        for number in range(3):
            bench.simulator.new(bench.project, title=f"task {number}")
        tasks = asana.TasksApi(bench.client)

        def page(**query: Any) -> Any:
            return tasks.get_tasks({"project": bench.project, "limit": 2, **query}, full_payload=True)

        first = await to_thread(page)
        assert first["next_page"]["uri"].startswith(f"{bench.base_url}/tasks?")
        assert first["next_page"]["path"] in first["next_page"]["uri"]
        second = await to_thread(page, offset=first["next_page"]["offset"])
        assert [one["name"] for one in second["data"]] == ["task 2"]
        assert second["next_page"] is None

    async def test_offset_that_has_expired_is_refused(self, bench: Bench) -> None:
        for number in range(3):
            bench.simulator.new(bench.project, title=f"task {number}")
        pages = asana.TasksApi(bench.client).get_tasks_for_project(bench.project, {"limit": 2})
        await to_thread(next, pages)
        await to_thread(next, pages)
        bench.simulator.clock.advance(bench.simulator.pages.life_s + 1)
        assert await refused(next, pages) == (400, "offset: Your pagination token is invalid or has expired")

    async def test_changes_since_a_moment(self, bench: Bench) -> None:
        bench.simulator.new(bench.project, title="old")
        bench.simulator.clock.advance(60)
        since, new = bench.simulator.clock.now(), bench.simulator.new(bench.project, title="new")
        options = {"project": bench.project, "modified_since": since.isoformat(timespec="milliseconds")}
        found = asana.TasksApi(bench.client).get_tasks(options)
        assert [one["gid"] for one in await to_thread(list, found)] == [new]


class TestComments:
    async def test_comment_is_written_read_changed_and_deleted(self, bench: Bench) -> None:
        stories, task = asana.StoriesApi(bench.client), bench.simulator.new(bench.project, title="a")
        made = await to_thread(stories.create_story_for_task, {"data": {"text": "seen"}}, task, {})
        assert (made["type"], made["resource_subtype"], made["text"]) == ("comment", "comment_added", "seen")
        (told,) = bench.view(task)["comments"]
        assert (told["id"], told["text"], told["author"]) == (made["gid"], "seen", "bot")

        body = {"data": {"html_text": "<body><strong>mended</strong></body>"}}
        options = {"opt_fields": "text,html_text,is_edited"}
        assert await to_thread(stories.update_story, body, made["gid"], options) == {
            "gid": made["gid"],
            "text": "mended",
            "html_text": "<body><strong>mended</strong></body>",
            "is_edited": True,
        }
        assert (await to_thread(stories.get_story, made["gid"], {}))["text"] == "mended"

        assert await to_thread(stories.delete_story, made["gid"]) == {}
        assert bench.view(task)["comments"] == []

    async def test_comments_stand_among_the_history(self, bench: Bench) -> None:
        task = bench.simulator.new(bench.project, title="a")
        bench.simulator.edit(task, title="b")
        comments = [bench.simulator.comment(task, f"comment {number}") for number in range(3)]
        rows = await to_thread(list, asana.StoriesApi(bench.client).get_stories_for_task(task, {"limit": 2}))
        assert [row["gid"] for row in rows if row["resource_subtype"] == "comment_added"] == comments
        assert "name_changed" in [row["resource_subtype"] for row in rows]

    async def test_comment_of_somebody_else_is_theirs(self, bench: Bench) -> None:
        comment = bench.simulator.comment(bench.simulator.new(bench.project, title="a"), "mine", by="ada")
        stories = asana.StoriesApi(bench.client)
        assert (await refused(stories.update_story, {"data": {"text": "ours"}}, comment, {}))[0] == 403
        assert (await refused(stories.delete_story, comment))[0] == 403


class TestAttachments:
    async def test_file_is_uploaded_listed_downloaded_and_deleted(self, bench: Bench, tmp_path: Path) -> None:
        content = bytes(range(256)) + b"\r\n--\r\n\n\r"
        file = tmp_path / "screen shot.png"
        file.write_bytes(content)
        attachments, task = asana.AttachmentsApi(bench.client), bench.simulator.new(bench.project, title="a")
        upload = {"parent": task, "file": str(file)}
        made = await to_thread(attachments.create_attachment_for_object, upload)
        assert (made["resource_type"], made["resource_subtype"]) == ("attachment", "asana")
        assert bench.view(task)["attachments"] == [
            {"id": made["gid"], "name": "screen shot.png", "content": content, "url": None}
        ]

        (row,) = await to_thread(list, attachments.get_attachments_for_object(task, {}))
        assert row == {
            "gid": made["gid"],
            "resource_type": "attachment",
            "resource_subtype": "asana",
            "name": "screen shot.png",
        }
        read = await to_thread(attachments.get_attachment, made["gid"], {})
        assert (read["host"], read["size"], read["parent"]["gid"]) == ("asana", len(content), task)
        with urllib3.PoolManager() as web:
            assert (await to_thread(web.request, "GET", read["download_url"])).data == content
            bench.simulator.clock.advance(121)
            assert (await to_thread(web.request, "GET", read["download_url"])).status == 403

        assert await to_thread(attachments.delete_attachment, made["gid"]) == {}
        assert bench.view(task)["attachments"] == []
        assert (await refused(attachments.get_attachment, made["gid"], {}))[0] == 404

    async def test_link_is_attached_under_its_name(self, bench: Bench) -> None:
        attachments, task = asana.AttachmentsApi(bench.client), bench.simulator.new(bench.project, title="a")
        link = {"resource_subtype": "external", "name": "Draft", "url": "http://127.0.0.1/draft"}
        made = await to_thread(attachments.create_attachment_for_object, {"parent": task, **link})
        read = await to_thread(
            attachments.get_attachment, made["gid"], {"opt_fields": "view_url,download_url"}
        )
        assert read == {"gid": made["gid"], "view_url": "http://127.0.0.1/draft", "download_url": None}
        assert bench.view(task)["attachments"][0]["name"] == "Draft"

    async def test_upload_tells_of_itself_by_a_story_and_moves_the_task(self, bench: Bench) -> None:
        task = bench.simulator.new(bench.project, title="a")
        before = bench.view(task)["modified_at"]
        bench.simulator.clock.advance(1)
        link = {
            "resource_subtype": "external",
            "name": "Draft",
            "url": "http://127.0.0.1/draft",
            "parent": task,
        }
        await to_thread(asana.AttachmentsApi(bench.client).create_attachment_for_object, link)
        rows = await to_thread(list, asana.StoriesApi(bench.client).get_stories_for_task(task, {}))
        assert rows[-1]["resource_subtype"] == "attachment_added"
        assert bench.view(task)["modified_at"] > before

    async def test_upload_without_a_file_or_to_an_unknown_task_is_refused(self, bench: Bench) -> None:
        upload = asana.AttachmentsApi(bench.client).create_attachment_for_object
        task = bench.simulator.new(bench.project, title="a")
        assert await refused(upload, {"parent": task, "name": "x"}) == (400, "file: Missing input")
        external = {"resource_subtype": "external", "name": "x"}
        assert await refused(upload, {"parent": task, **external}) == (400, "url: Missing input")
        assert await refused(upload, {"parent": "42", **external}) == (404, "task: Unknown object: 42")


class TestTagsAndSections:
    async def test_tag_is_made_put_on_and_taken_off(self, bench: Bench) -> None:
        tags, tasks = asana.TagsApi(bench.client), asana.TasksApi(bench.client)
        task, workspace = bench.simulator.new(bench.project, title="a"), bench.simulator.workspace.gid
        body = {"data": {"name": "bug", "color": "dark-red", "workspace": workspace}}
        tag = await to_thread(tags.create_tag, body, {})
        assert (tag["name"], tag["color"]) == ("bug", "dark-red")
        assert await to_thread(tasks.add_tag_for_task, {"data": {"tag": tag["gid"]}}, task) == {}
        assert bench.view(task)["labels"] == ["bug"]
        assert [one["name"] for one in await to_thread(list, tags.get_tags_for_task(task, {}))] == ["bug"]
        found = await to_thread(list, tasks.get_tasks_for_tag(tag["gid"], {}))
        assert [one["gid"] for one in found] == [task]
        assert await to_thread(tasks.remove_tag_for_task, {"data": {"tag": tag["gid"]}}, task) == {}
        assert bench.view(task)["labels"] == []

    async def test_tags_of_the_workspace_by_pages(self, bench: Bench) -> None:
        bench.simulator.new(bench.project, title="a", labels=["x", "y", "z"])
        workspace = bench.simulator.workspace.gid
        rows = asana.TagsApi(bench.client).get_tags_for_workspace(workspace, {"limit": 1})
        assert [row["name"] for row in await to_thread(list, rows)] == ["x", "y", "z"]

    async def test_task_moves_to_another_section(self, bench: Bench) -> None:
        sections, tasks = asana.SectionsApi(bench.client), asana.TasksApi(bench.client)
        rows = await to_thread(list, sections.get_sections_for_project(bench.project, {}))
        names = {row["name"]: row["gid"] for row in rows}
        assert list(names) == ["Untitled section", "Backlog", "In progress", "Done"]
        task = bench.simulator.new(bench.project, title="a", section="Backlog")
        body = {"body": {"data": {"task": task}}}
        assert await to_thread(sections.add_task_for_section, names["Done"], body) == {}
        assert bench.view(task)["section"] == "Done"
        found = await to_thread(list, tasks.get_tasks_for_section(names["Done"], {}))
        assert [one["gid"] for one in found] == [task]
        section = await to_thread(sections.get_section, names["Done"], {})
        assert section["project"]["gid"] == bench.project

    async def test_task_joins_and_leaves_another_project(self, bench: Bench) -> None:
        tasks, task = asana.TasksApi(bench.client), bench.simulator.new(bench.project, title="a")
        other = {"data": {"project": bench.simulator.new_container("Shop")}}
        assert await to_thread(tasks.add_project_for_task, other, task) == {}
        rows = await to_thread(list, asana.ProjectsApi(bench.client).get_projects_for_task(task, {}))
        assert [row["name"] for row in rows] == ["Website", "Shop"]
        assert await to_thread(tasks.remove_project_for_task, other, task) == {}
        assert list(bench.view(task)["sections"]) == [bench.project]


class TestWorkspace:
    async def test_who_asks_and_where(self, bench: Bench) -> None:
        workspace = bench.simulator.workspace.gid
        me = await to_thread(asana.UsersApi(bench.client).get_user, "me", {})
        assert (me["gid"], me["name"]) == (bench.simulator.people["bot"].gid, "Sync Bot")
        users = await to_thread(list, asana.UsersApi(bench.client).get_users_for_workspace(workspace, {}))
        assert [user["name"] for user in users] == ["Ada Lovelace", "Bob Stone", "Sync Bot"]
        (found,) = await to_thread(list, asana.WorkspacesApi(bench.client).get_workspaces({}))
        assert found["gid"] == workspace
        projects = asana.ProjectsApi(bench.client).get_projects_for_workspace(workspace, {})
        assert [one["gid"] for one in await to_thread(list, projects)] == [bench.project]

    async def test_events_begin_with_a_fresh_token_that_the_iterator_takes(self, bench: Bench) -> None:
        events = asana.EventsApi(bench.client)
        first = events.get_events(bench.project, {})
        assert await to_thread(list, first) == []
        task = bench.simulator.new(bench.project, title="a")
        (refusal, _) = bench.simulator.journal.by("GET", "/events$")
        assert refusal.status == 412
        found = await to_thread(list, events.get_events(bench.project, {"sync": refusal.answer["sync"]}))
        assert ("added", task) in [(event["action"], event["resource"]["gid"]) for event in found]


class TestWebhooks:
    async def test_handshake_then_signed_events(self, bench: Bench, target: Target) -> None:
        webhooks = asana.WebhooksApi(bench.client)
        data = {
            "resource": bench.project,
            "target": target.url,
            "filters": [{"resource_type": "task", "action": "changed", "fields": ["name"]}],
        }
        whole = await to_thread(lambda: webhooks.create_webhook({"data": data}, {}, full_payload=True))
        (shake, _) = target.calls[0]
        assert shake["x-hook-secret"] == whole["X-Hook-Secret"]
        hook = whole["data"]
        assert (hook["resource"]["gid"], hook["target"]) == (bench.project, target.url)

        task = bench.simulator.new(bench.project, title="a")
        bench.simulator.edit(task, title="b")
        await bench.simulator.outbox.idle()
        headers, body = target.calls[-1]
        secret = whole["X-Hook-Secret"].encode()
        assert headers["x-hook-signature"] == hmac.new(secret, body, hashlib.sha256).hexdigest()
        (event,) = json.loads(body)["events"]
        assert (event["resource"]["gid"], event["change"]["field"]) == (task, "name")
        assert (await to_thread(webhooks.get_webhook, hook["gid"], {}))["active"]

    async def test_webhook_is_listed_changed_and_deleted(self, bench: Bench, target: Target) -> None:
        webhooks, workspace = asana.WebhooksApi(bench.client), bench.simulator.workspace.gid
        body = {"data": {"resource": bench.project, "target": target.url}}
        gid = (await to_thread(webhooks.create_webhook, body, {}))["gid"]
        (row,) = await to_thread(list, webhooks.get_webhooks(workspace, {"resource": bench.project}))
        assert row["gid"] == gid
        filters = [{"resource_type": "story", "action": "added"}]
        after = await to_thread(webhooks.update_webhook, {"data": {"filters": filters}}, gid, {})
        assert after["filters"] == filters
        assert await to_thread(webhooks.delete_webhook, gid) == {}
        assert bench.simulator.hooks.by_gid == {}

    async def test_target_without_the_echo_and_taken_target_are_refused(
        self, bench: Bench, target: Target
    ) -> None:
        create = asana.WebhooksApi(bench.client).create_webhook
        body = {"data": {"resource": bench.project, "target": target.url}}
        target.echo = False
        assert (await refused(create, body, {}))[0] == 400
        target.echo = True
        await to_thread(create, body, {})
        assert (await refused(create, body, {}))[0] == 403
        bench.simulator.hooks.allow_loopback_targets = False
        assert (await refused(create, body, {}))[0] == 403


class TestRefusals:
    async def test_unknown_task_and_no_id(self, bench: Bench) -> None:
        get = asana.TasksApi(bench.client).get_task
        assert await refused(get, "42", {}) == (404, "task: Unknown object: 42")
        assert (await refused(get, "no-id", {}))[0] == 400

    async def test_token_that_is_not_known(self, bench: Bench) -> None:
        with opened(bench.base_url, "2/1/wrong") as stranger:
            assert await refused(asana.UsersApi(stranger).get_user, "me", {}) == (401, "Not Authorized")

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"assignee": "42"}, "assignee: Not a user in Organization: 42"),
            ({"due_on": "soon"}, "due_on: Not a valid date: soon"),
            ({"projects": []}, "You should specify one of workspace, parent, projects"),
        ],
    )
    async def test_refused_create_says_why_and_makes_nothing(
        self, bench: Bench, wrong: dict[str, Any], message: str
    ) -> None:
        body = {"data": {"name": "a", "projects": [bench.project], **wrong}}
        assert await refused(asana.TasksApi(bench.client).create_task, body, {}) == (400, message)
        assert bench.simulator.objects(bench.project) == []

    async def test_rich_text_that_is_no_xml(self, bench: Bench) -> None:
        task = bench.simulator.new(bench.project, title="a", notes="kept")
        body = {"data": {"html_notes": "<body><b></body>"}}
        assert (await refused(asana.TasksApi(bench.client).update_task, body, task, {}))[0] == 400
        assert bench.view(task)["text"] == "kept"


class TestRateLimits:
    async def test_refusal_says_how_long_to_wait_and_that_is_enough(self, bench: Bench) -> None:
        bench.simulator.requests_per_minute = 12
        with opened(bench.base_url, bench.simulator.token, retry=False) as client:
            users = asana.UsersApi(client)
            for _ in range(2):
                await to_thread(users.get_user, "me", {})
            with pytest.raises(ApiException) as error:
                await to_thread(users.get_user, "me", {})
            assert error.value.status == 429
            assert json.loads(error.value.body)["errors"][0]["message"].startswith("You have made too many")
            bench.simulator.clock.advance(int(error.value.headers["Retry-After"]))
            assert (await to_thread(users.get_user, "me", {}))["name"] == "Sync Bot"

    async def test_client_waits_and_asks_again_by_itself(self, bench: Bench) -> None:
        bench.simulator.faults.add(Fault(kind="429", method="GET", retry_after=1))
        began = time.monotonic()
        assert (await to_thread(asana.UsersApi(bench.client).get_user, "me", {}))["name"] == "Sync Bot"
        assert time.monotonic() - began >= 1
        assert [asked.status for asked in bench.simulator.journal] == [429, 200]

    async def test_client_that_has_asked_often_enough_gives_up(self, bench: Bench) -> None:
        bench.simulator.faults.add(Fault(kind="429", times=None, retry_after=0))
        twice = Retry(total=2, status_forcelist=[429], backoff_factor=0)
        with (
            opened(bench.base_url, bench.simulator.token, retry=twice) as client,
            pytest.raises(urllib3.exceptions.MaxRetryError, match="too many 429 error responses"),
        ):
            await to_thread(asana.UsersApi(client).get_user, "me", {})
        assert len(bench.simulator.journal) == 3

    async def test_refused_create_is_not_repeated_by_the_client(self, bench: Bench) -> None:
        bench.simulator.faults.add(Fault(kind="429", method="POST"))
        with pytest.raises(ApiException) as error:
            await to_thread(
                asana.TasksApi(bench.client).create_task,
                {"data": {"name": "a", "projects": [bench.project]}},
                {},
            )
        assert (error.value.status, error.value.headers["Retry-After"]) == (429, "1")
        assert len(bench.simulator.journal) == 1
        assert bench.simulator.objects(bench.project) == []
