"""What a write of ours replaced without anybody having read it: the provider's history tells. Pure.

Between our read and our write a person may have edited the field. The history then shows our write over
a value that is neither what we had read nor what we had written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.records import FieldTime, Value
from sync.reconcile.model import Same

_READ_BEFORE = timedelta(seconds=10)
"""So long before the intent of a write what it goes by may have been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one write of ours put into a field.

    ``known``: what stood there as far as we knew: what had been read, and what we wrote lately. ``since``
    and ``until``: between these times, by the provider's clock, the write arrived.
    """

    field: str
    value: Value
    known: Sequence[Value]
    since: datetime
    until: datetime


def replaced_unseen(
    sent: Sent, edits: Iterable[FieldTime], same: Same, own: Collection[str | None]
) -> FieldTime | None:
    """The edit that the write replaced: its value as ``after``, and who made it when, as far as is told.

    Args:
        edits: oldest first, be it within one second.
        own: what our account is called. A person may have written the very same value about then.
    """
    told = [each for each in edits if each.field == sent.field]
    arrivals = [
        place
        for place, each in enumerate(told)
        if each.has_values
        and sent.since <= each.at <= sent.until
        and same(sent.field, sent.value, each.after)
    ]
    ours = [place for place in arrivals if _by(told[place]) in own] or arrivals
    if not ours:
        return None
    arrived = told[ours[-1]]
    if any(same(sent.field, value, arrived.before) for value in sent.known):
        return None
    for each in reversed(told[: ours[-1]]):
        if each.has_values and each.after == arrived.before:
            return each
    return replace(arrived, author=None, before=None, after=arrived.before)


def is_doubtful(sent: Sent, edits: Iterable[FieldTime], own: Collection[str | None]) -> bool:
    """Whether somebody may have edited the field about then, of whom it is not told what was written.

    Our write is one entry, by one of our ``own`` names: any other is somebody's, who may share the account.
    """
    about_then = [
        each
        for each in edits
        if each.field == sent.field
        and not each.has_values
        and sent.since - _READ_BEFORE <= each.at <= sent.until
    ]
    return len(about_then) > 1 or any(_by(each) not in own for each in about_then)


def _by(edit: FieldTime) -> str | None:
    return edit.author.id if edit.author else None
