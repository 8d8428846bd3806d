"""Task <-> Record. Pure.

Payloads are read tolerantly: a key that is missing makes a field unknown, never empty.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape
from typing import Any, TypeAlias

from connectors.asana import notes
from connectors.asana.custom_fields import PREFIX, custom_values, fixed
from connectors.asana.dates import DATE_FIELDS, dates_of, moment, same_date, timestamp
from connectors.asana.names import elements, same_elements
from connectors.errors import Park, ParkClass, RetryLater
from connectors.records import (
    BLOCKED_BY,
    CLOSED,
    OPEN,
    PARENT,
    Author,
    FieldKind,
    Fields,
    FieldSpec,
    Record,
    Ref,
    Value,
)
from connectors.richtext import asana_html

Row: TypeAlias = Mapping[str, Any]
"""One object out of Asana's ``data``."""

NAME = "asana"
TASK = "task"
COMMENT = "comment"
ATTACHMENT = "attachment"

TASK_FIELDS = (
    "name",
    "html_notes",
    "completed",
    "assignee",
    "followers",
    "tags.name",
    "memberships.project",
    "memberships.section",
    "modified_at",
    "created_at",
    "created_by",
    "resource_subtype",
    "permalink_url",
    "external",
    "parent",
    "dependencies",
    *DATE_FIELDS,
)
"""``opt_fields`` of every task read, without custom fields; deeper ones cost more of the token's quota."""

FIELDS = (
    FieldSpec(name="title", kind=FieldKind.TEXT, label="Task name"),
    FieldSpec(name="notes", kind=FieldKind.MARKDOWN, label="Description"),
    FieldSpec(name="state", kind=FieldKind.STATE, label="Completed"),
    FieldSpec(name="assignee", kind=FieldKind.PERSON, label="Assignee"),
    FieldSpec(name="followers", kind=FieldKind.PEOPLE, label="Collaborators"),
    FieldSpec(name="labels", kind=FieldKind.SET, label="Tags"),
    FieldSpec(name="due", kind=FieldKind.DATE, label="Due date", times=True),
    FieldSpec(name="start", kind=FieldKind.DATE, label="Start date", times=True),
    FieldSpec(name=PARENT, kind=FieldKind.OBJECT, label="Parent task"),
    FieldSpec(name=BLOCKED_BY, kind=FieldKind.OBJECTS, label="Dependencies"),
)

EXTERNAL_PREFIX = "asana-sync:"
"""Before the key's token in ``external.gid``."""

_READ_ONLY = {"approval": frozenset({"state"}), "milestone": frozenset({"start"})}
"""By subtype. Completing an approval means "approved", and "rejected" completes it: not the same as closed.
A milestone is a single moment (https://developers.asana.com/reference/tasks, ``resource_subtype``)."""


_NAMES = frozenset({*(spec.name for spec in FIELDS), "section"})


def task_ref(site: str, gid: str) -> Ref:
    return Ref(NAME, site, TASK, gid)


def comment_ref(site: str, gid: str, task: str = "") -> Ref:
    """``task`` becomes the address: a comment's own answers do not always name its task."""
    return Ref(NAME, site, COMMENT, gid, task)


def record(row: Row, site: str, account: str) -> Record:
    """One task as read with :data:`TASK_FIELDS`.

    Args:
        account: our own user id, to tell the tasks that we made.

    Raises:
        RetryLater: the answer lacks what every task has.
    """
    gid = row["gid"]
    modified_at = moment(row.get("modified_at") or row.get("created_at"))
    if modified_at is None:
        raise RetryLater(f"task {gid} came without modified_at")
    author = author_of(row)
    ours = author is not None and author.id == account
    html, backlink = notes.split(html_of(row), ours=ours)
    keys = {backlink.url} if backlink else set()
    external = _of(row, "external").get("gid")
    if isinstance(external, str) and external.startswith(EXTERNAL_PREFIX):
        keys.add(external.removeprefix(EXTERNAL_PREFIX))
    return Record(
        ref=task_ref(site, gid),
        fields=_fields(row, html),
        version=timestamp(modified_at),
        created_at=moment(row.get("created_at")) or modified_at,
        modified_at=modified_at,
        places=_places(row),
        url=row.get("permalink_url") or f"https://app.asana.com/0/0/{gid}/f",
        key=gid,
        author=author,
        created_by_us=ours,
        keys=frozenset(keys),
        read_only=_READ_ONLY.get(str(row.get("resource_subtype")), frozenset()) | fixed(row),
    )


