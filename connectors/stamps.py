"""What a write carries on its way out: whom it leads back to, and who still has to allow it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias

Permit: TypeAlias = Callable[[], Awaitable[None]]
"""Raises where a write must not be sent now."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """``text`` goes into the User-Agent."""

    text: str = ""
    permit: Permit | None = None


_stamp: ContextVar[Stamp] = ContextVar("stamp", default=Stamp())  # noqa: B039 (frozen)


@contextmanager
def stamped(write_id: str, mapping: str, permit: Permit | None = None) -> Iterator[None]:
    """Writes inside carry these two in their User-Agent, so that a provider's log leads back to the reason.

    Args:
        write_id: id of the write in the write log.
        mapping: ``ID@VERSION`` of the mapping.
        permit: asked right before each write is sent, after any waiting for the limits; what it raises
            is raised from ``send``, and that write was not sent.
    """
    token = _stamp.set(Stamp(f" (write={write_id}; mapping={mapping})", permit))
    try:
        yield
    finally:
        _stamp.reset(token)


def stamp() -> Stamp:
    """The one of the write that is under way, an empty one outside."""
    return _stamp.get()
