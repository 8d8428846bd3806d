"""Asana's webhooks: their calls, the events in them, how they are made and kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connectors.asana import connector, translate
from connectors.asana.config import AsanaSettings
from connectors.asana.events import changes_of, with_events
from connectors.changes import Change, Delivery, Handshake, Received, Secrets
from connectors.errors import BadSignature, Unreadable
from connectors.records import Gone

if TYPE_CHECKING:
    from connectors.asana.conftest import Opened

SITE = "1200000000000001"
SECRET = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"
SETTINGS = AsanaSettings(workspace=SITE)
SAMPLES = Path(__file__).parents[3] / "shared" / "fixtures" / "asana" / "webhook-samples"
NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)


def receive(body: bytes, secrets: Secrets, **headers: str) -> Received | Handshake:
    delivery = Delivery(headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)
    return connector.receive(delivery, secrets, SETTINGS, NOW)


def signed(body: bytes, secret: str = SECRET) -> Received:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    received = receive(body, Secrets(active=(SECRET,)), x_hook_signature=signature)
    assert isinstance(received, Received)
    return received


def event(**parts: Any) -> dict[str, Any]:
    task = {"gid": "2222", "resource_type": "task", "resource_subtype": "default_task"}
    usual = {
        "user": {"gid": "1111"},
        "created_at": "2026-05-01T10:00:00.000Z",
        "action": "changed",
        "parent": None,
    }
    return {**usual, "resource": task, **parts}


def story(gid: str = "3003", subtype: str = "comment_added") -> dict[str, str]:
    return {"gid": gid, "resource_type": "story", "resource_subtype": subtype}


TARGET = "https://sync.example/webhooks/a/b"
HOOK = {"gid": "5", "target": TARGET, "active": True}


class TestWebhook:
    @pytest.mark.parametrize(
        ("sample", "comments"),
        [
            ("02-task-added-to-project-multi", False),
            ("03-task-name-changed", False),
            ("04-assignee-changed", False),
            ("05-comment-added", True),
            ("06-comment-edited", True),
            ("07-comment-removed", True),
            ("08-task-completed", False),
        ],
    )
    def test_sample_becomes_one_change_of_its_task(self, sample: str, comments: bool) -> None:
        received = signed(_sample(sample))
        assert received.changes == (
            Change(ref=translate.task_ref(SITE, "2222"), at=NOW, actor="1111", comments=comments),
        )
        assert received.ignored == ""

    def test_heartbeat_is_ignored_with_a_reason(self) -> None:
        received = signed(_sample("01-heartbeat"))
        assert (received.changes, received.ignored) == ((), "heartbeat")

    def test_every_sample_is_covered(self) -> None:
        assert len(list(_samples().glob("*.json"))) == 8

    def test_same_delivery_again_has_the_same_dedupe_key(self) -> None:
        body = json.dumps({"events": [event()]}).encode()
        assert signed(body).dedupe == signed(body).dedupe != signed(body + b" ").dedupe

    def test_handshake_is_echoed_while_it_is_awaited(self) -> None:
        reply = receive(b"", Secrets(pending=True), x_hook_secret=SECRET)
        assert isinstance(reply, Handshake)
        assert reply.secret == SECRET
        assert reply.reply_headers == {"X-Hook-Secret": SECRET}
        assert SECRET not in repr(reply)

    @pytest.mark.parametrize(
        ("secrets", "offered"),
        [
            (Secrets(), SECRET),
            (Secrets(active=("stored",), pending=True), SECRET),
            (Secrets(active=("stored",)), SECRET),
            (Secrets(pending=True), ""),
            (Secrets(pending=True), "x" * 300),
            (Secrets(pending=True), "with space and \n line"),
        ],
    )
    def test_other_handshakes_are_refused(self, secrets: Secrets, offered: str) -> None:
        with pytest.raises(BadSignature):
            receive(b"{}", secrets, x_hook_secret=offered)

    @pytest.mark.parametrize("signature", [None, "", "0" * 64, "ü", "sha256=" + "0" * 64])
    def test_wrong_signature(self, signature: str | None) -> None:
        headers = {} if signature is None else {"x_hook_signature": signature}
        with pytest.raises(BadSignature):
            receive(b'{"events": []}', Secrets(active=(SECRET,)), **headers)

    def test_handshake_header_does_not_replace_a_signature(self) -> None:
        with pytest.raises(BadSignature):
            receive(b"{}", Secrets(pending=True), x_hook_secret=SECRET, x_hook_signature="0" * 64)

    @pytest.mark.parametrize(
        "body", [b"", b"\xff", b"[]", b"{}", b'{"events": {}}', b"[" * 100_000, b'{"events": ' + b"1" * 5000]
    )
    def test_unreadable(self, body: bytes) -> None:
        with pytest.raises(Unreadable):
            signed(body)

    @pytest.mark.parametrize(
        "odd",
        [
            None,
            7,
            {},
            event(resource=None),
            event(resource={"resource_type": "task"}),
            event(resource={"gid": "1", "resource_type": "attachment"}, action="deleted"),
            event(resource=story(subtype="assigned"), action="added"),
        ],
    )
    def test_what_is_not_synced_is_ignored_with_a_reason(self, odd: Any) -> None:
        received = signed(json.dumps({"events": [odd]}).encode())
        assert received.changes == ()
        assert received.ignored


class TestEvents:
    def test_deletion_is_proof_unless_the_task_came_back(self) -> None:
        deleted = event(action="deleted")
        removed = event(action="removed", parent={"gid": "9", "resource_type": "project"})
        back = event(action="undeleted", created_at="2026-05-01T10:00:01.000Z")
        ((gone,), _) = changes_of([deleted, removed], SITE)
        assert gone.gone == Gone("Asana's deleted event")
        ((returned,), _) = changes_of([back, deleted], SITE)  # deliveries know no order
        assert returned.gone is None

    def test_leaving_the_project_proves_nothing(self) -> None:
        ((change,), _) = changes_of([event(action="removed", parent={"gid": "9"})], SITE)
        assert change.gone is None

    def test_deleted_comment_is_no_deleted_task(self) -> None:
        task = {"gid": "2222", "resource_type": "task"}
        ((change,), _) = changes_of([event(resource=story(), action="deleted", parent=task)], SITE)
        assert change.ref == translate.task_ref(SITE, "2222")
        assert change.gone is None
        assert change.comments

    def test_edited_comment_may_come_without_its_task(self) -> None:
        ((change,), _) = changes_of([event(resource=story(), parent=None)], SITE)
        assert change.ref == translate.comment_ref(SITE, "3003")

    @pytest.mark.parametrize("other", [None, {"gid": "1112"}])
    def test_several_users_are_nobody(self, other: Any) -> None:
        ((change,), _) = changes_of([event(), event(user=other)], SITE)
        assert change.actor is None

    def test_comment_event_is_not_judged_by_the_task_s_record(self) -> None:
        told, _ = changes_of([event(resource=story(), parent={"gid": "2222"})], SITE)
        record = translate.record({"gid": "2222", "modified_at": "2026-05-01T10:00:00Z"}, SITE, "1")
        (change,) = with_events([Change(ref=record.ref, record=record, comments=True)], told)
        assert (change.record, change.comments, change.actor) == (None, True, "1111")

    @pytest.mark.parametrize("order", [1, -1])
    def test_comment_and_task_that_change_together_are_both_looked_at(self, order: int) -> None:
        """The comment's event names no task: it is a Change of its own until somebody looked."""
        (task,), _ = changes_of([event(user={"gid": "1112"})], SITE)
        (story_,), _ = changes_of([event(resource=story(), parent={"gid": "2222"})], SITE)
        record = translate.record({"gid": "2222", "modified_at": "2026-05-01T10:00:00Z"}, SITE, "1")
        for listed in [], [Change(ref=record.ref, record=record)]:
            (change,) = with_events(listed, [task, story_][::order])
            assert (change.comments, change.actor, change.record) == (True, None, None)

    def test_listing_newer_than_the_deletion_wins(self) -> None:
        ((told,), _) = changes_of([event(action="deleted")], SITE)
        for modified_at, gone in (("2026-05-01T09:59:59Z", told.gone), ("2026-05-01T10:00:01Z", None)):
            record = translate.record({"gid": "2222", "modified_at": modified_at}, SITE, "1")
            (change,) = with_events([Change(ref=record.ref, record=record, comments=True)], [told])
            assert (change.gone, change.record, change.comments) == (gone, record, True)


