"""What a simulated Asana workspace consists of. Records are replaced, never changed in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    gid: str
    name: str
    email: str
    active: bool = True
    """A deactivated user is not listed, and nothing can be assigned to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    gid: str
    name: str
    created_at: datetime
    modified_at: datetime
    sections: tuple[str, ...] = ()
    custom_fields: tuple[str, ...] = ()
    archived: bool = False
    private: bool = False
    """Not shared with the account that asks."""
    access_level: str = "editor"
    """Of the account that asks: admin, editor, commenter or viewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    gid: str
    name: str
    project: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    gid: str
    name: str
    created_at: datetime
    color: str | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task lies in one of its projects; ``rank`` orders the tasks of a section."""

    section: str
    rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """``html_notes`` is the form in which it reads back. ``touched_at`` moves on associations, too:
    it is what ``modified_since`` compares."""

    gid: str
    name: str
    created_at: datetime
    modified_at: datetime
    touched_at: datetime
    created_by: str
    html_notes: str = "<body></body>"
    resource_subtype: str = "default_task"
    approval_status: str | None = None
    completed: bool = False
    completed_at: datetime | None = None
    completed_by: str | None = None
    assignee: str | None = None
    assigned_by: str | None = None
    followers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    places: dict[str, Place] = field(default_factory=dict)
    """By project."""
    parent: str | None = None
    due_on: date | None = None
    due_at: datetime | None = None
    start_on: date | None = None
    start_at: datetime | None = None
    custom: dict[str, Any] = field(default_factory=dict)
    """Values of custom fields, by the field's gid."""
    dependencies: tuple[str, ...] = ()
    """Tasks that this one waits for."""
    external: dict[str, str] | None = None
    trashed: bool = False
    private: bool = False
    """Not shared with the account that asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A comment, or an entry of the history: ``values`` hold its old_* and new_* values."""

    gid: str
    task: str
    resource_subtype: str
    created_at: datetime
    created_by: str | None
    text: str
    html_text: str
    source: str
    is_edited: bool = False
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def is_comment(self) -> bool:
        return self.resource_subtype == "comment_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a task; where it has a ``url`` instead of content, it lies elsewhere, at ``host``."""

    gid: str
    task: str
    name: str
    created_at: datetime
    content: bytes | None = field(default=None, repr=False)
    url: str | None = None
    host: str = "asana"


@dataclass(frozen=True, slots=True)
class Link:
    """A resource named in an answer or event; how much of it is shown is the reader's choice."""

    kind: str
    gid: str
    subtype: str | None = None


def rfc3339(at: datetime | None) -> str | None:
    """As Asana writes times: UTC with milliseconds and ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
