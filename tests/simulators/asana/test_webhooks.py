"""Webhooks of a simulated Asana, quirk by quirk."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import Outgoing
from tests.simulators.asana.client import Api, Receiver


async def test_the_handshake_happens_while_the_create_is_open(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    answer = await api.ok("POST", "/webhooks", json={"data": {"resource": project, "target": receiver[1]}})
    await asana.outbox.idle()

    assert answer["X-Hook-Secret"] == receiver[0].secret
    assert answer["data"]["active"] is False
    assert [json.loads(body) for body in receiver[0].bodies] == [{"events": []}]
    (listed,) = await api.get("/webhooks", workspace=asana.workspace.gid, resource=project)
    assert (listed["active"], listed["target"]) == (True, receiver[1])
    assert "X-Hook-Secret" not in await api.ok("GET", f"/webhooks/{listed['gid']}")


async def test_without_the_echo_there_is_no_webhook(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    receiver[0].echo = False

    assert await api.rejected("POST", "/webhooks", resource=project, target=receiver[1]) == 400
    assert await api.rejected("POST", "/webhooks", resource=project, target="http://127.0.0.1:1/") == 400
    assert await api.get("/webhooks", workspace=asana.workspace.gid) == []


async def test_the_same_target_again_is_403(api: Api, project: str, receiver: tuple[Receiver, str]) -> None:
    await api.post("/webhooks", resource=project, target=receiver[1])

    assert await api.rejected("POST", "/webhooks", resource=project, target=receiver[1]) == 403


async def test_localhost_is_403_where_it_is_not_allowed(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    asana.hooks.allow_loopback_targets = False

    assert await api.rejected("POST", "/webhooks", resource=project, target=receiver[1]) == 403
    assert await api.rejected("POST", "/webhooks", resource=project, target="http://localhost/x") == 403


async def test_one_action_makes_one_signed_delivery_of_several_events(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    await api.post("/webhooks", resource=project, target=receiver[1])
    task = asana.new(project, title="Broken")
    receiver[0].bodies.clear()
    await asana.outbox.idle()
    receiver[0].bodies.clear()

    asana.edit(task, assignee="bob", by="ada")
    await asana.outbox.idle()

    (body,) = receiver[0].bodies
    signature = hmac.new(receiver[0].secret.encode(), body, hashlib.sha256).hexdigest()
    assert receiver[0].signatures[-1] == signature
    change, story = receiver[0].events
    assert change["user"] == {"gid": asana.people["ada"].gid, "resource_type": "user"}
    assert change["parent"] is None
    assert change["change"] == {
        "field": "assignee",
        "action": "changed",
        "new_value": {"gid": asana.people["bob"].gid, "resource_type": "user"},
    }
    assert (story["action"], story["resource"]["resource_subtype"]) == ("added", "assigned")
    assert story["parent"]["gid"] == task


async def test_filters_choose_and_put_replaces_them_all(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    only_names = [{"resource_type": "task", "action": "changed", "fields": ["name"]}]
    hook = await api.post("/webhooks", resource=project, target=receiver[1], filters=only_names)
    task = asana.new(project, title="Broken")
    asana.edit(task, title="Mended", state="closed")
    await asana.outbox.idle()
    assert [event["change"]["field"] for event in receiver[0].events] == ["name"]

    await api.put(f"/webhooks/{hook['gid']}", filters=[{"resource_type": "story", "action": "added"}])
    asana.comment(task, "hello")
    await asana.outbox.idle()
    assert receiver[0].events[-1]["resource"]["resource_type"] == "story"
    bad = [{"resource_type": "task", "action": "added", "fields": ["name"]}]
    assert await api.rejected("PUT", f"/webhooks/{hook['gid']}", filters=bad) == 400


async def test_what_is_not_acknowledged_comes_again(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    hook = await api.post("/webhooks", resource=project, target=receiver[1])
    await asana.outbox.idle()
    receiver[0].bodies.clear()
    receiver[0].answers = [503]

    asana.new(project, title="Broken")
    await asana.outbox.idle()

    assert len(receiver[0].bodies) > len(set(receiver[0].bodies))
    assert (await api.get(f"/webhooks/{hook['gid']}"))["last_failure_content"] == "503 answered"


async def test_one_410_or_a_day_of_failures_deletes_the_webhook(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    asana.hooks.backoff_s = ()
    hook = await api.post("/webhooks", resource=project, target=receiver[1])
    await asana.outbox.idle()
    receiver[0].answers = [410]
    asana.hooks.heartbeat()
    await asana.outbox.idle()
    assert await api.refused("GET", f"/webhooks/{hook['gid']}") == 404

    hook = await api.post("/webhooks", resource=project, target=receiver[1])
    await asana.outbox.idle()
    receiver[0].answers = [500, 500]
    asana.hooks.heartbeat()
    await asana.outbox.idle()
    assert await api.get(f"/webhooks/{hook['gid']}")
    asana.clock.advance(25 * 3600)
    asana.hooks.heartbeat()
    await asana.outbox.idle()
    assert await api.refused("GET", f"/webhooks/{hook['gid']}") == 404


async def test_a_delivery_comes_after_the_webhook_is_deleted(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    hook = await api.post("/webhooks", resource=project, target=receiver[1])
    await asana.outbox.idle()
    asana.outbox.delay_s = 0.05
    asana.new(project, title="late")
    assert (await api.ok("DELETE", f"/webhooks/{hook['gid']}"))["data"] == {}

    await asana.outbox.idle()

    assert receiver[0].events


async def test_a_switched_outbox_drops_some_deliveries(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    await api.post("/webhooks", resource=project, target=receiver[1])
    await asana.outbox.idle()

    def renames(outgoing: Outgoing) -> bool:
        return b'"name"' in outgoing.body

    asana.outbox.drop = renames
    task = asana.new(project, title="Broken")
    asana.edit(task, title="Mended")
    await asana.outbox.idle()

    assert receiver[0].events
    assert not any("change" in event for event in receiver[0].events)


async def test_deliveries_have_the_keys_of_the_samples(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str], fixtures: Path
) -> None:
    await api.post("/webhooks", resource=project, target=receiver[1])
    task = asana.new(project, title="Broken")
    asana.edit(task, title="Mended")
    asana.edit(task, assignee="bob")
    comment = asana.comment(task, "hello")
    asana.edit_comment(comment, "hello again")
    asana.delete_comment(comment)
    asana.edit(task, state="closed")
    await asana.outbox.idle()

    ours = {shape(event) for event in receiver[0].events}
    for sample in (fixtures / "webhook-samples").glob("*.json"):
        for event in json.loads(sample.read_text())["events"]:
            assert shape(event) in ours, sample.name


def shape(event: dict[str, Any]) -> str:
    """All of an event but its ids and time."""
    ids = {"gid": "", "created_at": ""}
    blank = json.loads(json.dumps(event), object_hook=lambda o: {k: ids.get(k, v) for k, v in o.items()})
    return json.dumps(blank, sort_keys=True)


async def test_a_webhook_may_listen_to_one_task(
    asana: AsanaSimulator, api: Api, project: str, receiver: tuple[Receiver, str]
) -> None:
    task, other = (asana.new(project, title=title) for title in ("mine", "other"))
    await api.post("/webhooks", resource=task, target=receiver[1])

    asana.edit(other, title="unheard")
    asana.edit(task, title="heard")
    await asana.outbox.idle()

    assert {event["resource"]["gid"] for event in receiver[0].events if event["parent"] is None} == {task}


@pytest.mark.parametrize("target", ["no address", "ftp://example.com/x", "http://"])
async def test_a_target_must_be_an_address(api: Api, project: str, target: str) -> None:
    assert await api.rejected("POST", "/webhooks", resource=project, target=target) == 400
