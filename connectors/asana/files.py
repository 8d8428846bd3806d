"""Attachments of tasks. Pure.

An attachment's ``download_url`` ends after two minutes, its ``permanent_url`` is the file itself, and the
``view_url`` of one kept at Dropbox or Google may be all that is needed to read it: none leaves Asana.
What leads to an attachment is its task. Only a link that somebody attached as one is passed on.

https://developers.asana.com/reference/attachments
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from connectors.asana.dates import moment
from connectors.asana.translate import ATTACHMENT, NAME, Row, author_of, task_ref
from connectors.discussions import Attachment, Upload
from connectors.records import Author, Ref
from connectors.richtext.asana_html import ASSET

LARGEST = 100 * 1024 * 1024
ATTACHMENT_FIELDS = ("name", "resource_subtype", "created_at", "host", "size", "view_url")
DOWNLOAD_FIELDS = ("name", "host", "download_url")

FILE_HOSTS = ("asanausercontent.com", "amazonaws.com")
"""Where ``download_url`` leads."""

_TELLING = frozenset({"attachment_added", "duplicated", "duplicate_merged"})
"""Stories of tasks that may have files; of most tasks there is none, and nothing is asked."""
_ADDED = "attachment_added"
_HERE, _LINK = "asana", "external"
_TOGETHER = timedelta(seconds=5)
"""An upload and its story are that close."""


def uploads(rows: Iterable[Row]) -> tuple[Upload, ...]:
    """What a task's stories tell of files."""
    return tuple(
        Upload(
            at=moment(row.get("created_at")) or datetime.fromtimestamp(0, UTC),
            author=author_of(row) if row["resource_subtype"] == _ADDED else None,
        )
        for row in rows
        if row.get("resource_subtype") in _TELLING
    )


def is_inline(row: Row, notes: str) -> bool:
    """Whether the notes show it as an image: there a link stands for it already."""
    return f"{ASSET}{row['gid']}" in notes


def attachment(row: Row, task: str, site: str, told: Sequence[Upload]) -> Attachment:
    """One attachment of the task; who added it is known from the story of the same moment."""
    at = moment(row.get("created_at")) or datetime.fromtimestamp(0, UTC)
    host = str(row.get("host") or row.get("resource_subtype") or _HERE)
    link = _web_address(row.get("view_url")) if host == _LINK else ""
    size = row.get("size")
    return Attachment(
        ref=Ref(NAME, site, ATTACHMENT, row["gid"], task),
        parent=task_ref(site, task),
        name=" ".join(str(row.get("name") or "").split()) or row["gid"],
        url=link or f"https://app.asana.com/0/0/{task}/f#attachment-{row['gid']}",
        created_at=at,
        author=_author(at, told),
        size=size if isinstance(size, int) else None,
        is_link=host != _HERE,
    )


def _author(at: datetime, told: Sequence[Upload]) -> Author | None:
    near = [upload for upload in told if upload.author and abs(upload.at - at) <= _TOGETHER]
    nearest = min(near, key=lambda upload: abs(upload.at - at), default=None)
    return nearest.author if nearest else None


def _web_address(url: object) -> str:
    """The address if people can follow it."""
    return url if isinstance(url, str) and urlsplit(url).scheme in ("http", "https") else ""
