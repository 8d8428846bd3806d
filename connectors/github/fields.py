"""The fields of issues and pull requests: what there is, and what a payload says of each: pure.

Beside those that everything has: ``milestone`` with its ``due`` day, why an issue was closed, whether its
conversation is locked, how far a pull request is; and what an organisation adds, types and issue fields.

Sources: docs.github.com/rest, "Issues", "Milestones", "Issue types", "Issue fields", "Reviews".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from connectors.records import BLOCKED_BY, PARENT, FieldKind, Fields, FieldSpec, Value

Payload: TypeAlias = Mapping[str, Any]

STATE_REASON: Final = "custom:state_reason"
TYPE: Final = "custom:type"
LOCKED: Final = "custom:locked"
PULL_REQUEST: Final = "custom:pull_request"
REVIEW: Final = "custom:review"
CHECKS: Final = "custom:checks"

CLOSING_REASONS: Final = {
    "completed": "Completed",
    "not_planned": "Not planned",
    "duplicate": "Duplicate",
}
_REASONS = {**CLOSING_REASONS, "reopened": "Reopened"}
_LOCKED = {"no": "Open to all", "yes": "Locked"}
_PULL_STATES = {"draft": "Draft", "open": "Open", "merged": "Merged", "closed": "Closed"}
_REVIEWS = {
    "none": "No review",
    "review_required": "Review required",
    "changes_requested": "Changes requested",
    "approved": "Approved",
}
_CHECKS = {"none": "No checks", "pending": "Pending", "success": "Success", "failure": "Failure"}

_KINDS = {
    "text": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "date": FieldKind.DATE,
    "single_select": FieldKind.CHOICE,
    "multi_select": FieldKind.SET,
}

_COMMON = (
    FieldSpec(name="title", kind=FieldKind.TEXT, label="Title"),
    FieldSpec(name="notes", kind=FieldKind.MARKDOWN, label="Description"),
    FieldSpec(name="state", kind=FieldKind.STATE, label="State"),
    FieldSpec(name="assignee", kind=FieldKind.PEOPLE, label="Assignees"),
    FieldSpec(name="labels", kind=FieldKind.SET, label="Labels"),
)
_FIXED = (
    FieldSpec(name="due", kind=FieldKind.DATE, label="Due day of the milestone", writable=False),
    FieldSpec(name=PARENT, kind=FieldKind.OBJECT, label="Parent issue"),
    FieldSpec(name=BLOCKED_BY, kind=FieldKind.OBJECTS, label="Blocked by"),
    FieldSpec(name=STATE_REASON, kind=FieldKind.CHOICE, label="Why it is closed", options=_REASONS),
    FieldSpec(name=LOCKED, kind=FieldKind.CHOICE, label="Conversation", writable=False, options=_LOCKED),
    FieldSpec(
        name=PULL_REQUEST, kind=FieldKind.CHOICE, label="Pull request", writable=False, options=_PULL_STATES
    ),
)
_DETAILS = (
    FieldSpec(name=REVIEW, kind=FieldKind.CHOICE, label="Review", writable=False, options=_REVIEWS),
    FieldSpec(name=CHECKS, kind=FieldKind.CHOICE, label="Checks", writable=False, options=_CHECKS),
)


@dataclass(frozen=True, slots=True)
class IssueField:
    """A field that an organisation has given its issues."""

    id: int
    label: str
    kind: FieldKind
    options: Mapping[str, str] = field(default_factory=dict)
    """Option id -> name."""

    @property
    def name(self) -> str:
        return f"custom:{self.id}"


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in a repository, id -> name: milestones by number, types, issue fields."""

    milestones: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[IssueField, ...] = ()


OFFERED_EVERYWHERE = frozenset(spec.name for spec in (*_COMMON, *_FIXED, *_DETAILS))
"""Fields that need no knowledge of what a repository or its organisation offers."""


def specs(choices: Choices, *, details: bool) -> tuple[FieldSpec, ...]:
    """The fields of a repository's objects; ``details``: reviews and checks are read, too."""
    found = [
        *_COMMON,
        FieldSpec(name="milestone", kind=FieldKind.CHOICE, label="Milestone", options=choices.milestones),
        *_FIXED,
    ]
    if choices.types:
        found.append(FieldSpec(name=TYPE, kind=FieldKind.CHOICE, label="Type", options=choices.types))
    found += [
        FieldSpec(name=one.name, kind=one.kind, label=one.label, options=one.options)
        for one in choices.fields
    ]
    return (*found, *(_DETAILS if details else ()))


# --- what can be chosen --------------------------------------------------------------------------------


def milestones(rows: Sequence[Payload]) -> Mapping[str, str]:
    """Number -> title, open ones first. A closed one can still be chosen, and stands on closed issues."""
    ordered = sorted(rows, key=lambda row: (row.get("state") == "closed", int(row["number"])))
    return {str(row["number"]): str(row["title"]) for row in ordered}


