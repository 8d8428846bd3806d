"""Reads one request of a person: shortcuts, modals, buttons, menus, commands. Pure.

https://docs.slack.dev/interactivity/handling-user-interaction: each is signed over time and raw body,
form-encoded; commands are the form itself, everything else is JSON in its field ``payload``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from connectors.answers import parsed
from connectors.changes import Delivery
from connectors.errors import BadSignature, Unreadable
from connectors.interactions import Interaction
from connectors.signing import matches, within_window

COMMAND = "command"
_MOST_FIELDS = 100
_NEEDED = {
    "message_action": ("trigger_id", "callback_id", "message", "channel", "user"),
    "shortcut": ("trigger_id", "callback_id", "user"),
    "view_submission": ("view", "user"),
    "view_closed": ("view", "user"),
    "block_actions": ("trigger_id", "actions", "user"),
    "block_suggestion": ("action_id", "user"),
}


def verify(delivery: Delivery, secret: str, now: datetime) -> None:
    """Raises BadSignature: wrong, missing, or more than five minutes off.

    https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    timestamp = delivery.headers.get("x-slack-request-timestamp", "")
    signed = b"v0:" + timestamp.encode(errors="replace") + b":" + delivery.body
    if not matches(secret, signed, delivery.headers.get("x-slack-signature"), "v0="):
        raise BadSignature("the signature is wrong or missing")
    if not within_window(timestamp, now):
        raise BadSignature("the request is too old")


def read(delivery: Delivery, secret: str, now: datetime) -> Interaction:
    """One request.

    Raises:
        BadSignature: not from Slack, or too old.
        Unreadable: signed, but not what Slack documents.
    """
    verify(delivery, secret, now)
    try:
        form = dict(parse_qsl(delivery.body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        return of_payload(parsed(form["payload"].encode())) if "payload" in form else of_command(form)
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"unexpected body: {type(error).__name__}") from error


def of_command(form: dict[str, str]) -> Interaction:
    """A slash command, as its form or as an envelope of Socket Mode has it."""
    for name in ("command", "text", "user_id", "channel_id", "trigger_id"):
        str(form[name])
    return Interaction(kind=COMMAND, payload=form)


def of_payload(payload: dict[str, Any]) -> Interaction:
    """Everything but commands; kinds that the app does not offer are answered with nothing."""
    kind = str(payload["type"])
    for name in _NEEDED.get(kind, ()):
        payload[name]
    str(payload["user"]["id"])
    return Interaction(kind=kind, payload=payload)
