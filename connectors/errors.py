"""Errors that say what the caller must do next.

ConnectorError
├── RetryLater        try the same again later: limited, unavailable, unreadable answer to a read
├── ReplanNeeded      the object moved on since it was read: read again, plan again
├── OutcomeUnknown    a write may or may not have happened: look before doing anything else
├── Park              this object or field needs a person: rejected, not supported, ambiguous, permission
│   └── OnlyLinked    a file whose bytes cannot be copied: a link to it can
├── PauseMapping      the container is gone or not ours
└── PauseConnection   the credentials do not work, or the account is not the pinned one

DeliveryRefused       a webhook call that must not be stored
├── BadSignature      answered 401
└── Unreadable        answered 400
"""

from __future__ import annotations

from enum import StrEnum


class ParkClass(StrEnum):
    """Why something waits for a person."""

    REJECTED = "rejected"
    NOT_SUPPORTED = "not_supported"
    AMBIGUOUS = "ambiguous"
    PERMISSION = "permission"
    LOOP = "loop"


class ConnectorError(Exception):
    """Base of all errors a connector raises.

    Args:
        reason: one sentence in plain words, without secrets.
        provider_message: the provider's own message, redacted, whole.
        status: the HTTP status behind it, where there was one.
    """

    def __init__(self, reason: str, *, provider_message: str = "", status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.provider_message = provider_message
        self.status = status


class RetryLater(ConnectorError):
    """Nothing happened; the same call may go through later.

    ``after`` are seconds, None where the provider did not say. ``limited`` tells that the provider
    asked the whole connection to be silent for that long (429, secondary limit).
    """

    def __init__(
        self,
        reason: str,
        *,
        after: float | None = None,
        limited: bool = False,
        provider_message: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(reason, provider_message=provider_message, status=status)
        self.after = after
        self.limited = limited


class ReplanNeeded(ConnectorError):
    """A precondition failed: somebody changed the object after it was read."""


class OutcomeUnknown(ConnectorError):
    """Writes only: timeout, reset, 5xx or an unreadable 2xx. It may have happened."""


class Park(ConnectorError):
    """The provider refuses this for good; only a person can help.

    ``field`` names the neutral field at fault where the provider told it. ``fix`` says what to do.
    """

    def __init__(
        self,
        reason: str,
        *,
        park_class: ParkClass = ParkClass.REJECTED,
        field: str | None = None,
        fix: str = "",
        provider_message: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(reason, provider_message=provider_message, status=status)
        self.park_class = park_class
        self.field = field
        self.fix = fix


class OnlyLinked(Park):
    """The bytes of this file cannot be copied (too many, or kept elsewhere): a link to it can."""


class PauseMapping(ConnectorError):
    """The container does not exist any more, or the account may not see it."""


class PauseConnection(ConnectorError):
    """The credentials are dead (401), or they belong to another account than the pinned one."""


class DeliveryRefused(Exception):
    """A webhook call that is not stored; ``reason`` is for the log, never for the sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadSignature(DeliveryRefused):
    """Missing, malformed or wrong signature, or outside the replay window."""


class Unreadable(DeliveryRefused):
    """Signed, but not what the provider documents."""
