"""How work on one object ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do; the marks go. ``did``: something was written or settled."""

    did: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """Look again in so many seconds. ``attempt``: it counts towards backing off and parking.

    ``held_by``: what forbade a write: budget | paused.
    """

    seconds: float
    reason: str
    attempt: bool = True
    recheck: bool = False
    held_by: str = ""


Outcome = Done | Later
DONE = Done()
DID = Done(did=True)


class Halted(Exception):
    """This write must not start now: paused, changed mapping, lost lease. Nothing was sent.

    ``held_by`` as in :class:`Later`.
    """

    def __init__(self, reason: str, *, held_by: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.held_by = held_by


class TooOld(Halted):
    """What was read is too old by now to write over it: it is read again, with more patience each time."""
