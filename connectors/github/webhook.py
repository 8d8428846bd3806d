"""Reading webhook calls: pure.

Sources: docs.github.com, "Validating webhook deliveries", "Webhook events and payloads". Nothing in a
payload is taken for the present state: deliveries come late and out of order. Deletions and transfers
are the exception, because nothing else tells of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from connectors.answers import parsed
from connectors.changes import Change, Delivery, Received, Secrets
from connectors.errors import BadSignature, Unreadable
from connectors.github.body import parted
from connectors.github.fields import Payload
from connectors.github.translate import comment_ref, instant, issue_ref, pull_ref, record
from connectors.records import Fields, Gone, Moved, Record, Value
from connectors.signing import matches

EVENTS = ("issues", "issue_comment", "pull_request", "label", "milestone", "repository")
"""What our webhooks are subscribed to."""
SUB_ISSUES = "sub_issues"
DEPENDENCIES = "issue_dependencies"
"""Further events, which older Enterprise Servers do not have."""

_IGNORED = {
    "ping": "GitHub greets a new webhook",
    "label": "a label itself changed: the next full pass compares the issues that carry it",
    "milestone": "what becomes of a milestone is seen by the next full pass",
    "repository": "repositories are followed by id: the next poll sees what happened to it",
    "meta": "the webhook was deleted at GitHub: the next look at the subscription sees it",
}


def receive(delivery: Delivery, secrets: Secrets, site: str) -> Received:
    """Check the signature over the raw body, then read it.

    Raises:
        BadSignature: not signed by GitHub with one of our secrets.
        Unreadable: signed, but not what GitHub documents.
    """
    signature = delivery.headers.get("x-hub-signature-256", "")
    if not matches(secrets.active, delivery.body, signature, prefix="sha256="):
        raise BadSignature("X-Hub-Signature-256 is missing or wrong")
    event = delivery.headers.get("x-github-event", "")
    if not event:
        raise Unreadable("the header X-GitHub-Event is missing")
    dedupe = delivery.headers.get("x-github-delivery") or hashlib.sha256(delivery.body).hexdigest()
    payload = _payload(delivery)
    read = _READERS.get(event)
    if read is None:
        return Received(dedupe=dedupe, ignored=_IGNORED.get(event, f"the event {event[:50]!r} is not synced"))
    try:
        changes = tuple(read(payload, site))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Unreadable(
            f"{event[:50]}: the payload is not as documented ({type(error).__name__})"
        ) from error
    return Received(dedupe=dedupe, changes=changes)


def _payload(delivery: Delivery) -> Payload:
    body = delivery.body
    if delivery.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            body = parse_qs(body.decode(), strict_parsing=True)["payload"][0].encode()
        except (ValueError, KeyError) as error:
            raise Unreadable("the form has no readable payload") from error
    try:
        payload = parsed(body)
    except ValueError as error:
        raise Unreadable("the body is not JSON") from error
    if not isinstance(payload, Mapping):
        raise Unreadable("the body is not an object")
    return payload


def _issues(payload: Payload, site: str) -> Iterator[Change]:
    issue, action = payload["issue"], payload.get("action")
    changes = payload.get("changes") or {}
    ref = issue_ref(issue, site, payload["repository"]["full_name"])
    at, actor = _at(issue), _actor(payload)
    if action == "deleted":
        yield Change(ref=ref, at=at, actor=actor, gone=Gone("deleted event"))
        return
    if action == "transferred":
        to = issue_ref(changes["new_issue"], site, changes["new_repository"]["full_name"])
        yield Change(ref=ref, at=at, actor=actor, moved=Moved(to))
        return
    if action == "opened" and changes.get("old_issue"):
        # The other half of a transfer. It may come first: told alone, it would look like a new issue.
        old = issue_ref(changes["old_issue"], site, changes["old_repository"]["full_name"])
        yield Change(ref=old, at=at, actor=actor, moved=Moved(ref))
    snapshot = _snapshot(issue, site, payload["repository"]["full_name"])
    yield Change(ref=ref, at=at, actor=actor, record=snapshot, previous=_previous(changes))


def _snapshot(issue: Payload, site: str, repository: str) -> Record | None:
    """The issue as the payload shows it: good enough to see that nothing is new, never to act on."""
    try:
        return record(issue, site=site, place=repository, me="")
    except (KeyError, TypeError, ValueError):
        return None


def _pull_request(payload: Payload, site: str) -> Iterator[Change]:
    pull = payload["pull_request"]
    ref = pull_ref(pull, site, payload["repository"]["full_name"])
    previous = _previous(payload.get("changes") or {})
    yield Change(ref=ref, at=_at(pull), actor=_actor(payload), previous=previous)


def _issue_comment(payload: Payload, site: str) -> Iterator[Change]:
    ref = issue_ref(payload["issue"], site, payload["repository"]["full_name"])
    change = Change(ref=ref, at=_at(payload["comment"]), actor=_actor(payload), comments=True)
    if payload.get("action") == "created" and "node_id" in payload["comment"]:
        change = replace(change, new_comments=(comment_ref(payload["comment"], ref),))
    yield change


def _sub_issues(payload: Payload, site: str) -> Iterator[Change]:
    """Told twice, where each of the two lies. No time moves by it, so there is none to compare."""
    repository = payload.get("sub_issue_repo") or payload["repository"]
    yield Change(ref=issue_ref(payload["sub_issue"], site, repository["full_name"]), actor=_actor(payload))


def _dependencies(payload: Payload, site: str) -> Iterator[Change]:
    """Told twice, too; the one that waits is the one whose field it is."""
    repository = payload.get("blocked_issue_repo") or payload["repository"]
    yield Change(
        ref=issue_ref(payload["blocked_issue"], site, repository["full_name"]), actor=_actor(payload)
    )


_READERS: Mapping[str, Callable[[Payload, str], Iterator[Change]]] = {
    "issues": _issues,
    "pull_request": _pull_request,
    "issue_comment": _issue_comment,
    SUB_ISSUES: _sub_issues,
    DEPENDENCIES: _dependencies,
}


def _previous(changes: Mapping[str, Any]) -> Fields:
    """What an edit replaced, as GitHub names it."""
    previous = dict[str, Value]()
    if "from" in (changes.get("title") or {}):
        previous["title"] = " ".join(str(changes["title"]["from"]).split())
    if "from" in (changes.get("body") or {}):
        previous["notes"] = parted(changes["body"]["from"]).text
    return previous


def _at(payload: Payload) -> datetime | None:
    updated_at = payload.get("updated_at")
    return instant(updated_at) if updated_at else None


def _actor(payload: Payload) -> str | None:
    sender = payload.get("sender") or {}
    return str(sender["login"]) if sender.get("login") else None
