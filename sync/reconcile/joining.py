"""Two rules may write to one set: labels, and a choice that is shown by one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sync.reconcile.elements import words
from sync.reconcile.model import FieldWrite
from sync.reconcile.sides import Side


def joined_writes(writes: Sequence[FieldWrite]) -> tuple[FieldWrite, ...]:
    """The same writes; those to one field all hold what each of them adds and none what one removes."""
    fields: dict[tuple[Side, str], list[FieldWrite]] = {}
    for write in writes:
        fields.setdefault((write.side, write.field), []).append(write)
    return tuple(
        replace(write, value=_together(fields[write.side, write.field]))
        if len(fields[write.side, write.field]) > 1 and isinstance(write.value, tuple)
        else write
        for write in writes
    )


def _together(writes: Sequence[FieldWrite]) -> tuple[str, ...]:
    before = words(writes[0].before)
    added = [word for write in writes for word in words(write.value) if word not in before]
    removed = {word for write in writes for word in before if word not in words(write.value)}
    return tuple(dict.fromkeys([*(word for word in before if word not in removed), *added]))
