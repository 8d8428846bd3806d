"""Webhook calls: genuine ones are stored once and mark what they tell; nothing else gets in."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping as Map
from typing import Any

import pytest
from sqlalchemy import delete

from connectors.github.simulator import GitHubSimulator
from connectors.signing import hmac_sha256_hex
from sync.jobs.receiving.intake import Intake, Reply
from sync.store.tables import Conflict, Connection, Delivery, Event, FieldList, Mapping, Mark, Subscription
from tests.jobs.conftest import Build
from tests.jobs.world import World

SECRET = "a webhook secret"


async def subscribed(world: World, side: str, *, state: str = "active", secret: str = SECRET) -> str:
    """A subscription as the worker would have made it; its key."""
    name, container = ("our-asana", world.project) if side == "hub" else ("other", world.container)
    connection = await world.the(Connection, name=name)
    key = f"key-of-{side}"
    async with world.engine.database.write() as session:
        session.add(
            Subscription(
                connection_id=connection.id,
                container=container,
                key=key,
                secret=world.engine.vault.seal({"secret": secret}) if secret else "",
                state=state,
                created_at=world.engine.now(),
            )
        )
    return key


def from_memory(
    world: World, item: str, *, id: str = "d1", kind: str = "item"
) -> tuple[dict[str, str], bytes]:
    now = world.engine.now()
    event = {"kind": kind, "item": item, "at": now.isoformat(), "by": "u-bob"}
    body = json.dumps({"id": id, "events": [event]}).encode()
    stamp = str(int(now.timestamp()))
    digest = hmac_sha256_hex(SECRET, stamp.encode() + b"." + body)
    return {"X-Memory-Timestamp": stamp, "X-Memory-Signature": f"sha256={digest}"}, body


def from_asana(events: list[dict[str, Any]]) -> tuple[dict[str, str], bytes]:
    body = json.dumps({"events": events}).encode()
    return {"X-Hook-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}, body


async def taken_in(world: World, name: str, key: str, call: tuple[Map[str, str], bytes]) -> Reply:
    async with Intake(world.engine) as intake:
        return await intake.take_in(name, key, *call)


async def deliver(world: World, side: str, key: str, call: tuple[Map[str, str], bytes]) -> int:
    return (await taken_in(world, "our-asana" if side == "hub" else "other", key, call)).status


async def test_a_delivery_is_stored_once_and_marks(world: World) -> None:
    item, _ = await world.paired()
    key = await subscribed(world, "external")
    world.external.edit(item, title="Told")
    call = from_memory(world, item)
    world.woken.clear()
    assert await deliver(world, "external", key, call) == 200
    assert world.woken
    stored = await world.the(Delivery)
    mark = await world.the(Mark)
    assert (stored.state, stored.repeats, mark.delivery_id) == ("processed", 0, stored.id)
    assert [row.text for row in await world.rows(Event, delivery_id=stored.id)] == ["Memory says it changed"]
    await world.work()
    assert world.task()["title"] == "Told"
    assert await deliver(world, "external", key, call) == 200
    assert (await world.the(Delivery)).repeats == 1
    assert (await world.the(Subscription)).last_delivery_at is not None


async def test_what_is_not_genuine_is_refused(world: World) -> None:
    key = await subscribed(world, "external")
    headers, body = from_memory(world, "i1")
    assert await deliver(world, "external", "another key", (headers, body)) == 401
    assert await deliver(world, "external", key, (headers, body + b" ")) == 401
    assert await deliver(world, "external", key, ({}, body)) == 401
    assert await deliver(world, "hub", key, (headers, body)) == 401, "keys belong to a connection"
    stamp = headers["X-Memory-Timestamp"]
    signed = f"sha256={hmac_sha256_hex(SECRET, stamp.encode() + b'.' + b'no json')}"
    nonsense = ({"X-Memory-Timestamp": stamp, "X-Memory-Signature": signed}, b"no json")
    assert await deliver(world, "external", key, nonsense) == 400
    assert await world.rows(Delivery) == []
    assert await world.rows(Mark) == []


async def test_a_replayed_call_is_refused(world: World) -> None:
    key = await subscribed(world, "external")
    call = from_memory(world, "i1")
    world.clock.advance(3600)
    assert await deliver(world, "external", key, call) == 401


async def test_what_nobody_listens_to_is_stored_and_ignored(world: World) -> None:
    item, _ = await world.paired()
    key = await subscribed(world, "external")
    assert await deliver(world, "external", key, from_memory(world, item, kind="something else")) == 200
    assert (await world.the(Delivery)).state == "ignored"
    await world.change(Mapping, {"removed_at": world.engine.now()})
    assert await deliver(world, "external", key, from_memory(world, item, id="d2")) == 200
    assert [row.state for row in await world.rows(Delivery)] == ["ignored", "ignored"]
    assert await world.rows(Mark) == []


async def test_a_handshake_counts_once_and_only_while_one_is_awaited(world: World) -> None:
    key = await subscribed(world, "hub", state="creating", secret="")
    reply = await taken_in(world, "our-asana", key, ({"X-Hook-Secret": "their-secret"}, b""))
    assert (reply.status, reply.headers["X-Hook-Secret"]) == (200, "their-secret")
    stored = await world.the(Subscription)
    assert world.engine.vault.open(stored.secret) == {"secret": "their-secret"}
    assert (await taken_in(world, "our-asana", key, ({"X-Hook-Secret": "another"}, b""))).status == 401
    assert (await world.the(Subscription)).secret == stored.secret
    await world.change(Subscription, {"state": "active", "secret": ""})
    assert (await taken_in(world, "our-asana", key, ({"X-Hook-Secret": "late"}, b""))).status == 401


async def test_an_edited_comment_is_led_to_its_task(world: World) -> None:
    _item, task = await world.paired()
    comment = world.hub.comment(task, "typpo", by="ada")
    await world.settle()
    key = await subscribed(world, "hub")
    world.hub.edit_comment(comment, "typo")
    story = {"gid": comment, "resource_type": "story", "resource_subtype": "comment_added"}
    told = {"action": "changed", "resource": story, "parent": None}
    assert await deliver(world, "hub", key, from_asana([told])) == 200
    mark = await world.the(Mark)
    assert (mark.object_id, mark.comments) == (task, True)
    await world.work()
    assert world.thing()["comments"][0]["text"].endswith("typo")
    unknown = {**told, "resource": {**story, "gid": "999"}}
    assert await deliver(world, "hub", key, from_asana([unknown])) == 200
    assert await world.rows(Mark) == []


async def test_a_verified_deletion_is_proof_where_the_object_is_only_hidden(build: Build) -> None:
    world = await build(GitHubSimulator)
    issue, _ = await world.paired()
    assert isinstance(world.external, GitHubSimulator)
    world.external.deleted_status = 404
    number = world.thing()["number"]
    world.external.remove(issue)
    await world.mark_gone(issue, number)
    await world.work()
    assert world.task()["state"] == "closed"
    assert (await world.link()).state == "unlinked"


@pytest.mark.parametrize("stood", ["what ada wrote meanwhile", "old"])
async def test_an_edit_that_our_write_replaced_unread_is_listed(github: World, stood: str) -> None:
    issue, task = await github.paired(notes="old")
    github.hub.edit(task, notes="new")
    await github.look()
    key = await subscribed(github, "external")
    view = github.thing()
    payload = {
        "action": "edited",
        "issue": {
            "node_id": issue,
            "number": view["number"],
            "updated_at": github.engine.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        },
        "changes": {"body": {"from": stood}},
        "repository": {"full_name": github.container},
        "sender": {"login": (await github.the(Connection, name="other")).account_name},
    }
    body = json.dumps(payload).encode()
    headers = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "d1",
        "X-Hub-Signature-256": f"sha256={hmac_sha256_hex(SECRET, body)}",
    }
    assert await deliver(github, "external", key, (headers, body)) == 200
    listed = [(row.kind, row.external["value"]) for row in await github.rows(Conflict)]
    assert listed == ([("overwritten", stood)] if stood != "old" else [])
    assert (await github.the(Delivery)).event == "issues"


@pytest.mark.parametrize("told", [True, False])
async def test_a_call_is_news_while_nobody_was_told_which_fields_there_are(github: World, told: bool) -> None:
    """Then there are no rules to compare it by. No provider is asked: the caller waits for the answer."""
    issue, _ = await github.paired()
    await github.look()
    key = await subscribed(github, "external")
    listed = github.external.journal.by("GET", "/issues$")
    [as_settled] = [shown for page in listed for shown in page.answer or ()][-1:]
    assert as_settled["node_id"] == issue
    if not told:
        async with github.engine.database.write() as session:
            await session.execute(delete(FieldList))
    github.hub.journal.clear()
    github.external.journal.clear()
    body = json.dumps(
        {"action": "edited", "issue": as_settled, "repository": {"full_name": github.container}}
    ).encode()
    headers = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "d1",
        "X-Hub-Signature-256": f"sha256={hmac_sha256_hex(SECRET, body)}",
    }
    assert await deliver(github, "external", key, (headers, body)) == 200
    assert [mark.object_id for mark in await github.rows(Mark)] == ([] if told else [issue])
    assert (*github.hub.journal, *github.external.journal) == ()
