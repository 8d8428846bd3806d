"""What GitHub's refusals mean.

Sources: docs.github.com, "Rate limits for the REST API", "Troubleshooting the REST API".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from connectors.answers import Answer, http_date, provider_message, retry_after
from connectors.errors import (
    ConnectorError,
    Park,
    ParkClass,
    PauseConnection,
    PauseMapping,
    ReplanNeeded,
    RetryLater,
)
from connectors.github.fields import TYPE
from connectors.github.translate import is_container

_WITHOUT_A_TIME_S = 60.0
"""GitHub: without retry-after and reset wait at least a minute."""
_LONGEST_S = 3_700.0
"""The primary limit starts anew each hour."""

_NEUTRAL = {
    "title": "title",
    "body": "notes",
    "state": "state",
    "state_reason": "state",
    "assignee": "assignee",
    "assignees": "assignee",
    "label": "labels",
    "labels": "labels",
    "milestone": "milestone",
    "type": TYPE,
}

WRITE_ACCESS = (
    "Give the account write access to the repository, and the token the permission Issues: read and write."
)

UNARCHIVE = "Unarchive the repository, then retry."

UNREACHABLE = frozenset({403, 404, 410, 451})
"""Statuses of a container that is gone, blocked, or not ours to see."""
_NOT_RELATED = frozenset({404, 405, 501})
_NOT_VALID = 422


class Refusals:
    """Reads refusals of one connection. It remembers one thing: how long it was silent without being told.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._length_s = 0.0
        self._silent_until = 0.0

    def __call__(self, answer: Answer, write: bool) -> ConnectorError | None:
        """The error an answer means where GitHub says more than its status; None for the general table."""
        message = provider_message(answer.data)
        if answer.status in (403, 429) and _is_limit(answer, message):
            after = _told_s(answer.headers)
            return RetryLater(
                f"GitHub's rate limit is reached: {message or answer.status}",
                after=self._untold_s() if after is None else after,
                limited=True,
                provider_message=message,
                status=answer.status,
            )
        return _refused(answer, write, message)

    def _untold_s(self) -> float:
        """A minute, then twice as long each time it was not enough.

        Requests that were under way together are refused together: they count as one.
        """
        now = self._clock()
        if now < self._silent_until:
            return self._silent_until - now
        in_a_row = now < self._silent_until + self._length_s
        self._length_s = min(2 * self._length_s, _LONGEST_S) if in_a_row else _WITHOUT_A_TIME_S
        self._silent_until = now + self._length_s
        return self._length_s


def is_suspended(message: str) -> bool:
    """Whether the account, or the installation of an app, is shut out as a whole."""
    return "suspended" in message.lower()


def _refused(answer: Answer, write: bool, message: str) -> ConnectorError | None:
    if answer.status == 403 and is_suspended(message):
        return PauseConnection(f"GitHub says: {message}", provider_message=message, status=403)
    if answer.status == 403:
        return Park(
            f"GitHub does not allow this: {message or 'no reason given'}",
            park_class=ParkClass.PERMISSION,
            fix=UNARCHIVE if "archived" in message else _permission_fix(answer.headers),
            provider_message=message,
            status=403,
        )
    if answer.status == 410 and write:
        return ReplanNeeded("GitHub says that it is gone", provider_message=message, status=410)
    if answer.status == 422:
        return Park(
            f"GitHub refuses the values: {message or 'no reason given'}",
            field=_field(answer.data),
            provider_message=message,
            status=422,
        )
    return None


@contextmanager
def of_container(container: str, statuses: Collection[int] = UNREACHABLE) -> Iterator[None]:
    """Refusals inside mean the whole repository."""
    if not is_container(container):
        raise PauseMapping(f"{container!r} is no repository: write owner/name")
    try:
        yield
    except (Park, ReplanNeeded) as refused:
        if refused.status not in statuses:
            raise
        what = "issues are switched off there" if refused.status == 410 else "the account cannot reach it"
        raise PauseMapping(
            f"repository {container}: {what} ({refused.reason})",
            provider_message=refused.provider_message,
            status=refused.status,
        ) from refused


def lacking(scopes: frozenset[str]) -> Iterator[str]:
    """What a classic token cannot do. Source: docs.github.com, "Scopes for OAuth apps"."""
    if "repo" in scopes:
        return
    if "public_repo" not in scopes:
        yield "The token has not the scope repo: issues cannot be written, private repositories not be read."
        return
    yield "The token has not the scope repo: private repositories cannot be synced."
    if not scopes & {"admin:repo_hook", "write:repo_hook"}:
        yield "The token has not the scope admin:repo_hook: no webhooks, changes are found by polling."


_NEEDED = {
    "issues": ("Issues: read and write", "issues and comments cannot be written"),
    "pull_requests": ("Pull requests: read and write", "pull requests cannot be changed"),
    "repository_hooks": ("Webhooks: read and write", "no webhooks, changes are found by polling"),
}
"""What an app is given, what it is called on its settings page, and what goes without it."""


def lacking_of_app(permissions: Mapping[str, str]) -> Iterator[str]:
    """What the installation of an app cannot do."""
    for name, (called, cost) in _NEEDED.items():
        if permissions.get(name) != "write":
            yield f"The GitHub App has not the permission {called}: {cost}."


def _is_limit(answer: Answer, message: str) -> bool:
    headers, text = answer.headers, message.lower()
    return (
        answer.status == 429
        or "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in text
        or "abuse detection" in text
    )


def _told_s(headers: Mapping[str, str]) -> float | None:
    """How long GitHub asks for silence; None where it does not say."""
    after = retry_after(headers)
    if after is not None:
        return after
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        date = http_date(headers.get("date", ""))
        now = date.timestamp() if date else time.time()
        return min(max(float(reset) - now, 1.0), _LONGEST_S)
    return None


def _permission_fix(headers: Mapping[str, str]) -> str:
    needed = headers.get("x-accepted-github-permissions", "")
    if needed:
        return f"Give the token the permission {needed}."
    scopes = headers.get("x-accepted-oauth-scopes", "")
    if scopes:
        return f"Give the token one of the scopes {scopes}."
    return WRITE_ACCESS


def _field(data: object) -> str | None:
    """The neutral field that the first telling entry of ``errors`` is about."""
    errors = data.get("errors") if isinstance(data, Mapping) else None
    for error in errors if isinstance(errors, list) else ():
        if not isinstance(error, Mapping):
            continue
        name = "labels" if error.get("resource") == "Label" else str(error.get("field"))
        if name in _NEUTRAL:
            return _NEUTRAL[name]
    return None


def related(refused: Park, what: str, field: str, misplaced: str) -> Park:
    """What it means that GitHub does not relate two issues to each other.

    Args:
        what: how GitHub calls such relations; ``field`` is ours.
        misplaced: what to do where the relation is not allowed.
    """
    if refused.status in _NOT_RELATED:
        return Park(
            f"This GitHub has no {what}, or does not show one of the issues to the account",
            park_class=ParkClass.NOT_SUPPORTED,
            fix=f"Take the field {field} out of the mapping, or give the account access to both issues.",
            provider_message=refused.provider_message,
        )
    if refused.status == _NOT_VALID:
        refused.fix = misplaced
    return refused
