"""Comments: the stories that people write. Pure. For those of Asana see :mod:`connectors.asana.history`.

A mirrored comment names its author in bold, linked to the source comment, above its text::

    <body><strong><a href="https://github.com/...#issuecomment-1">ada</a></strong>

    Works for me.</body>
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape

from connectors.asana import notes
from connectors.asana.dates import moment
from connectors.asana.translate import COMMENT, Row, author_of, comment_ref, task_ref
from connectors.discussions import Comment, CommentDraft
from connectors.records import Author
from connectors.richtext import asana_html

STORY_FIELDS = ("type", "resource_subtype", "created_at", "created_by.name")
"""``opt_fields`` of every story read."""

COMMENT_FIELDS = (*STORY_FIELDS, "html_text", "text", "target")
"""``opt_fields`` of comments."""

_HEADER = re.compile(
    r"<body>\s*(?:<strong>\s*<a\b(?P<outer>[^>]*)>[^<\n]*</a>\s*</strong>"
    r"|<a\b(?P<around>[^>]*)>\s*<strong>[^<\n]*</strong>\s*</a>)[ \t]*(?:\n\s*|(?=</body>))"
)
_NOBODY = Author("", "Asana")


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
