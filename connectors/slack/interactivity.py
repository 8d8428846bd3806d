"""Reads one request of a person: shortcuts, modals, buttons, menus, commands; writes answers. Pure.

https://docs.slack.dev/interactivity/handling-user-interaction: each is signed over time and raw body,
form-encoded; commands are the form itself, everything else is JSON in its field ``payload``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from connectors.answers import parsed
from connectors.changes import Delivery, Secrets
from connectors.errors import Unreadable
from connectors.interactions import Answer, Interaction
from connectors.slack.webhook import check

COMMAND = "command"
_MOST_FIELDS = 100
_CERTIFICATE_CHECK = b"ssl_check=1"
_NEEDED = {
    "message_action": ("trigger_id", "message", "channel", "user"),
    "view_submission": ("view", "user"),
    "block_actions": ("trigger_id", "actions", "user"),
    "block_suggestion": ("action_id", "view", "user"),
}
"""Types that are offered, and what each must hold."""
CREATE, ATTACH, COMMENT = "create_task", "attach_task", "comment_task"
"""Callback ids of the modals; the first is also that of the message shortcut."""
COMPLETE, REOPEN, ASSIGN, SAY = "card_complete", "card_reopen", "card_assign", "card_comment"
BUTTONS = frozenset({COMPLETE, REOPEN, ASSIGN, SAY})
"""Action ids of a card."""
_NOTHING = Interaction(kind="", payload={})
"""What is answered with nothing."""


def read(delivery: Delivery, secrets: Secrets, now: datetime) -> Interaction:
    """One request.

    Now and then Slack only looks at the certificate of a command's address, and wants 200. That call may be
    unsigned, and nothing is done for it: https://docs.slack.dev/interactivity/implementing-slash-commands.

    Raises:
        BadSignature: not from Slack, or too old.
        Unreadable: signed, but not what Slack documents.
    """
    if _CERTIFICATE_CHECK in delivery.body.split(b"&"):
        return _NOTHING
    check(delivery, secrets, now)
    try:
        form = dict(parse_qsl(delivery.body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        return of_payload(parsed(form["payload"].encode())) if "payload" in form else of_command(form)
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"unexpected body: {type(error).__name__}") from error


def of_command(form: dict[str, str]) -> Interaction:
    """A slash command, as its form or as an envelope of Socket Mode has it."""
    for name in ("command", "user_id", "channel_id", "trigger_id"):
        str(form[name])
    return Interaction(kind=COMMAND, payload={"text": "", **form})


def of_payload(payload: dict[str, Any]) -> Interaction:
    """Everything but commands. What the app does not offer has no kind, and is answered with nothing."""
    kind = str(payload["type"])
    if not _is_offered(payload):
        return _NOTHING
    for name in _NEEDED[kind]:
        payload[name]
    str(payload["user"]["id"])
    return Interaction(kind=kind, payload=payload)


def _is_offered(payload: dict[str, Any]) -> bool:
    if payload["type"] not in _NEEDED:
        return False
    callback = (payload.get("view") or payload).get("callback_id")
    pressed = [action.get("action_id") for action in payload.get("actions") or ()]
    return callback in (CREATE, ATTACH, COMMENT) or not BUTTONS.isdisjoint(pressed)


def answered(document: Mapping[str, Any]) -> Answer:
    """What Slack gets at once."""
    return Answer(headers={"content-type": "application/json"}, body=json.dumps(document).encode())


def told(message: Mapping[str, Any]) -> Answer:
    """To a command: what its sender alone gets to see, also where the app is not in the channel."""
    return answered({"response_type": "ephemeral", **message})
