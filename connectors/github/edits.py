"""What creating and changing an issue takes: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import Park, ParkClass
from connectors.github.text import harmless, storable, with_keys
from connectors.github.translate import FIELDS, PULL, names, without
from connectors.records import CLOSED, OPEN, Draft, Fields, Key, Record, Value

CLOSING: Mapping[str, str] = {"state": "closed", "state_reason": "completed"}
_REOPENING: Mapping[str, str] = {"state": "open", "state_reason": "reopened"}
_WRITABLE = frozenset(spec.name for spec in FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The calls an update needs: one PATCH, and sets element by element, because arrays replace."""

    patch: Mapping[str, Any] = field(default_factory=dict)
    labels_added: tuple[str, ...] = ()
    labels_removed: tuple[str, ...] = ()
    assignees_added: tuple[str, ...] = ()
    assignees_removed: tuple[str, ...] = ()


def creation(draft: Draft, key: Key, milestone: int | None = None) -> Mapping[str, Any]:
    """The body that makes the issue; it is always made open. ``milestone``: the number of the draft's."""
    _refuse_unknown(draft.fields)
    return {
        **({} if milestone is None else {"milestone": milestone}),
        "title": _line(draft.fields.get("title")),
        "body": with_keys(harmless(str(draft.fields.get("notes") or "")), [key.token]),
        "labels": list(names(draft.fields.get("labels"))),
        "assignees": list(names(draft.fields.get("assignee"))),
    }


def edit(fields: Fields, expected: Record, standing: str = "", milestone: int | None = None) -> Edit:
    """The difference between these fields and what is expected to stand there.

    Args:
        standing: the body's present source, for :func:`connectors.github.text.harmless`.
        milestone: the number of the milestone that the fields name, None for none.

    Raises:
        Park: a field GitHub has no place for, or the state of a pull request.
    """
    _refuse_unknown(fields)
    if expected.ref.kind == PULL and "state" in fields:
        raise Park(
            "a pull request is never closed or reopened from here",
            park_class=ParkClass.NOT_SUPPORTED,
            field="state",
            fix="Close, merge or reopen it on GitHub.",
        )
    patch: dict[str, Any] = {}
    if "title" in fields:
        patch["title"] = _line(fields["title"])
    if "notes" in fields:
        patch["body"] = with_keys(harmless(str(fields["notes"] or ""), standing), expected.keys)
    if fields.get("state") in (OPEN, CLOSED):
        patch |= CLOSING if fields["state"] == CLOSED else _REOPENING
    if "milestone" in fields:
        patch["milestone"] = milestone
    labels_added, labels_removed = _difference("labels", fields, expected)
    assignees_added, assignees_removed = _difference("assignee", fields, expected)
    return Edit(
        patch=patch,
        labels_added=labels_added,
        labels_removed=labels_removed,
        assignees_added=assignees_added,
        assignees_removed=assignees_removed,
    )


def _difference(name: str, fields: Fields, expected: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if name not in fields:
        return (), ()
    wanted, standing = names(fields[name]), names(expected.fields.get(name))
    return without(wanted, standing), without(standing, wanted)


def _line(title: Value) -> str:
    return " ".join(storable(str(title or "")).split())


def _refuse_unknown(fields: Fields) -> None:
    for name in sorted(set(fields) - _WRITABLE):
        raise Park(
            f"issues on GitHub have no field {name}",
            park_class=ParkClass.NOT_SUPPORTED,
            field=name,
            fix="Leave the field out of the mapping.",
        )