def issue_types(rows: Sequence[Payload]) -> Mapping[str, str]:
    """Those that are in use."""
    return {str(row["id"]): str(row["name"]) for row in rows if row.get("is_enabled") is not False}


def issue_fields(rows: Sequence[Payload]) -> tuple[IssueField, ...]:
    """Those of a sort that is known here."""
    return tuple(
        IssueField(
            id=int(row["id"]),
            label=str(row["name"]),
            kind=_KINDS[str(row["data_type"])],
            options={str(option["id"]): str(option["name"]) for option in row.get("options") or ()},
        )
        for row in rows
        if row.get("data_type") in _KINDS
    )


def unheard_of(issue: Payload, choices: Choices) -> set[str]:
    """Which lists lack what this issue holds: "milestone", "types", "fields"."""
    fields = {one.id for one in choices.fields}
    held = {
        "milestone": _number(issue) not in (None, *choices.milestones),
        "types": _type(issue) not in (None, *choices.types),
        "fields": any(
            row.get("issue_field_id") not in fields for row in issue.get("issue_field_values") or ()
        ),
    }
    return {what for what, lacking in held.items() if lacking}


# --- reading -------------------------------------------------------------------------------------------


def values(issue: Payload, *, is_pull: bool, defined: Collection[IssueField] = ()) -> Fields:
    """What a payload of the issues API says beside title, body, state, people and labels.

    ``defined``: the issue fields of the organisation; without them what is empty cannot be told.
    """
    found: dict[str, Value] = {
        "milestone": _number(issue),
        "due": due((issue.get("milestone") or {}).get("due_on")),
        STATE_REASON: None if is_pull else issue.get("state_reason"),
        PULL_REQUEST: _pull_state(issue) if is_pull else None,
    }
    if "locked" in issue:
        found[LOCKED] = "yes" if issue["locked"] else "no"
    if "type" in issue:
        found[TYPE] = _type(issue)
    if "issue_field_values" in issue:
        given = {row.get("issue_field_id"): row for row in issue["issue_field_values"] or ()}
        found |= {one.name: _value(one, given.get(one.id)) for one in defined}
    return found


def fixed_on_pulls(defined: Collection[IssueField]) -> frozenset[str]:
    """What cannot be written on a pull request: its state is git's, the others are of issues."""
    return frozenset({"state", STATE_REASON, TYPE, PARENT, BLOCKED_BY, *(one.name for one in defined)})


def due(due_on: str | None) -> str | None:
    """The day of a milestone.

    GitHub keeps midnight in California of the day, whatever time it is given, which is seven or eight
    o'clock of the same day in UTC. https://github.com/microsoft/PowerShellForGitHub/pull/133
    """
    return due_on[:10] if due_on else None


def _number(issue: Payload) -> str | None:
    milestone = issue.get("milestone")
    return str(milestone["number"]) if milestone and "number" in milestone else None


def _type(issue: Payload) -> str | None:
    type_ = issue.get("type")
    return str(type_["id"]) if isinstance(type_, Mapping) else None


def _pull_state(issue: Payload) -> str:
    if (issue.get("pull_request") or {}).get("merged_at"):
        return "merged"
    if issue.get("state") == "closed":
        return "closed"
    return "draft" if issue.get("draft") else "open"


def _value(one: IssueField, row: Payload | None) -> Value:
    if one.kind is FieldKind.SET:
        options = (row or {}).get("multi_select_options") or ()
        return tuple(sorted(str(option["name"]) for option in options))
    if row is None:
        return "" if one.kind is FieldKind.TEXT else None
    if one.kind is FieldKind.CHOICE:
        option = row.get("single_select_option")
        return str(option["id"]) if option else None
    value = row.get("value")
    if one.kind is FieldKind.NUMBER:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    return str(value or "") if one.kind is FieldKind.TEXT else due(value)


def review(pull: Payload, reviews: Sequence[Payload]) -> str:
    """Where a pull request's review stands: the last word of each reviewer counts, remarks do not.

    Whether the branch demands a review is not told by these calls: one that was asked for is awaited.
    """
    last: dict[str, str] = {}
    for one in reviews:
        if one.get("state") in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            last[str((one.get("user") or {}).get("login"))] = str(one["state"])
    if "CHANGES_REQUESTED" in last.values():
        return "changes_requested"
    if pull.get("requested_reviewers") or pull.get("requested_teams"):
        return "review_required"
    return "approved" if "APPROVED" in last.values() else "none"


_FAILED = frozenset(
    {"failure", "error", "timed_out", "cancelled", "action_required", "startup_failure", "stale"}
)


def checks(runs: Sequence[Payload], statuses: Sequence[Payload]) -> str:
    """What the checks and the older statuses of one commit amount to."""
    told = {str(one.get("conclusion") or "pending") for one in runs} | {str(one["state"]) for one in statuses}
    if not told:
        return "none"
    if told & _FAILED:
        return "failure"
    return "pending" if "pending" in told else "success"
