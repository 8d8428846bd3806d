"""Recorded and made-up deliveries, with real signatures."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.changes import Delivery, Received, Secrets
from connectors.errors import BadSignature, Unreadable
from connectors.github import connector
from connectors.github.config import GitHubSettings
from connectors.github.translate import issue_ref, record
from connectors.records import Gone, Moved, Ref
from connectors.signing import hmac_sha256_hex

EXAMPLES = Path(__file__).parents[3] / "shared" / "fixtures" / "github" / "webhooks-examples"
SECRET = "It's a Secret to Everybody"
SYNCED = ("issues", "issue_comment", "pull_request")
REPOSITORY = {"full_name": "acme/website"}


def _examples() -> list[Path]:
    return sorted(EXAMPLES.glob("*/*.json"))


def _delivery(event: str, body: bytes, secret: str = SECRET, **headers: str) -> Delivery:
    signature = f"sha256={hmac_sha256_hex(secret, body)}"
    return Delivery(
        headers={"x-hub-signature-256": signature, "x-github-event": event, "x-github-delivery": "d-1"}
        | headers,
        body=body,
    )


def _receive(delivery: Delivery, *secrets: str) -> Received:
    received = connector.receive(
        delivery, Secrets(active=secrets or (SECRET,)), GitHubSettings(), datetime.now(UTC)
    )
    assert isinstance(received, Received)
    return received


def _told(event: str, payload: Mapping[str, Any]) -> Received:
    return _receive(_delivery(event, json.dumps(payload).encode()))


def _issue(node_id: str = "I_1", number: int = 12, **more: Any) -> dict[str, Any]:
    return {"node_id": node_id, "number": number, "updated_at": "2026-05-01T10:00:00Z", **more}


def test_the_recorded_payloads_are_there() -> None:
    if not _examples():
        assert not os.environ.get("CI"), f"no recorded payloads in {EXAMPLES}"
        pytest.skip(f"THE RECORDED PAYLOADS ARE MISSING: {EXAMPLES}")
    assert len(_examples()) >= 61


@pytest.mark.parametrize(
    "path", _examples(), ids=lambda path: f"{path.parent.name}/{path.name.split('.')[0]}"
)
def test_recorded_payloads_are_changes_or_ignored_with_a_reason(path: Path) -> None:
    event, body = path.parent.name, path.read_bytes()
    received = _receive(_delivery(event, body))
    assert bool(received.changes) != bool(received.ignored)
    assert bool(received.changes) == (event in SYNCED)
    payload = json.loads(body)
    for change in received.changes:
        assert change.actor == payload["sender"]["login"]
        assert (change.ref.connector, change.ref.site) == ("github", "github.com")
        if "issue" in payload:  # the id that the REST API's own answer leads to
            rest = record(payload["issue"], site="github.com", place="a/b", me="")
            assert (change.ref.kind, change.ref.id) == (rest.ref.kind, rest.ref.id)
        else:
            assert (change.ref.kind, change.ref.id) == ("pull", payload["pull_request"]["node_id"])


def test_githubs_own_signature_example() -> None:
    delivery = Delivery(
        headers={
            "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            "x-github-event": "ping",
        },
        body=b"Hello, World!",
    )
    with pytest.raises(Unreadable):  # genuine, though no JSON
        _receive(delivery)


@pytest.mark.parametrize("secrets", [("other",), ("",)])
def test_other_secrets_are_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(BadSignature):
        _receive(_delivery("ping", b"{}"), *secrets)


def test_without_a_secret_nothing_is_genuine() -> None:
    with pytest.raises(BadSignature):
        connector.receive(_delivery("ping", b"{}", ""), Secrets(), GitHubSettings(), datetime.now(UTC))


def test_an_older_secret_still_counts() -> None:
    assert _receive(_delivery("ping", b"{}"), "newer", SECRET).ignored


def test_the_delivery_id_or_the_body_tells_repeats() -> None:
    first = _receive(_delivery("ping", b"{}"))
    assert first.dedupe == "d-1"
    assert len(_receive(_delivery("ping", b"{}", **{"x-github-delivery": ""})).dedupe) == 64


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("", b"{}"),
        ("issues", b"{"),
        ("issues", b"[]"),
        ("issues", b"[" * 100_000),
        ("issues", b'{"issue": {}}'),
        ("issues", b'{"issue": 5, "repository": null}'),
        (
            "issues",
            b'{"action": "transferred", "issue": {"node_id": "a"}, "repository": {"full_name": "a/b"}}',
        ),
        ("issue_comment", b"{}"),
        ("pull_request", b'{"pull_request": null}'),
    ],
)
def test_signed_nonsense_is_unreadable(event: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        _receive(_delivery(event, body))


def test_form_encoded() -> None:
    payload = {"action": "opened", "issue": _issue(), "repository": REPOSITORY}
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    assert _receive(_delivery("issues", body, **form)).changes[0].ref.id == "I_1"
    with pytest.raises(Unreadable):
        _receive(_delivery("issues", b"other=1", **form))


def test_a_deletion_is_proof() -> None:
    (change,) = _told("issues", {"action": "deleted", "issue": _issue(), "repository": REPOSITORY}).changes
    assert change.gone == Gone("deleted event")
    assert change.ref.address == "acme/website#12"


def test_both_halves_of_a_transfer_tell_where_it_went() -> None:
    old, new = Ref("github", "github.com", "issue", "I_1"), Ref("github", "github.com", "issue", "I_2")
    there = {"full_name": "acme/app"}
    moved_to = {"new_issue": _issue("I_2", 3), "new_repository": there}
    (left,) = _told(
        "issues",
        {"action": "transferred", "issue": _issue(), "repository": REPOSITORY, "changes": moved_to},
    ).changes
    came_from = {"old_issue": _issue(), "old_repository": REPOSITORY}
    told, arrived = _told(
        "issues",
        {"action": "opened", "issue": _issue("I_2", 3), "repository": there, "changes": came_from},
    ).changes
    for change in (left, told):
        assert (change.ref, change.moved) == (old, Moved(new))
        assert change.moved is not None
        assert change.moved.to.address == "acme/app#3"
    assert (arrived.ref, arrived.moved) == (new, None)


def test_an_edit_tells_what_stood_there() -> None:
    changes = {"title": {"from": "Old  title"}, "body": {"from": "Old\r\nbody\n\n<!-- asana-sync:k -->"}}
    payload = {"action": "edited", "issue": _issue(), "repository": REPOSITORY, "changes": changes}
    (change,) = _told("issues", payload).changes
    assert change.previous == {"title": "Old title", "notes": "Old\nbody"}
    assert (change.actor, change.record) == (None, None)


def test_comments_on_pull_requests_are_comments_of_the_pull_request() -> None:
    issue = _issue("PR_1", pull_request={"url": "https://api.github.com/repos/acme/website/pulls/12"})
    payload = {"action": "created", "issue": issue, "comment": {}, "repository": REPOSITORY}
    (change,) = _told("issue_comment", payload).changes
    assert change.ref == issue_ref(issue, "github.com", "acme/website")
    assert (change.ref.kind, change.comments, change.at) == ("pull", True, None)


def test_pull_requests() -> None:
    payload = {"action": "closed", "pull_request": _issue("PR_1"), "repository": REPOSITORY}
    (change,) = _told("pull_request", payload).changes
    assert (change.ref.kind, change.ref.id, change.ref.address) == ("pull", "PR_1", "acme/website#12")


@pytest.mark.parametrize("event", ["label", "milestone", "repository", "meta", "star"])
def test_other_events_are_ignored_with_a_reason(event: str) -> None:
    received = _told(event, {"action": "edited"})
    assert received.changes == ()
    assert received.ignored
