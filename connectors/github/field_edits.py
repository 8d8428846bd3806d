"""What writes the fields beyond text, people and labels: pure.

Source: docs.github.com/rest, "Issues", "Issue field values".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connectors.errors import Park, ParkClass
from connectors.github.fields import (
    CLOSING_REASONS,
    OFFERED_EVERYWHERE,
    STATE_REASON,
    TYPE,
    Choices,
    IssueField,
)
from connectors.records import CLOSED, FieldKind, Fields, Record, Value


def are_chosen(fields: Fields) -> bool:
    """Whether writing these takes knowing what the repository and its organisation offer."""
    return not OFFERED_EVERYWHERE.issuperset(fields)


def patch(fields: Fields, choices: Choices) -> Iterator[tuple[str, Any]]:
    """Milestone and type as the issues API takes them.

    Raises:
        Park: there is no such milestone or type.
    """
    if "milestone" in fields:
        number = fields["milestone"]
        yield (
            "milestone",
            None if number is None else int(_chosen("milestone", number, choices.milestones)[0]),
        )
    if TYPE in fields:
        type_ = fields[TYPE]
        yield "type", None if type_ is None else _chosen(TYPE, type_, choices.types)[1]


def reason_of(fields: Fields, expected: Record | None = None) -> Mapping[str, str]:
    """State and reason as they are written: GitHub ignores a reason without a state.

    Raises:
        Park: the reason does not fit the state, which is not written, too.
    """
    state, reason = fields.get("state"), fields.get(STATE_REASON)
    if "state" not in fields:
        if STATE_REASON not in fields:
            return {}
        state = CLOSED if expected is not None and expected.fields.get("state") == CLOSED else "open"
        if (reason in CLOSING_REASONS) != (state == CLOSED):
            raise Park(
                f"GitHub keeps no reason {reason or 'none'!r} on an issue that is {state}",
                park_class=ParkClass.REJECTED,
                field=STATE_REASON,
                fix="Complete the task, or reopen it: the reason goes along with that.",
            )
    if state == CLOSED:
        return {"state": "closed", "state_reason": str(reason) if reason in CLOSING_REASONS else "completed"}
    return {"state": "open", "state_reason": "reopened"}


def issue_field_values(
    fields: Fields, defined: Collection[IssueField]
) -> Iterator[tuple[str, int, str | float | list[str] | None]]:
    """(field, its id at GitHub, value as the API takes it; None empties it)."""
    for one in defined:
        if one.name not in fields:
            continue
        value = fields[one.name]
        if value in (None, "", ()):
            yield one.name, one.id, None
        elif one.kind is FieldKind.CHOICE:
            yield one.name, one.id, _chosen(one.name, value, one.options)[1]
        elif isinstance(value, tuple):
            yield one.name, one.id, list(value)
        else:
            yield one.name, one.id, value if isinstance(value, int | float) else str(value)


def _chosen(name: str, id: Value, options: Mapping[str, str]) -> tuple[str, str]:
    """The option's id and name."""
    if str(id) in options:
        return str(id), options[str(id)]
    raise Park(
        f"GitHub offers no {name.removeprefix('custom:')} {id!r}",
        park_class=ParkClass.REJECTED,
        field=name,
        fix="Choose another one, or make it on GitHub, then retry.",
    )
