"""What a simulated GitHub holds: people, repositories, issues, comments, labels, milestones.

Records are frozen and replaced as a whole, so that a lagging reader can be shown an older one.
Times keep their microseconds here; everything that leaves is cut to whole seconds.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from connectors.simulation import Lagging


def node_id(prefix: str, id: int, repository: int | None = None) -> str:
    """An id in GitHub's present form: base64 of the MessagePack list [0, repository?, id]."""
    numbers = [id] if repository is None else [repository, id]
    packed = bytes([0x91 + len(numbers), 0]) + b"".join(b"\xce" + n.to_bytes(4, "big") for n in numbers)
    return f"{prefix}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account: somebody who does things, or the owner of repositories."""

    id: int
    login: str
    name: str
    email: str | None = None
    organization: bool = False
    left: bool = False
    """Not assignable any more: suspended, or without access."""
    bot: bool = False

    @property
    def node_id(self) -> str:
        return node_id("O" if self.organization else "U", self.id)


@dataclass(frozen=True, kw_only=True)
class Label:
    id: int
    node_id: str
    name: str
    color: str = "ededed"
    description: str | None = None
    default: bool = False


@dataclass(frozen=True, kw_only=True)
class Milestone:
    id: int
    node_id: str
    number: int
    title: str
    creator: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    due_on: datetime | None = None
    closed_at: datetime | None = None

    @property
    def state(self) -> str:
        return "closed" if self.closed_at else "open"


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue or, where ``pull_id`` is set, a pull request in its rôle as an issue.

    People are logins, labels are label ids: a renamed label shows on every issue at once.
    """

    id: int
    node_id: str
    number: int
    title: str
    body: str | None
    author: str
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    labels: tuple[int, ...] = ()
    assignees: tuple[str, ...] = ()
    milestone: int | None = None
    pull_id: int | None = None
    merged_at: datetime | None = None
    merged_by: str | None = None
    draft: bool = False
    locked: bool = False
    type: int | None = None
    reviews: tuple[tuple[str, str], ...] = ()
    """Of a pull request, oldest first: who, and APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""
    reviewers: tuple[str, ...] = ()
    """Who was asked for a review and gave none since."""
    checks: Mapping[str, str | None] = field(default_factory=dict)
    """Name of a check of its last commit -> conclusion, None while it runs."""
    values: Mapping[int, Any] = field(default_factory=dict)
    """Id of an issue field -> value."""
    parent: str | None = None
    """Node id of the issue that it is a sub-issue of."""
    blocked_by: tuple[str, ...] = ()
    """Node ids of the issues that it waits for."""

    @property
    def kind(self) -> str:
        return "issue" if self.pull_id is None else "pull"


@dataclass(frozen=True, kw_only=True)
class Comment:
    id: int
    node_id: str
    number: int
    """Number of the issue it belongs to."""
    kind: str
    """Kind of that issue."""
    author: str
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One entry of an issue's timeline; ``details`` are the keys of its kind, ready to be shown."""

    id: int
    node_id: str
    event: str
    actor: str
    at: datetime
    details: Mapping[str, Any]


@dataclass(eq=False, kw_only=True)
class Repository:
    """One repository. Issues are kept by number, comments by id, both as text."""

    id: int
    owner: Person
    name: str
    created_at: datetime
    issues: Lagging[Issue]
    comments: Lagging[Comment]
    private: bool = True
    archived: bool = False
    has_issues: bool = True
    hidden: bool = False
    """The account cannot see it any more: uninstalled, suspended, gone private."""
    labels: dict[int, Label] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    timelines: defaultdict[int, list[Occurrence]] = field(default_factory=lambda: defaultdict(list))
    threads: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Issue number -> ids of all comments it ever had, in order."""
    deleted: set[int] = field(default_factory=set)
    moved: dict[int, tuple[Repository, int]] = field(default_factory=dict)
    """Old number of a transferred issue -> where it went."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    milestone_numbers: Iterator[int] = field(default_factory=lambda: count(1))
    open_issues: int = 0
    orders: dict[str, list[Issue]] = field(default_factory=dict)
    """All issues as lists order them, until one of them moves."""

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def node_id(self) -> str:
        return node_id("R", self.id)

    def keep(self, issue: Issue) -> None:
        """Store an issue as it now stands."""
        before = self.issues.get(str(issue.number))
        self.open_issues += (issue.state == "open") - (before is not None and before.state == "open")
        self.issues[str(issue.number)] = issue
        self.orders.clear()

    def drop(self, issue: Issue) -> None:
        self.open_issues -= issue.state == "open"
        del self.issues[str(issue.number)]
        self.orders.clear()

    def label(self, name: str) -> Label | None:
        """Label names are unique without regard to case."""
        return next((label for label in self.labels.values() if label.name.lower() == name.lower()), None)

    def labels_of(self, issue: Issue) -> list[Label]:
        return [self.labels[id] for id in issue.labels if id in self.labels]

    def thread(self, number: int, lag_s: float = 0.0) -> list[Comment]:
        """The comments of one issue, oldest first."""
        seen = (self.comments.seen(str(id), lag_s) for id in self.threads.get(number, ()))
        return [comment for comment in seen if comment is not None]


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that webhooks tell: an event's name and action, and the records as they stand."""

    repository: Repository
    event: str
    action: str
    actor: str
    issue: Issue | None = None
    comment: Comment | None = None
    label: Label | None = None
    assignee: str | None = None
    milestone: Milestone | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    other: tuple[str, Repository, Issue] | None = None
    """Transfers: "new" or "old", and the issue on the other end."""
    family: Mapping[str, tuple[Repository, Issue]] = field(default_factory=dict)
    """Two issues by their names in the payload, the one that lies in the repository first."""
