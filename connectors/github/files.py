"""Files in the texts of issues and comments: pure.

GitHub has no attachments: a file dropped into a text becomes an address in it, and who may read it is
decided by the repository (docs.github.com, "Attaching files"). Addresses that a person is led to, such
as ``private-user-images.githubusercontent.com/...?jwt=``, end after five minutes and are never used as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote, urlsplit

from connectors.discussions import Attachment, Comment, Discussion
from connectors.github.translate import CONNECTOR
from connectors.records import Record, Ref
from connectors.richtext.prose import outside_code

ATTACHMENT = "attachment"

HOSTS = ("githubusercontent.com", "s3.amazonaws.com")
"""Where GitHub leads to for the bytes."""

_NAME = r"""(?!\.)[^\s<>()\[\]"'`/?#]+"""
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FILE = rf"""(?P<url>
    {{web}}/ (?: user-attachments/assets/{_ID}
               | user-attachments/files/\d+/{_NAME}
               | [\w.-]+/[\w.-]+/assets/\d+/{_ID}
               | [\w.-]+/[\w.-]+/files/\d+/{_NAME}
               | storage/user/\d+/files/{_ID} )
  | https://user-images\.githubusercontent\.com/\d+/[\w.-]+
)"""
"""Exactly these: an address is fetched with the account's own right, whoever wrote it."""
_SHOWN = r"""(?:
    !?\[(?P<label>(?:\\.|[^\[\]\\\n]){0,300})\]\(\s*<?
  | <img\b(?P<before>[^<>]*?)\bsrc\s*=\s*["']?
)?"""
_ATTRIBUTES = 1000
"""So long may be what follows an image's address in its tag."""
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_BACKSLASH = re.compile(r"\\([!-/:-@\[-`{-~])")
_UUID = re.compile(_ID, re.IGNORECASE)


def web_of(base_url: str) -> str:
    """Where people see what is behind this API address."""
    parts = urlsplit(base_url)
    host = "github.com" if parts.hostname == "api.github.com" else parts.netloc
    return f"{parts.scheme}://{host}"


def attachments(record: Record, discussion: Discussion, web: str) -> Iterator[Attachment]:
    """The files of the body and of the comments people wrote, each address once.

    Args:
        web: :func:`web_of` the connection.
    """
    known = set[str]()
    texts: list[tuple[str, Record | Comment]] = [(str(record.fields.get("notes") or ""), record)]
    texts += [(comment.text, comment) for comment in discussion.comments if comment.source_url is None]
    for text, said in texts:
        for url, name in files_in(text, web):
            if url not in known:
                known.add(url)
                yield Attachment(
                    ref=Ref(CONNECTOR, record.ref.site, ATTACHMENT, url, said.ref.address),
                    parent=record.ref,
                    name=name,
                    url=url,
                    created_at=said.created_at,
                    author=said.author,
                    comment=said.ref if isinstance(said, Comment) else None,
                )


def files_in(text: str, web: str) -> list[tuple[str, str]]:
    """(address, name) of each file in a Markdown text, code left out."""
    address = _FILE.replace("{web}", re.escape(web))
    if not re.search(address, text, re.VERBOSE | re.IGNORECASE):
        return []  # nearly always: the text need not be parsed
    pattern = re.compile(_SHOWN + address, re.VERBOSE | re.IGNORECASE)
    found: list[tuple[str, str]] = []

    def note(shown: re.Match[str]) -> str:
        url = unescape(shown["url"]).rstrip(".,:;!?*_~")
        found.append((url, _name(url, _label(shown))))
        return shown[0]

    outside_code(text, lambda piece: pattern.sub(note, piece))
    return found


def signed_address(html: str, attachment: Attachment) -> str | None:
    """The short-lived address by which the rendered text shows an image of a private repository."""
    uuid = _UUID.search(attachment.url)
    pattern = rf"""https?://[^\s"'<>]*{uuid[0]}[^\s"'<>]*[?&](?:amp;)?jwt=[^\s"'<>]+""" if uuid else None
    found = re.search(pattern, html) if pattern else None
    return unescape(found[0]) if found else None


def _label(shown: re.Match[str]) -> str:
    if shown["label"] is not None:
        return _BACKSLASH.sub(r"\1", shown["label"])
    if shown["before"] is None:
        return ""
    behind = shown.string[shown.end() : shown.end() + _ATTRIBUTES]
    attributes = shown["before"] + behind.partition(">")[0]
    alt = _ALT.search(attributes)
    return unescape(alt[1] or alt[2] or "") if alt else ""


def _name(url: str, label: str) -> str:
    """The file's own name where the address has it, else what the text calls it."""
    last = unquote(urlsplit(url).path.rpartition("/")[2])
    if "." in last:
        return last
    return " ".join(label.split()) or "file"
