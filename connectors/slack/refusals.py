"""What Slack's errors mean: ``{"ok": false, "error": ...}``, with the status 200. Pure.

https://docs.slack.dev/reference/methods lists them below each method.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.answers import SILENCE_S, Answer
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    ParkClass,
    PauseConnection,
    PauseMapping,
    ReplanNeeded,
    RetryLater,
)

_DEAD = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "org_login_required",
        "ekm_access_denied",
        "team_access_not_granted",
        "not_allowed_token_type",
    }
)
_NO_APP = frozenset({"invalid_client_id", "bad_client_secret", "invalid_client"})
_UNAVAILABLE = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_INVITE = "type /invite @asana-sync there, then resume the mapping"
NOT_IN_CHANNEL = "not_in_channel"
_NO_CHANNEL: Mapping[str, str] = {
    "channel_not_found": f"the channel does not exist, or the app may not see it: {_INVITE}",
    NOT_IN_CHANNEL: f"the app is not in the channel: {_INVITE}",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "team_not_found": "the workspace is not ours",
}
_NO_MESSAGE = frozenset({"message_not_found", "thread_not_found"})
_NOT_OURS: Mapping[str, str] = {
    "cant_update_message": "Slack lets nobody change a message but its author",
    "cant_delete_message": "Slack lets the app delete its own messages alone",
    "edit_window_closed": "the workspace does not let messages be changed any more after this time",
    "restricted_action": "the workspace does not allow it",
}
_FILE_GONE = frozenset({"file_not_found", "file_deleted"})


def meaning(answer: Mapping[str, Any], *, write: bool) -> ConnectorError:
    """The error that an answer with ``ok: false`` means."""
    error = str(answer.get("error", "unknown"))
    details = "; ".join(map(str, (answer.get("response_metadata") or {}).get("messages", ())))
    message = f"{error}: {details}" if details else error
    reason = f"Slack answered {message}"
    if error in _DEAD:
        return PauseConnection(reason, provider_message=message, status=401)
    if error in _LIMITED:
        return RetryLater(reason, after=SILENCE_S, limited=True, provider_message=message)
    if error in _UNAVAILABLE:
        return (OutcomeUnknown if write else RetryLater)(reason, provider_message=message)
    if error in _NO_CHANNEL:
        return PauseMapping(_NO_CHANNEL[error], provider_message=message)
    if error in _NO_MESSAGE and write:
        return ReplanNeeded("the message is gone", provider_message=message)
    if error in _NO_MESSAGE or error in _FILE_GONE:
        return Park("it is gone, or the app may not see it", park_class=ParkClass.PERMISSION)
    if error == "missing_scope":
        fix = f"add the scope {answer.get('needed', '')} to the app and install it again"
        return Park(reason, park_class=ParkClass.PERMISSION, fix=fix, provider_message=message)
    if error in _NOT_OURS:
        return Park(_NOT_OURS[error], park_class=ParkClass.PERMISSION, provider_message=message)
    fix = "" if write else "Find out what it means at https://docs.slack.dev/reference/methods, then retry."
    return Park(reason, fix=fix, provider_message=message)


def no_tokens(answer: Answer) -> ConnectorError | None:
    """Why ``oauth.v2.access`` hands out no tokens that can be renewed; None where it does."""
    data = answer.data if isinstance(answer.data, Mapping) else {}
    if data.get("ok") is not True:
        error = str(data.get("error", "unknown"))
        reason = f"Slack answered {error}"
        if error in _NO_APP:
            return PauseConnection(reason, provider_message=error, status=401)
        refusal = meaning(data, write=False)
        return refusal if isinstance(refusal, RetryLater) else Park(reason, provider_message=error)
    if not data.get("refresh_token"):
        return Park("the app has no token rotation: switch it on, or use bot_token", provider_message="")
    return None
