"""What the contract suite cannot know: how this store signs, and what it does to text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.changes import Delivery, Received, Secrets
from connectors.discussions import CommentDraft
from connectors.errors import BadSignature, Unreadable
from connectors.memory import connector, translate
from connectors.memory.config import Settings
from connectors.records import Key
from connectors.signing import hmac_sha256_hex

NOW = datetime(2026, 5, 1, tzinfo=UTC)
EVENT = {"kind": "item", "item": "i1", "at": NOW.isoformat(), "by": "u-ada"}


def _receive(body: bytes, age_s: int = 0) -> Received:
    timestamp = str(int(NOW.timestamp()) - age_s)
    signature = hmac_sha256_hex("secret", timestamp.encode() + b"." + body)
    headers = {"x-memory-timestamp": timestamp, "x-memory-signature": f"sha256={signature}"}
    settings = Settings(base_url="http://127.0.0.1")
    return connector.receive(Delivery(headers=headers, body=body), Secrets(active=("secret",)), settings, NOW)


def _body(*events: dict[str, Any]) -> bytes:
    return json.dumps({"id": "d1", "events": events}).encode()


def test_events() -> None:
    received = _receive(_body(EVENT, {**EVENT, "kind": "comment"}, {**EVENT, "kind": "deleted"}))
    assert received.dedupe == "d1"
    assert [(change.comments, change.gone is not None) for change in received.changes] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_unknown_events_are_ignored_with_a_reason() -> None:
    received = _receive(_body({**EVENT, "kind": "starred"}))
    assert received == Received(dedupe="d1", ignored="nothing in it is synced")


@pytest.mark.parametrize(
    "body", [b"", b"no", b"[]", b'"text"', b'{"id": 1}', b'{"id": 1, "events": [{}]}', b"[" * 100_000]
)
def test_signed_but_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        _receive(body)


@pytest.mark.parametrize("age_s", [301, -301])
def test_stale(age_s: int) -> None:
    assert _receive(_body(EVENT), age_s=300).changes
    with pytest.raises(BadSignature):
        _receive(_body(EVENT), age_s=age_s)


def test_sets_are_written_by_their_difference() -> None:
    patch = translate.patch({"title": "t", "labels": ("a", "c")}, {"labels": ("a", "b")})
    assert patch == {"title": "t", "labels": {"add": ["c"], "remove": ["b"]}}
    assert translate.patch({"assignee": ()}, {"assignee": ("u",)}) == {
        "assignee": {"add": [], "remove": ["u"]}
    }


def test_the_link_to_the_counterpart_can_be_left_out() -> None:
    link = {"url": "https://example.com/1", "label": "acme#1"}
    assert translate.new_item({}, Key("k", link["url"], link["label"])) == {"key": "k", "link": link}
    key = Key("k", link["url"], link["label"], backlink=False)
    assert translate.new_item({}, key) == {"key": "k", "link": None}


def test_same() -> None:
    assert translate.same("title", " a ", "a")
    assert not translate.same("title", "a b", "ab")
    assert translate.same("labels", ("b", "a"), ("a", "b"))
    assert not translate.same("notes", "a ", "a")


def test_a_comment_begins_with_its_author() -> None:
    draft = CommentDraft(text="Text", author_name="Ada\n[L]", source_url="https://example.com/1")
    assert translate.comment_text(draft) == "**[Ada \\[L\\]](https://example.com/1)**\n\nText"
