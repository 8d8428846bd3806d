"""Reads one call of Slack: an event, the check of the address, or what a person did. Pure.

https://docs.slack.dev/apis/events-api; signed as
https://docs.slack.dev/authentication/verifying-requests-from-slack says, before anything is parsed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from connectors.answers import parsed
from connectors.changes import Change, Delivery, Echo, Received, Secrets
from connectors.errors import BadSignature, Unreadable
from connectors.records import Gone, Ref
from connectors.signing import matches, within_window
from connectors.slack.places import message_ref, moment, reply_ref, thread_ref

Payload: TypeAlias = Mapping[str, Any]

_DELETED = Gone("Slack told that the message was deleted")
_SAID = frozenset({"", "file_share", "me_message", "bot_message", "thread_broadcast"})
_REACTED = frozenset({"reaction_added", "reaction_removed"})
_SHOWN = ("text", "blocks", "files", "subtype", "attachments")
"""What a message says; everything else about it may change by itself."""
_FORM = "application/x-www-form-urlencoded"


def receive(delivery: Delivery, secrets: Secrets, team: str, now: datetime) -> Received | Echo:
    """What the call says has changed.

    Raises:
        BadSignature: not signed with one of the secrets, or more than five minutes old.
        Unreadable: signed, but not what Slack documents.
    """
    check(delivery, secrets, now)
    digest = hashlib.sha256(delivery.body).hexdigest()
    if delivery.headers.get("content-type", "").startswith(_FORM):
        return Received(dedupe=digest, ignored=f"nobody waits for {_action(delivery.body)}")
    try:
        body = parsed(delivery.body)
        if not isinstance(body, Mapping):
            raise TypeError
        return read(body, team, digest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"unexpected body: {type(error).__name__}") from error


def check(delivery: Delivery, secrets: Secrets, now: datetime) -> None:
    """Raises BadSignature where Slack did not send it just now."""
    timestamp = delivery.headers.get("x-slack-request-timestamp", "")
    signed = b"v0:" + timestamp.encode(errors="replace") + b":" + delivery.body
    if not matches(secrets.active, signed, delivery.headers.get("x-slack-signature"), "v0="):
        raise BadSignature("the signature is wrong or missing")
    if not within_window(timestamp, now):
        raise BadSignature("the call is too old")


def read(body: Payload, team: str, digest: str) -> Received | Echo:
    """A call or an envelope of Socket Mode whose origin is certain. ``digest``: its id where it has none.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: not what Slack documents.
    """
    kind = str(body.get("type", ""))
    if kind == "url_verification":
        return Echo(str(body["challenge"]))
    if kind == "app_rate_limited":
        return Received(
            dedupe=digest, ignored="Slack leaves events out for a minute; polling makes up for it"
        )
    if kind != "event_callback":
        return Received(dedupe=digest, ignored=f"{kind or 'a call without a type'} is not synced")
    event: Payload = body["event"]
    ours = _ours(body, event)
    dedupe = str(body.get("event_id") or digest)
    try:
        if event.get("type") == "message":
            return _message(event, team, ours, dedupe)
        if event.get("type") in _REACTED:
            return _reaction(event, team, ours, dedupe)
    except KeyError as missing:
        return Received(dedupe=dedupe, ignored=f"the {event['type']} tells no {missing.args[0]}")
    return Received(dedupe=dedupe, ignored=f"{event.get('type')} is not synced")


def _ours(body: Payload, event: Payload) -> bool:
    """Whether the app itself did it: messages tell the app, everything else the app's user."""
    said = event.get("message") if isinstance(event.get("message"), Mapping) else event
    app = body.get("api_app_id")
    if app and said is not None and said.get("app_id") == app:
        return True
    bots = {each.get("user_id") for each in body.get("authorizations") or () if each.get("is_bot")}
    return event.get("type") != "message" and event.get("user") in bots


def _message(event: Payload, team: str, ours: bool, dedupe: str) -> Received:
    """In a shared channel Slack tells once for each workspace, under different ids."""
    channel, subtype = str(event["channel"]), str(event.get("subtype") or "")
    at = str(event.get("ts") or event.get("event_ts") or "")
    if at:
        dedupe = f"{channel}:{at}:{subtype}"
    if ours:
        return Received(dedupe=dedupe, container=channel, ignored="our own message")
    change: Change | None = None
    if subtype in _SAID:
        change = _said(event, channel, team)
    elif subtype == "message_changed":
        change = _changed(event, channel, team)
    elif subtype == "message_deleted":
        change = _deleted(event, channel, team)
    else:
        return Received(dedupe=dedupe, container=channel, ignored=f"{subtype} is not synced")
    if change is None:
        return Received(dedupe=dedupe, container=channel, ignored="nothing that it says has changed")
    return Received(dedupe=dedupe, container=channel, changes=(change,))


def _said(event: Payload, channel: str, team: str) -> Change:
    ts, thread = str(event["ts"]), str(event.get("thread_ts") or event["ts"])
    new = (reply_ref(team, channel, ts, thread),) if thread != ts else ()
    return Change(
        ref=thread_ref(team, channel, thread),
        at=moment(ts),
        actor=event.get("user"),
        comments=bool(new),
        new_comments=new if not event.get("files") else (),
    )


def _changed(event: Payload, channel: str, team: str) -> Change | None:
    """Slack also tells of previews, counts and languages: then nothing that is said differs."""
    after: Payload = event["message"]
    before: Payload = event.get("previous_message") or {}
    deleted = after.get("subtype") == "tombstone"
    if before and not deleted and all(after.get(name) == before.get(name) for name in _SHOWN):
        return None
    ref, reply = _thread(after, channel, team)
    actor = (after.get("edited") or {}).get("user")
    gone = _DELETED if deleted and not reply else None
    return Change(ref=ref, at=_moment(event), actor=actor, comments=reply, gone=gone)


def _deleted(event: Payload, channel: str, team: str) -> Change:
    before: Payload = event.get("previous_message") or {}
    ref, reply = _thread({**before, "ts": event["deleted_ts"]}, channel, team)
    return Change(ref=ref, at=_moment(event), comments=reply, gone=None if reply else _DELETED)


def _thread(message: Payload, channel: str, team: str) -> tuple[Ref, bool]:
    """The thread that a message is in, and whether it is a reply there."""
    ts = str(message["ts"])
    thread = str(message.get("thread_ts") or ts)
    return thread_ref(team, channel, thread), thread != ts


def _reaction(event: Payload, team: str, ours: bool, dedupe: str) -> Received:
    item: Payload = event["item"]
    if item.get("type") != "message":
        return Received(dedupe=dedupe, ignored=f"a reaction to a {item.get('type')} is not synced")
    channel = str(item["channel"])
    if ours:
        return Received(dedupe=dedupe, container=channel, ignored="our own reaction")
    ref = message_ref(team, channel, str(item["ts"]))
    change = Change(ref=ref, at=_moment(event), actor=event.get("user"))
    return Received(dedupe=dedupe, container=channel, changes=(change,))


def _moment(event: Payload) -> datetime | None:
    at = event.get("event_ts") or event.get("ts")
    return moment(str(at)) if at else None


def _action(body: bytes) -> str:
    """What a person did, for the log."""
    form = parse_qs(body.decode(errors="replace"))
    if "payload" not in form:
        return f"the command {form.get('command', ['without a name'])[0]}"
    try:
        return str(json.loads(form["payload"][0]).get("type", "an action"))
    except (ValueError, AttributeError, RecursionError):
        return "an action that cannot be read"