class TestSubscriptions:
    async def test_new_webhook_tells_its_secret_once(self, scripted: Opened) -> None:
        made = {**HOOK, "active": False}
        session, asana = scripted(
            {"GET webhooks": [_data([])], "POST webhooks": [_data(made, 201, **{"X-Hook-Secret": "s3cret"})]}
        )
        subscribed = await session.subscribe("20", TARGET, "")
        assert (subscribed.id, subscribed.active, subscribed.secret) == ("5", False, "s3cret")
        assert "s3cret" not in repr(subscribed)
        (body,) = asana.calls("POST webhooks")
        assert (body["data"]["resource"], body["data"]["target"]) == ("20", TARGET)

    async def test_known_one_is_adopted(self, scripted: Opened) -> None:
        other = {**HOOK, "gid": "4", "target": "https://other.example/"}
        session, asana = scripted({"GET webhooks": [_data([other, HOOK])]})
        subscribed = await session.subscribe("20", TARGET, "s3cret")
        assert (subscribed.id, subscribed.secret) == ("5", "s3cret")
        assert [call for call, _ in asana.asked] == ["GET webhooks"]

    async def test_one_without_its_secret_is_replaced(self, scripted: Opened) -> None:
        session, asana = scripted(
            {
                "GET webhooks": [_data([HOOK])],
                "DELETE webhooks/5": [_data({})],
                "POST webhooks": [_data({**HOOK, "gid": "6"}, 201, **{"X-Hook-Secret": "s"})],
            }
        )
        assert (await session.subscribe("20", TARGET, "")).id == "6"
        assert [call for call, _ in asana.asked] == ["GET webhooks", "DELETE webhooks/5", "POST webhooks"]

    async def test_health(self, scripted: Opened) -> None:
        failing = {
            **HOOK,
            "last_success_at": "2026-05-01T09:00:00.000Z",
            "last_failure_at": "2026-05-01T10:00:00.000Z",
            "last_failure_content": "502",
        }
        session, _ = scripted({"GET webhooks/5": [_data(failing)], "GET webhooks/6": [_data(HOOK)]})
        stands = await session.subscription("20", "5")
        assert stands is not None
        assert (stands.reason, stands.last_delivery_at) == ("502", datetime(2026, 5, 1, 9, tzinfo=UTC))
        well = await session.subscription("20", "6")
        assert well is not None
        assert (well.reason, well.last_delivery_at) == ("", None)
        assert await session.subscription("20", "7") is None
        await session.unsubscribe("20", "7")


def _samples() -> Path:
    if not SAMPLES.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the webhook samples are not there: {SAMPLES}")
        pytest.skip(f"NOT TESTED: the webhook samples are not there: {SAMPLES}")
    return SAMPLES


def _sample(name: str) -> bytes:
    return (_samples() / f"{name}.json").read_bytes()


def _data(data: Any, status: int = 200, **more: Any) -> tuple[int, Any]:
    return status, {"data": data, **more}
