"""Stories: comments of people, and Asana's own history of a task. Pure.

A mirrored comment names its author in bold, linked to the source comment, above its text::

    <body><strong><a href="https://github.com/...#issuecomment-1">ada</a></strong>

    Works for me.</body>
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from connectors.asana import notes
from connectors.asana.translate import COMMENT, Row, author_of, comment_ref, moment, task_ref
from connectors.records import CLOSED, OPEN, Author, Comment, CommentDraft, FieldTime, Value
from connectors.richtext import asana_html

STORY_FIELDS = (
    "type",
    "resource_subtype",
    "created_at",
    "created_by.name",
    "html_text",
    "text",
    "target",
    "old_name",
    "new_name",
    "old_section",
    "new_section",
)

_HEADER = re.compile(
    r"<body>\s*(?:<strong>\s*<a\b(?P<outer>[^>]*)>[^<\n]*</a>\s*</strong>"
    r"|<a\b(?P<around>[^>]*)>\s*<strong>[^<\n]*</strong>\s*</a>)[ \t]*(?:\n\s*|(?=</body>))"
)
_NOBODY = Author("", "Asana")

_FIELD = {
    "name_changed": "title",
    "notes_changed": "notes",
    "marked_complete": "state",
    "marked_incomplete": "state",
    "assigned": "assignee",
    "unassigned": "assignee",
    "follower_added": "followers",
    "added_to_tag": "labels",
    "removed_from_tag": "labels",
    "section_changed": "section",
}
"""resource_subtype -> the field it is the history of. A story's text is localised and unstable."""


def html_text(draft: CommentDraft) -> str:
    """The comment to post: header, blank line, text."""
    header = f"<strong>{notes.link(draft.source_url, draft.author_name)}</strong>"
    text = notes.inner(asana_html.from_markdown(draft.text, comment=True))
    return f"<body>{header}\n\n{text}</body>"


def is_comment(row: Row) -> bool:
    if "type" in row:
        return bool(row["type"] == COMMENT)
    return row.get("resource_subtype") == "comment_added"


def comment(row: Row, task: str, site: str, account: str) -> Comment:
    """One comment of the task. Asana tells no time of an edit, only that there was one."""
    html = row.get("html_text") or f"<body>{escape(row.get('text') or '', quote=False)}</body>"
    author = author_of(row) or _NOBODY
    by_us = author.id == account
    header = _HEADER.match(html.strip()) if by_us else None
    if header:  # in a person's comment a bold link at the start is text like any other
        html = f"<body>{html.strip()[header.end() :]}"
    return Comment(
        ref=comment_ref(site, row["gid"], task),
        parent=task_ref(site, task),
        text=asana_html.to_markdown(html),
        author=author,
        created_at=moment(row.get("created_at")) or datetime.fromtimestamp(0, UTC),
        url=f"https://app.asana.com/0/0/{task}/{row['gid']}/f",
        by_us=by_us,
        source_url=notes.href(header["outer"] or header["around"] or "") or None if header else None,
    )


def field_times(rows: Iterable[Row], since: datetime) -> list[FieldTime]:
    """The history of the task's fields since then, oldest first."""
    times = [time for row in rows if (time := _field_time(row)) is not None and time.at >= since]
    return sorted(times, key=lambda time: time.at)


def _field_time(row: Row) -> FieldTime | None:
    subtype = row.get("resource_subtype")
    field, at = _FIELD.get(str(subtype)), moment(row.get("created_at"))
    if field is None or at is None:
        return None
    values = _values(str(subtype), row)
    before, after = values or (None, None)
    return FieldTime(
        field=field, at=at, author=author_of(row), has_values=values is not None, before=before, after=after
    )


def _values(subtype: str, row: Row) -> tuple[Value, Value] | None:
    """(before, after) where the story tells both."""
    if subtype == "marked_complete":
        return OPEN, CLOSED
    if subtype == "marked_incomplete":
        return CLOSED, OPEN
    old, new = row.get("old_name"), row.get("new_name")
    if subtype == "name_changed" and isinstance(old, str) and isinstance(new, str):
        return old, new
    old, new = row.get("old_section"), row.get("new_section")
    if subtype == "section_changed" and isinstance(old, dict) and isinstance(new, dict):
        return old.get("gid"), new.get("gid")
    return None
