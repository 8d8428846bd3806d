"""What creating and changing an issue takes: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import Park, ParkClass
from connectors.github.body import composed
from connectors.github.field_edits import issue_field_values, patch, reason_of
from connectors.github.fields import Choices, specs
from connectors.github.text import harmless, storable
from connectors.github.translate import PULL, names, without
from connectors.records import Backlink, Draft, Fields, Key, Record, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The calls an update needs: one PATCH, and sets element by element, because arrays replace.

    ``values``: issue fields by name, their id at GitHub, and the value; None empties it.
    """

    patch: Mapping[str, Any] = field(default_factory=dict)
    labels_added: tuple[str, ...] = ()
    labels_removed: tuple[str, ...] = ()
    assignees_added: tuple[str, ...] = ()
    assignees_removed: tuple[str, ...] = ()
    values: tuple[tuple[str, int, str | float | list[str] | None], ...] = ()


def creation(draft: Draft, key: Key, choices: Choices) -> Mapping[str, Any]:
    """The body that makes the issue; it is always made open."""
    _refuse_unknown(draft.fields, choices)
    backlink = Backlink(key.url, key.label) if key.backlink else None
    body = {
        "title": _line(draft.fields.get("title")),
        "body": composed(harmless(str(draft.fields.get("notes") or "")), [key.token], backlink),
        "labels": list(names(draft.fields.get("labels"))),
        "assignees": list(names(draft.fields.get("assignee"))),
        **{name: value for name, value in patch(draft.fields, choices) if value is not None},
    }
    values = [
        {"field_id": id, "value": value}
        for _, id, value in issue_field_values(draft.fields, choices.fields)
        if value is not None
    ]
    return {**body, "issue_field_values": values} if values else body


def edit(fields: Fields, expected: Record, choices: Choices, standing: str = "") -> Edit:
    """The difference between these fields and what is expected to stand there.

    Args:
        standing: the body's present source, for :func:`connectors.github.text.harmless`.

    Raises:
        Park: a field GitHub has no place for, or the state of a pull request.
    """
    _refuse_unknown(fields, choices)
    if expected.ref.kind == PULL:
        _refuse_of_pull(set(fields) & expected.read_only)
    changes: dict[str, Any] = {}
    if "title" in fields:
        changes["title"] = _line(fields["title"])
    if "notes" in fields:
        changes["body"] = composed(
            harmless(str(fields["notes"] or ""), standing), expected.keys, expected.backlink
        )
    changes |= {**reason_of(fields, expected), **dict(patch(fields, choices))}
    labels_added, labels_removed = _difference("labels", fields, expected)
    assignees_added, assignees_removed = _difference("assignee", fields, expected)
    return Edit(
        patch=changes,
        labels_added=labels_added,
        labels_removed=labels_removed,
        assignees_added=assignees_added,
        assignees_removed=assignees_removed,
        values=tuple(issue_field_values(fields, choices.fields)),
    )


def _difference(name: str, fields: Fields, expected: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if name not in fields:
        return (), ()
    wanted, standing = names(fields[name]), names(expected.fields.get(name))
    return without(wanted, standing), without(standing, wanted)


def _line(title: Value) -> str:
    return " ".join(storable(str(title or "")).split())


def _refuse_of_pull(names: Collection[str]) -> None:
    for name in sorted(names, reverse=True):
        raise Park(
            "a pull request is never closed or reopened from here"
            if name == "state"
            else f"pull requests on GitHub have no field {name} that can be written",
            park_class=ParkClass.NOT_SUPPORTED,
            field=name,
            fix="Close, merge or reopen it on GitHub." if name == "state" else "Change it on GitHub.",
        )


def _refuse_unknown(fields: Fields, choices: Choices) -> None:
    writable = {spec.name for spec in specs(choices, details=False) if spec.writable}
    for name in sorted(set(fields) - writable):
        raise Park(
            f"issues on GitHub have no field {name} that can be written",
            park_class=ParkClass.NOT_SUPPORTED,
            field=name,
            fix="Leave the field out of the mapping.",
        )