def author_of(row: Row) -> Author | None:
    by = _of(row, "created_by")
    return Author(by["gid"], by.get("name") or by["gid"]) if by.get("gid") else None


def data(fields: Fields) -> dict[str, Any]:
    """The part of a task's payload that is written as it is: name, completed, assignee.

    Raises:
        Park: a field that Asana tasks do not have, or an empty title.
    """
    for name in fields:
        if name not in _NAMES and not name.startswith(PREFIX):
            raise Park(f"Asana tasks have no field {name}", park_class=ParkClass.NOT_SUPPORTED, field=name)
    written: dict[str, Any] = {}
    if "title" in fields:
        written["name"] = notes.one_line(str(fields["title"] or ""))
        if not written["name"]:
            raise Park("a task without a name could not be told from others", field="title")
    if "state" in fields:
        written["completed"] = fields["state"] == CLOSED
    if "assignee" in fields:
        written["assignee"] = fields["assignee"]
    return written


def same(field: str, sent: Value, read: Value) -> bool:
    """Whether what is read can be what was sent, after Asana's own rewriting."""
    if field == "title":
        return _comparable(sent) == _comparable(read)
    if field == "notes":
        return asana_html.same(str(sent or ""), str(read or ""))
    if field == "comments":
        return asana_html.same(str(sent or ""), str(read or ""), comment=True)
    if field == "labels":
        return same_elements(sent, read)
    if field == "followers":
        return set(elements(sent)) == set(elements(read))
    return same_date(sent, read) if field in ("due", "start") else sent == read


def _fields(row: Row, html: str) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    if "name" in row:
        fields["title"] = " ".join(str(row["name"] or "").splitlines())
    if "html_notes" in row or "notes" in row:
        fields["notes"] = asana_html.to_markdown(html)
    if "completed" in row:
        fields["state"] = CLOSED if row["completed"] else OPEN
    if "assignee" in row:
        fields["assignee"] = _of(row, "assignee").get("gid")
    if "followers" in row:
        fields["followers"] = tuple(sorted({user["gid"] for user in _list(row, "followers")}))
    if "tags" in row:
        fields["labels"] = tuple(sorted({tag["name"] for tag in _list(row, "tags") if tag.get("name")}))
    if "parent" in row:
        fields[PARENT] = _of(row, "parent").get("gid")
    if "dependencies" in row:
        fields[BLOCKED_BY] = tuple(sorted({task["gid"] for task in _list(row, "dependencies")}))
    return fields | dates_of(row) | custom_values(row)


def _places(row: Row) -> dict[str, str | None]:
    places: dict[str, str | None] = {}
    for membership in _list(row, "memberships"):
        project = _of(membership, "project").get("gid")
        if project:
            places[project] = _of(membership, "section").get("gid")
    return places


def html_of(row: Row) -> str:
    """html_notes; plain notes only where Asana did not give them."""
    html = row.get("html_notes")
    return (
        html
        if isinstance(html, str) and html
        else f"<body>{escape(row.get('notes') or '', quote=False)}</body>"
    )


def _of(row: Row, name: str) -> Row:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(row: Row, name: str) -> list[Row]:
    value = row.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _comparable(text: Value) -> str:
    return unicodedata.normalize("NFC", notes.one_line(str(text or "")))
